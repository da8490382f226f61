//! Folders that a cloud service keeps in step with other machines, and the debris of that.

use crate::facts::environment::SyncedFolder;
use crate::host::{FileKind, Files};
use crate::path::HostPath;

/// So many pieces of debris are named; more tell nothing new.
const DEBRIS: usize = 20;

/// So many directories of an environment are listed.
const DIRECTORIES: usize = 400;

/// The synced folder that an environment lies in, by the names above it, by Syncthing's mark, or by what
/// such services leave in it. `has_debris`: the top of its `site-packages` was seen to hold some.
pub fn synced_folder(path: &HostPath, files: &dyn Files, has_debris: bool) -> Option<SyncedFolder> {
    let real = files.canonical(path).unwrap_or_else(|_| path.clone());
    let service = by_name(path).or_else(|| by_name(&real)).or_else(|| marked(files, path)).map(str::to_owned);
    if service.is_none() && !has_debris {
        return None;
    }
    // in a folder of no known name only the top of site-packages is looked at: this is asked of every
    // environment, and listing all its packages would take longer than the rest of the diagnosis
    let debris = debris(files, path, if service.is_some() { 1 } else { 0 });
    let service = service.or_else(|| debris.first().map(|file| debris_service(&file.name()).to_owned()))?;
    Some(SyncedFolder { service, debris })
}

/// By the names that the services give to their folders. The environment's own name does not count.
fn by_name(path: &HostPath) -> Option<&'static str> {
    let parent = path.parent()?;
    let mut above = "";
    for component in parent.components() {
        let name = std::str::from_utf8(component).unwrap_or_default();
        // `Dropbox (Personal)`, `OneDrive - Contoso`, `OneDrive-Contoso` on macOS, `GoogleDrive-me@example.org`
        let named = |service: &str| {
            name.strip_prefix(service).is_some_and(|rest| {
                rest.is_empty() || rest.starts_with(" (") || rest.starts_with(" - ") || rest.starts_with('-')
            })
        };
        let service = match name {
            // ~/Library/Mobile Documents/com~apple~CloudDocs, %USERPROFILE%\iCloudDrive
            "Mobile Documents" if above == "Library" => Some("iCloud Drive"),
            "com~apple~CloudDocs" | "iCloudDrive" | "iCloud Drive" => Some("iCloud Drive"),
            "Google Drive" | "GoogleDrive" | "My Drive" | "Google Drive File Stream" => Some("Google Drive"),
            "Nextcloud" => Some("Nextcloud"),
            "ownCloud" => Some("ownCloud"),
            "Box" | "Box Sync" | "Box-Box" => Some("Box"),
            _ if named("Dropbox") => Some("Dropbox"),
            _ if named("OneDrive") => Some("OneDrive"),
            _ if above == "CloudStorage" && named("GoogleDrive") => Some("Google Drive"),
            _ => None,
        };
        if service.is_some() {
            return service;
        }
        above = name;
    }
    None
}

/// Syncthing puts `.stfolder`, and Dropbox `.dropbox.cache`, at the top of what they keep in step.
fn marked(files: &dyn Files, path: &HostPath) -> Option<&'static str> {
    path.ancestors().skip(1).find_map(|level| {
        let marks = [(".stfolder", "Syncthing"), (".dropbox.cache", "Dropbox")];
        marks.into_iter().find(|(name, _)| files.exists(&level.join(name))).map(|(_, service)| service)
    })
}

/// Placeholders and conflicted copies in the environment's root and script directory, and in its libraries
/// so many levels deep.
fn debris(files: &dyn Files, environment: &HostPath, levels: usize) -> Vec<HostPath> {
    let mut found = Vec::new();
    let mut listed = 0;
    let mut waiting = vec![
        (environment.clone(), 0),
        (environment.join("bin"), 0),
        (environment.join("Scripts"), 0),
        (environment.join("Lib").join("site-packages"), levels),
    ];
    let lib = environment.join("lib");
    for library in files.list(&lib).unwrap_or_default().entries {
        waiting.push((lib.join(&library.name).join("site-packages"), levels));
    }
    while let Some((directory, deeper)) = waiting.pop() {
        if listed == DIRECTORIES || found.len() >= DEBRIS {
            break;
        }
        let Ok(listing) = files.list(&directory) else { continue };
        listed += 1;
        for entry in &listing.entries {
            if is_debris(&entry.name) {
                found.push(directory.join(&entry.name));
            } else if deeper > 0 && entry.kind == FileKind::Directory {
                waiting.push((directory.join(&entry.name), deeper - 1));
            }
        }
    }
    found.sort();
    found.truncate(DEBRIS);
    found
}

/// Placeholders and conflicted copies, as the services name them.
pub fn is_debris(name: &[u8]) -> bool {
    if !name.iter().any(|byte| matches!(byte, b' ' | b'-')) && !name.starts_with(b".") {
        return false;
    }
    let holds = |needle: &[u8]| name.windows(needle.len()).any(|window| window == needle);
    (name.starts_with(b".") && name.ends_with(b".icloud"))
        || holds(b"conflicted copy")
        || holds(b".sync-conflict-")
}

/// Which service leaves debris of this name.
fn debris_service(name: &str) -> &'static str {
    if name.ends_with(".icloud") {
        "iCloud Drive"
    } else if name.contains(".sync-conflict-") {
        "Syncthing"
    } else {
        "a file synchronisation service"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::real::{RealFiles, from_std};

    fn service(path: &str) -> Option<&'static str> {
        by_name(&HostPath::posix(path))
    }

    #[test]
    fn knows_the_services_by_their_folders() {
        assert_eq!(service("/home/me/Dropbox/p/.venv"), Some("Dropbox"));
        assert_eq!(service("/home/me/Dropbox (Personal)/.venv"), Some("Dropbox"));
        assert_eq!(service("/Users/me/Library/CloudStorage/OneDrive-Contoso/p/.venv"), Some("OneDrive"));
        assert_eq!(
            service("/Users/me/Library/Mobile Documents/com~apple~CloudDocs/p/.venv"),
            Some("iCloud Drive")
        );
        assert_eq!(
            service("/Users/me/Library/CloudStorage/GoogleDrive-a@b.c/My Drive/.venv"),
            Some("Google Drive")
        );
        let windows =
            HostPath::new(crate::path::Flavour::Windows, "C:\\Users\\me\\OneDrive - Contoso\\p\\.venv");
        assert_eq!(windows.as_ref().and_then(by_name), Some("OneDrive"));
    }

    #[test]
    fn look_alikes_are_no_services() {
        for path in [
            "/home/me/dropbox-sdk/.venv",
            "/home/me/OneDriver/.venv",
            "/w/Boxes/.venv",
            "/w/Dropbox",
            "/w/CloudDocs.md/.venv",
        ] {
            assert_eq!(service(path), None, "{path}");
        }
    }

    #[test]
    fn finds_debris_and_marks() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().canonicalize().unwrap();
        let site = top.join("p/.venv/lib/python3.11/site-packages");
        std::fs::create_dir_all(site.join("pkg")).unwrap();
        let environment = from_std(&top.join("p/.venv")).unwrap();
        assert_eq!(synced_folder(&environment, &RealFiles, true), None);
        std::fs::write(site.join(".six.py.icloud"), "").unwrap();
        std::fs::write(site.join("pkg/a (me's conflicted copy 2025-01-01).py"), "").unwrap();
        std::fs::write(site.join("icloud.py"), "").unwrap();
        let found = synced_folder(&environment, &RealFiles, true).unwrap();
        assert_eq!(found.service, "iCloud Drive");
        assert_eq!(found.debris.len(), 1);
        std::fs::create_dir(top.join(".stfolder")).unwrap();
        let found = synced_folder(&environment, &RealFiles, true).unwrap();
        assert_eq!((found.service.as_str(), found.debris.len()), ("Syncthing", 2));
    }
}
