//! Files of the environment that this user may not read or change.

use crate::collect::environment::version_in_name;
use crate::facts::import_setup::{LockedFile, LockedFiles};
use crate::host::{FileKind, Host};
use crate::path::{Flavour, HostPath, readable};

/// So many are named.
const NAMED: usize = 20;

/// Looks at `site-packages`, its entries and the script directory of the patient. Nobody is locked out as root, and
/// Windows' permissions are not read.
pub fn locked(host: &dyn Host, patient: Option<&HostPath>) -> Vec<LockedFiles> {
    let Some(root) = patient else { return Vec::new() };
    if host.user().effective_id == 0 || host.platform().flavour() != Flavour::Posix {
        return Vec::new();
    }
    let mut found = LockedFiles {
        environment: root.clone(),
        unreadable: Vec::new(),
        unreadable_count: 0,
        unwritable: Vec::new(),
        unwritable_count: 0,
    };
    let library = root.join("lib");
    let mut places = vec![root.join("bin")];
    for entry in host.list(&library).map(|listing| listing.entries).unwrap_or_default() {
        if version_in_name(&readable(&entry.name)).is_some() {
            let site_packages = library.join(&entry.name).join("site-packages");
            let entries = host.list(&site_packages).map(|listing| listing.entries).unwrap_or_default();
            let wanted = entries.iter().filter(|it| it.kind != FileKind::Link && it.name != b"__pycache__");
            places.extend(wanted.map(|it| site_packages.join(&it.name)));
            places.push(site_packages);
        }
    }
    for place in places {
        look_at(host, place, &mut found);
    }
    match found.unreadable_count + found.unwritable_count {
        0 => Vec::new(),
        _ => vec![found],
    }
}

fn look_at(host: &dyn Host, path: HostPath, found: &mut LockedFiles) {
    let Ok(metadata) = host.metadata(&path) else { return };
    let directory = metadata.kind == FileKind::Directory;
    if !directory && metadata.kind != FileKind::File {
        return;
    }
    let needed = if directory { 0o700 } else { 0o600 };
    // the usual case needs no further question to the kernel
    if metadata.owner == host.user().effective_id && metadata.mode & needed == needed {
        return;
    }
    let readable = host.can_read(&path) && (!directory || host.can_execute(&path));
    let writable = host.can_write(&path);
    let file = LockedFile { owner: metadata.owner, group: metadata.group, mode: metadata.mode & 0o777, path };
    if !readable {
        found.unreadable_count += 1;
        if found.unreadable.len() < NAMED {
            found.unreadable.push(file);
        }
    } else if !writable {
        found.unwritable_count += 1;
        if found.unwritable.len() < NAMED {
            found.unwritable.push(file);
        }
    }
}
