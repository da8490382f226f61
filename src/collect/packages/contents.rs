//! Recorded files, read whole and hashed beside what their installer recorded (PEP 376 and the wheel format: SHA-256
//! or better, in URL-safe Base64 without padding).

use sha2::{Digest, Sha256, Sha384, Sha512};

use super::RECORD_LIMIT;
use super::recorded::{is_aside, is_cache, is_module};
use crate::facts::contents::{AlteredFile, Change, Contents, Differing};
use crate::facts::distribution::*;
use crate::facts::environment::Environment;
use crate::host::{FileError, Files};
use crate::parallel;
use crate::parse::digest::urlsafe_base64;
use crate::parse::record::{self, Entry};
use crate::path::HostPath;

/// So much of a file is held at once; files up to this size are read once.
const PIECE: usize = 1 << 20;
/// So many files are hashed, and no more.
const MOST_FILES: usize = 2_000_000;
/// Larger files are left out.
const LARGEST: u64 = 16 << 30;
/// So many files of a distribution are named.
const MOST_NAMED: usize = 100;
const MOST_THREADS: usize = 8;

/// A recorded file with its hash.
struct Claim {
    path: HostPath,
    /// Index of the distribution that recorded it.
    owner: usize,
    algorithm: Algorithm,
    digest: String,
    /// Whether its absence is told here.
    wanted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Sha256,
    Sha384,
    Sha512,
}

/// What is true of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Same,
    Altered(Change),
    Missing,
    /// It could not be read.
    Unknown,
}

pub fn contents(files: &dyn Files, environment: &Environment, sites: &[SitePackages]) -> Contents {
    let examined: Vec<(&SitePackages, &Distribution)> = sites
        .iter()
        .filter(|site| matches!(site.kind, SiteKind::Own | SiteKind::User))
        .filter(|site| !is_kept_by_system(environment, &site.directory))
        .flat_map(|site| site.distributions.iter().map(move |distribution| (site, distribution)))
        .filter(|(_, distribution)| distribution.has_record)
        .filter(|(_, distribution)| !distribution.is_editable() && !distribution.is_distributors())
        .collect();
    let mut claims = Vec::new();
    for (owner, (site, distribution)) in examined.iter().enumerate() {
        claim_all(files, environment, site, distribution, owner, &mut claims);
    }
    claims.sort_by(|left, right| left.path.as_bytes().cmp(right.path.as_bytes()));
    let groups: Vec<&[Claim]> = claims.chunk_by(|left, right| left.path == right.path).collect();
    let verdicts = judge_all(files, &groups);

    let mut differing: Vec<Differing> = examined.iter().map(|(_, one)| untouched(one)).collect();
    for (group, verdict) in groups.iter().zip(&verdicts) {
        for claim in *group {
            if let Some(differing) = differing.get_mut(claim.owner) {
                note(differing, claim, *verdict);
            }
        }
    }
    differing.retain(|differing| differing.altered_count + differing.missing_count > 0);
    let hashed = |verdict: &&Verdict| matches!(verdict, Verdict::Same | Verdict::Altered(_));
    Contents { files: verdicts.iter().filter(hashed).count(), differing }
}

/// A distributor's own directory: what it strips, patches and signs there after the build is its business.
fn is_kept_by_system(environment: &Environment, directory: &HostPath) -> bool {
    let path = directory.to_text();
    let store = ["/nix/store/", "/gnu/store/"].iter().any(|store| path.starts_with(store));
    let of_system = path.starts_with("/usr/") && !path.starts_with("/usr/local/");
    store || path.contains("/Cellar/") || (!environment.is_venv() && of_system)
}

fn untouched(distribution: &Distribution) -> Differing {
    Differing {
        metadata: distribution.metadata.clone(),
        altered: Vec::new(),
        altered_count: 0,
        line_endings_count: 0,
        missing: Vec::new(),
        missing_count: 0,
    }
}

fn note(differing: &mut Differing, claim: &Claim, verdict: Verdict) {
    match verdict {
        Verdict::Altered(change) => {
            differing.altered_count += 1;
            differing.line_endings_count += usize::from(change == Change::LineEndings);
            if differing.altered.len() < MOST_NAMED {
                differing.altered.push(AlteredFile { path: claim.path.clone(), change });
            }
        }
        Verdict::Missing if claim.wanted => {
            differing.missing_count += 1;
            if differing.missing.len() < MOST_NAMED {
                differing.missing.push(claim.path.clone());
            }
        }
        Verdict::Missing | Verdict::Same | Verdict::Unknown => {}
    }
}

fn claim_all(
    files: &dyn Files,
    environment: &Environment,
    site: &SitePackages,
    distribution: &Distribution,
    owner: usize,
    claims: &mut Vec<Claim>,
) {
    let Ok(contents) = files.read(&distribution.metadata.join("RECORD"), RECORD_LIMIT) else { return };
    let metadata = distribution.metadata.file_name().unwrap_or_default();
    for entry in record::entries(&contents.bytes).take(MOST_FILES.saturating_sub(claims.len())) {
        if is_cache(&entry.path) || is_script(&entry.path) || is_bookkeeping(&entry.path, metadata) {
            continue;
        }
        let Some((algorithm, digest)) = digest(&entry) else { continue };
        let path = site.directory.join(&entry.path).normalized();
        if !path.is_within(&site.directory) && !environment.contains(&path) {
            continue;
        }
        let wanted = !is_module(&entry.path) && !is_aside(&entry.path);
        claims.push(Claim { path, owner, algorithm, digest, wanted });
    }
}

/// None where nothing is recorded, or nothing that is understood.
fn digest(entry: &Entry) -> Option<(Algorithm, String)> {
    let hash = entry.hash();
    let text = std::str::from_utf8(&hash).ok()?;
    let (name, digest) = text.split_once('=')?;
    let (algorithm, length) = match name.to_ascii_lowercase().as_str() {
        "sha256" => (Algorithm::Sha256, 43),
        "sha384" => (Algorithm::Sha384, 64),
        "sha512" => (Algorithm::Sha512, 86),
        _ => return None,
    };
    let digest = digest.trim().trim_end_matches('=');
    (digest.len() == length).then(|| (algorithm, digest.to_owned()))
}

/// A script's first line is rewritten when it is installed, and again when an environment is moved.
fn is_script(path: &[u8]) -> bool {
    let mut parts = path.rsplit(|byte| *byte == b'/').skip(1);
    path.starts_with(b"..") && matches!(parts.next(), Some(b"bin" | b"Scripts"))
}

/// What installers note down about the installation itself.
fn is_bookkeeping(path: &[u8], metadata: &[u8]) -> bool {
    path.strip_prefix(metadata).is_some_and(|rest| {
        matches!(rest, b"/RECORD" | b"/INSTALLER" | b"/REQUESTED" | b"/direct_url.json" | b"/uv_cache.json")
    })
}

/// In the order of the groups.
fn judge_all(files: &dyn Files, groups: &[&[Claim]]) -> Vec<Verdict> {
    parallel::each(groups, parallel::threads(MOST_THREADS), |_: &mut (), group| judge(files, group))
}

/// One file, and what each distribution that installed it recorded of it: the last to write it has its way.
fn judge(files: &dyn Files, claims: &[Claim]) -> Verdict {
    let Some(first) = claims.first() else { return Verdict::Unknown };
    let contents = match files.read(&first.path, PIECE) {
        Ok(contents) => contents,
        Err(FileError::Missing | FileError::NotADirectory) => return Verdict::Missing,
        Err(_) => return Verdict::Unknown,
    };
    let mut known: Vec<(Algorithm, String)> = Vec::new();
    for claim in claims {
        if !known.iter().any(|(algorithm, _)| *algorithm == claim.algorithm) {
            let digest = match contents.truncated() {
                true => digest_of_large(files, &first.path, claim.algorithm),
                false => Some(claim.algorithm.of(&contents.bytes)),
            };
            let Some(digest) = digest else { return Verdict::Unknown };
            known.push((claim.algorithm, digest));
        }
        if known.iter().any(|(algorithm, digest)| *algorithm == claim.algorithm && *digest == claim.digest) {
            return Verdict::Same;
        }
    }
    if is_certificate_bundle(&first.path, &contents.bytes) {
        return Verdict::Same;
    }
    let in_other_lines = |claim: &Claim| {
        other_line_endings(&contents.bytes).iter().any(|bytes| claim.algorithm.of(bytes) == claim.digest)
    };
    match !contents.truncated() && claims.iter().any(in_other_lines) {
        true => Verdict::Altered(Change::LineEndings),
        false => Verdict::Altered(Change::Content),
    }
}

impl Algorithm {
    fn of(self, bytes: &[u8]) -> String {
        match self {
            Algorithm::Sha256 => encoded(Sha256::digest(bytes)),
            Algorithm::Sha384 => encoded(Sha384::digest(bytes)),
            Algorithm::Sha512 => encoded(Sha512::digest(bytes)),
        }
    }
}

fn encoded(digest: impl AsRef<[u8]>) -> String {
    urlsafe_base64(digest.as_ref()).trim_end_matches('=').to_owned()
}

fn digest_of_large(files: &dyn Files, path: &HostPath, algorithm: Algorithm) -> Option<String> {
    match algorithm {
        Algorithm::Sha256 => in_pieces::<Sha256>(files, path),
        Algorithm::Sha384 => in_pieces::<Sha384>(files, path),
        Algorithm::Sha512 => in_pieces::<Sha512>(files, path),
    }
}

/// None when it cannot be read to its end.
fn in_pieces<D: Digest>(files: &dyn Files, path: &HostPath) -> Option<String> {
    let mut hasher = D::new();
    let mut offset = 0;
    loop {
        let piece = files.read_at(path, offset, PIECE).ok()?;
        if piece.size > LARGEST {
            return None;
        }
        if piece.bytes.is_empty() {
            return (offset == piece.size).then(|| encoded(hasher.finalize()));
        }
        offset += piece.bytes.len() as u64;
        hasher.update(&piece.bytes);
    }
}

/// An administrator adds a company's certificates to it, or links the system's bundle in its place.
fn is_certificate_bundle(path: &HostPath, bytes: &[u8]) -> bool {
    let name = path.name().to_ascii_lowercase();
    let named = [".pem", ".crt", ".cer"].iter().any(|suffix| name.ends_with(suffix))
        || ["cacert", "ca-bundle", "ca_bundle"].iter().any(|part| name.contains(part));
    named && crate::parse::find(bytes, b"-----BEGIN ").is_some()
}

/// The same text with LF for each CR LF, and with CR LF for each line end; nothing for what is no text.
fn other_line_endings(bytes: &[u8]) -> Vec<Vec<u8>> {
    if bytes.contains(&0) || !bytes.contains(&b'\n') {
        return Vec::new();
    }
    let mut short = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, more)) = rest.split_first() {
        if *first != b'\r' || more.first() != Some(&b'\n') {
            short.push(*first);
        }
        rest = more;
    }
    let long =
        short.iter().flat_map(|byte| if *byte == b'\n' { &b"\r\n"[..] } else { std::slice::from_ref(byte) });
    let long: Vec<u8> = long.copied().collect();
    vec![short, long]
}
