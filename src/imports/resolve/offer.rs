//! What each entry of the path offers, and what it hides of the later ones.

use std::collections::{BTreeSet, HashSet};

use super::{Resolver, joined};
use crate::host::FileKind;

/// One entry's modules and distributions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// Topmost modules and packages with an `__init__`.
    pub modules: BTreeSet<String>,
    pub distributions: usize,
}

/// An entry beside the later ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offered {
    pub modules: usize,
    pub distributions: usize,
    /// Modules that a later entry offers, too, and that are taken from here.
    pub hides: Vec<String>,
}

impl Resolver<'_> {
    /// Of every entry, in order.
    pub fn offered(&self) -> Vec<Offered> {
        let offers: Vec<Offer> = self.entries.iter().map(|entry| self.offer(&entry.path)).collect();
        let mut taken: HashSet<&str> = HashSet::new();
        let mut result = Vec::with_capacity(offers.len());
        for (index, offer) in offers.iter().enumerate() {
            let later: HashSet<&str> =
                offers[index + 1..].iter().flat_map(|later| later.modules.iter().map(String::as_str)).collect();
            let own = offer.modules.iter().map(String::as_str).filter(|name| !taken.contains(name));
            let hides = own.filter(|name| later.contains(name)).map(str::to_owned).collect();
            result.push(Offered {
                modules: offer.modules.len(),
                distributions: offer.distributions,
                hides,
            });
            taken.extend(offer.modules.iter().map(String::as_str));
        }
        result
    }

    fn offer(&self, entry: &[u8]) -> Offer {
        let path = self.finder_path(entry);
        let mut offer = Offer::default();
        if !self.place.is_directory(&path) {
            if let Some((archive, inside)) = self.archive_of(&path)
                && inside.is_empty()
            {
                offer.modules.extend(archive.modules());
            }
            return offer;
        }
        let directory = self.directory(&path);
        for entry in &directory.entries {
            let Ok(name) = std::str::from_utf8(&entry.name) else { continue };
            if name.ends_with(".dist-info") || name.ends_with(".egg-info") {
                offer.distributions += 1;
                continue;
            }
            let module = match entry.kind {
                FileKind::File | FileKind::Link if name.contains('.') => self.suffixes.iter().find_map(|(suffix, _)| {
                    let module = name.strip_suffix(suffix.as_str())?;
                    is_identifier(module).then_some(module)
                }),
                FileKind::Directory | FileKind::Link if is_identifier(name) => {
                    let base = joined(&self.place, &path, name.as_bytes());
                    let is_package = self.suffixes.iter().rev().any(|(suffix, _)| {
                        self.place.is_file(&joined(&self.place, &base, format!("__init__{suffix}").as_bytes()))
                    });
                    is_package.then_some(name)
                }
                _ => None,
            };
            if let Some(module) = module.filter(|module| !matches!(*module, "__init__" | "__main__")) {
                offer.modules.insert(module.to_owned());
            }
        }
        offer
    }
}

fn is_identifier(name: &str) -> bool {
    name != "__pycache__"
        && name.chars().next().is_some_and(|first| first == '_' || first.is_alphabetic())
        && name.chars().all(|letter| letter == '_' || letter.is_alphanumeric())
}
