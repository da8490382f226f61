//! What the whole machine is for the doctor: a container, a CI run, the Windows Subsystem for Linux.

use crate::facts::platform::{Surroundings, System};
use crate::host::Host;
use crate::path::HostPath;

/// Variables of CI services, most telling first; each documents its own.
const CI: &[&str] = &[
    "GITHUB_ACTIONS",
    "GITLAB_CI",
    "TF_BUILD",
    "JENKINS_URL",
    "CIRCLECI",
    "BUILDKITE",
    "TRAVIS",
    "APPVEYOR",
    "TEAMCITY_VERSION",
    "BITBUCKET_BUILD_NUMBER",
    "CODEBUILD_BUILD_ID",
    "DRONE",
    "GITEA_ACTIONS",
    "CONTINUOUS_INTEGRATION",
    "CI",
];

/// A container, a CI run, the Windows Subsystem for Linux.
pub fn surroundings(host: &dyn Host) -> Surroundings {
    let set = |name: &str| host.text_variable(name);
    let ci = CI.iter().find_map(|name| {
        let value = set(name)?;
        // `CI=false` is how a user says that it is none
        (!matches!(value.to_ascii_lowercase().as_str(), "false" | "0" | "no"))
            .then(|| format!("{name} is set"))
    });
    let linux = host.platform().system == System::Linux;
    let release = host.platform().release.as_deref().unwrap_or_default().to_ascii_lowercase();
    let wsl = linux && (set("WSL_DISTRO_NAME").is_some() || release.contains("microsoft"));
    Surroundings { container: container(host), ci, wsl, emulated: emulated(host) }
}

/// Processors for which qemu is registered with the kernel: `/proc/sys/fs/binfmt_misc/qemu-aarch64`.
fn emulated(host: &dyn Host) -> Vec<String> {
    if host.platform().system != System::Linux {
        return Vec::new();
    }
    let listing = host.list(&HostPath::posix("/proc/sys/fs/binfmt_misc")).unwrap_or_default();
    let names = listing.entries.iter().filter_map(|entry| std::str::from_utf8(&entry.name).ok());
    names
        .filter_map(|name| name.strip_prefix("qemu-"))
        .map(|processor| match processor {
            "i386" => "x86",
            "ppc64le" | "ppc64" => "powerpc64",
            other => other,
        })
        .map(str::to_owned)
        .collect()
}

fn container(host: &dyn Host) -> Option<String> {
    if host.platform().system != System::Linux {
        return None;
    }
    for file in ["/.dockerenv", "/run/.containerenv"] {
        if host.exists(&HostPath::posix(file)) {
            return Some(format!("{file} exists"));
        }
    }
    // systemd(1): set by podman, LXC and systemd-nspawn
    if let Some(value) = host.text_variable("container") {
        return Some(format!("container={value}"));
    }
    if host.text_variable("KUBERNETES_SERVICE_HOST").is_some() {
        return Some("KUBERNETES_SERVICE_HOST is set".to_owned());
    }
    let groups = host.read(&HostPath::posix("/proc/1/cgroup"), 16 * 1024).ok()?;
    let text = groups.text();
    ["docker", "kubepods", "containerd", "libpod", "lxc"]
        .iter()
        .find(|name| text.contains(*name))
        .map(|name| format!("/proc/1/cgroup names {name}"))
}
