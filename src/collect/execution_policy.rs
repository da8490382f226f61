//! What PowerShell was told of scripts, by `about_Execution_Policies` and `about_Group_Policy_Settings`.

use super::places::Places;
use crate::facts::platform::System;
use crate::facts::tools::{ExecutionPolicy, PolicyScope, PowerShellEdition};
use crate::host::Host;
use crate::parse::jsonc;

const VARIABLE: &str = "PSExecutionPolicyPreference";
const SHELL_IDS: &str = r"SOFTWARE\Microsoft\PowerShell\1\ShellIds\Microsoft.PowerShell";
const VALUE: &str = "ExecutionPolicy";

/// The policy that counts: of a group, of the process, of the user, of the machine, else the edition's default.
pub fn execution_policy(
    host: &dyn Host,
    places: &Places,
    edition: PowerShellEdition,
) -> Option<ExecutionPolicy> {
    if places.system != System::Windows {
        return None;
    }
    let of_group = ["HKEY_LOCAL_MACHINE", "HKEY_CURRENT_USER"].iter().find_map(|root| {
        let key = match edition {
            PowerShellEdition::Windows => format!(r"{root}\SOFTWARE\Policies\Microsoft\Windows\PowerShell"),
            PowerShellEdition::Core => format!(r"{root}\SOFTWARE\Policies\Microsoft\PowerShellCore"),
        };
        in_registry(host, &key, PolicyScope::Group)
    });
    of_group
        .or_else(|| {
            let policy = places.set(VARIABLE)?;
            Some(ExecutionPolicy { policy, source: VARIABLE.to_owned(), scope: PolicyScope::Process })
        })
        .or_else(|| match edition {
            PowerShellEdition::Windows => of_windows(host),
            PowerShellEdition::Core => of_the_users_file(host, places),
        })
}

fn in_registry(host: &dyn Host, key: &str, scope: PolicyScope) -> Option<ExecutionPolicy> {
    let policy = host.registry(key, VALUE)?;
    Some(ExecutionPolicy { policy, source: format!(r"{key}\{VALUE}"), scope })
}

/// Its default is `Restricted` on a client, `RemoteSigned` on a server.
fn of_windows(host: &dyn Host) -> Option<ExecutionPolicy> {
    let own = ["HKEY_CURRENT_USER", "HKEY_LOCAL_MACHINE"]
        .iter()
        .map(|root| format!(r"{root}\{SHELL_IDS}"))
        .find_map(|key| in_registry(host, &key, PolicyScope::Kept));
    let set = |policy: &ExecutionPolicy| !policy.policy.eq_ignore_ascii_case("Undefined");
    own.filter(set).or_else(|| {
        let version = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion";
        let kind = host.registry(version, "InstallationType")?;
        (kind == "Client").then(|| ExecutionPolicy {
            policy: "Restricted".to_owned(),
            source: "the default of Windows PowerShell".to_owned(),
            scope: PolicyScope::Kept,
        })
    })
}

/// PowerShell 6 and later keep it in a file.
fn of_the_users_file(host: &dyn Host, places: &Places) -> Option<ExecutionPolicy> {
    let file = places.in_home("Documents\\PowerShell\\powershell.config.json")?;
    let value = jsonc::parse(&host.text(&file)?)?;
    let policy = value.get("Microsoft.PowerShell:ExecutionPolicy")?.as_str()?.to_owned();
    Some(ExecutionPolicy { policy, source: file.to_text().into_owned(), scope: PolicyScope::Kept })
}
