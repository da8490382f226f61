//! Whether it matters which imports of what runs at a start fail.

use crate::facts::distribution::Packages;
use crate::facts::import_setup::ImportSetup;
use crate::imports::stdlib;
use crate::parse::python_source;

/// Whether anything that runs at a start imports more than the standard library and what its creator put there.
pub fn asks_for_packages(import_setup: &ImportSetup, packages: &[Packages]) -> bool {
    let usual =
        |module: &str| stdlib::knows(module) || module.starts_with("__editable__") || module == "_virtualenv";
    let of_hooks = import_setup.hooks.iter().flat_map(|hook| &hook.imports).any(|(_, module)| !usual(module));
    of_hooks
        || packages
            .iter()
            .flat_map(|packages| &packages.sites)
            .flat_map(|site| &site.pth_files)
            .flat_map(|file| &file.imports)
            .flat_map(|line| python_source::imported_modules(&line.text))
            .any(|(_, module)| !usual(&module))
}
