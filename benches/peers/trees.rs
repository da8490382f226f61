//! Trees with many small environments in them, as a machine of many projects has them.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::environments::{Cache, Project, fill, once, run};

/// Files in one directory of a project.
const FILES: usize = 24;

/// What a tree holds.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub environments: usize,
    /// Directory entries of all kinds, those of the environments with them.
    pub entries: usize,
}

impl Cache {
    /// Projects, each with an environment of one distribution, and sources in directories until there are as many
    /// entries as were asked for. None: no Python here makes a venv.
    pub fn tree(&self, plan: Plan) -> Option<Project> {
        let Plan { environments, entries } = plan;
        let directory = self.directory(&format!("tree-{environments}-{entries}"));
        let template = self.directory("template");
        let venv = template.join(".venv");
        let made = once(&template, "1", || {
            run(Command::new("python3").args(["-m", "venv", "--without-pip"]).arg(&venv))
                && fill(&venv, 1).is_some()
        });
        let made = made && once(&directory, "1", || grow(&directory, &venv, plan));
        let name = format!("{environments} environments in {entries} entries");
        made.then_some(Project { name, directory })
    }
}

fn grow(directory: &Path, template: &Path, plan: Plan) -> bool {
    let mut made = 0;
    for number in 0..plan.environments {
        // a hundred projects in a directory
        let project = directory.join(format!("group{}/project{number}", number / 100));
        fs::create_dir_all(&project).unwrap();
        made += usize::from(number % 100 == 0) + 2;
        made += copied(template, template, &project.join(".venv"));
    }
    let mut number = 0;
    while made < plan.entries {
        let parent = match plan.environments {
            0 => directory.join(format!("group{}", number / 100)),
            environments => {
                let project = number % environments;
                directory.join(format!("group{}/project{project}", project / 100))
            }
        };
        let sources = parent.join(format!("sources{number}"));
        fs::create_dir_all(&sources).unwrap();
        made += 1;
        for file in 0..FILES.min(plan.entries.saturating_sub(made)) {
            fs::write(sources.join(format!("module{file}.py")), "").unwrap();
            made += 1;
        }
        number += 1;
    }
    true
}

/// Copies an environment to where none is, as if it had been made there; answers how many entries it has.
fn copied(template: &Path, from: &Path, to: &Path) -> usize {
    fs::create_dir(to).unwrap();
    let mut count = 0;
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().unwrap();
        count += 1;
        if kind.is_dir() {
            count += copied(template, &source, &target);
        } else if kind.is_symlink() {
            symlink(fs::read_link(&source).unwrap(), target).unwrap();
        } else {
            let text = fs::read_to_string(&source).unwrap();
            let root: PathBuf = root_above(&target).to_path_buf();
            let text = text.replace(&template.display().to_string(), &root.display().to_string());
            fs::write(&target, text).unwrap();
            let mode = fs::metadata(&source).unwrap().permissions().mode();
            fs::set_permissions(&target, fs::Permissions::from_mode(mode)).unwrap();
        }
    }
    count
}

fn root_above(path: &Path) -> &Path {
    path.ancestors().find(|above| above.ends_with(".venv")).unwrap_or(path)
}
