//! Key files: Ed25519 private keys as PKCS#8 PEM, the format of
//! `openssl genpkey -algorithm ed25519`.
//!
//! A key file is readable by its owner alone, from its first instant on: it is written under
//! another name with mode 0600, and takes its own name only when it is complete. One that others
//! may read is refused, and none is replaced unless asked.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use hearsay_chain::Keypair;
use rand::TryRng;
use rand::rngs::SysRng;
use thiserror::Error;
use zeroize::Zeroizing;

/// Where Hearsay keeps what belongs to its user, below the home directory.
const DEFAULT_HOME: &str = ".hearsay";

/// A PEM of one key has about 120 bytes; anything over this is no key, and is not read to the end.
const MAX_PEM_BYTES: u64 = 64 * 1024;

/// The longest name of a key: with `.pem` it fits every file system.
const MAX_NAME_BYTES: usize = 64;

/// Why a key could not be read or written. Never holds key material.
#[derive(Debug, Error)]
pub enum KeyFileError {
    /// There is no such file.
    #[error("there is no key file {}; make one with `hearsay key new`", .0.display())]
    Missing(PathBuf),
    /// A file of this name exists already.
    #[error("{} exists already; --force replaces it, and the key in it is then lost", .0.display())]
    Exists(PathBuf),
    /// Others may read or write the file.
    #[error(
        "{} can be read or written by others (mode {mode:04o}); run `chmod 600 {}`",
        .path.display(), .path.display()
    )]
    Loose {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key in it is encrypted with a passphrase.
    #[error(
        "the key in {} is encrypted with a passphrase, which Hearsay cannot read; write a plain \
         one with `openssl pkey -in {} -out PLAIN.pem`",
        .0.display(), .0.display()
    )]
    Encrypted(PathBuf),
    /// It holds something else.
    #[error("{}: {reason}", .path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A name that no key may have.
    #[error(
        "{0:?} cannot be the name of a key; a name has 1 to {MAX_NAME_BYTES} letters, digits, `-` \
         and `_`, and begins with neither `-` nor `hs1`"
    )]
    Name(String),
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The operating system gives no entropy.
    #[error("the operating system gives no random numbers: {0}")]
    Entropy(String),
    /// There is no home directory to keep keys in.
    #[error("there is no home directory; set HEARSAY_HOME to the directory that is to hold keys")]
    NoHome,
}

impl KeyFileError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// The directory of everything that belongs to the user: `chosen`, which the caller took from
/// `HEARSAY_HOME` or a flag, else `~/.hearsay`.
///
/// # Errors
/// [`KeyFileError::NoHome`].
pub fn home(chosen: Option<&Path>) -> Result<PathBuf, KeyFileError> {
    chosen
        .map(Path::to_owned)
        .or_else(|| std::env::home_dir().map(|home| home.join(DEFAULT_HOME)))
        .filter(|home| !home.as_os_str().is_empty())
        .ok_or(KeyFileError::NoHome)
}

/// The directory of named keys below [`home`].
#[must_use]
pub fn directory(home: &Path) -> PathBuf {
    home.join("keys")
}

/// The file that `key` means: a text with a `/` or ending in `.pem` is a path, anything else a name
/// in `directory`.
///
/// # Errors
/// [`KeyFileError::Name`].
pub fn locate(directory: &Path, key: &str) -> Result<PathBuf, KeyFileError> {
    if key.contains('/') || key.ends_with(".pem") {
        return Ok(PathBuf::from(key));
    }
    // `hs1` begins an address, and commands take either.
    let fits = (1..=MAX_NAME_BYTES).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        && !key.starts_with('-')
        && !key.starts_with("hs1");
    if !fits {
        return Err(KeyFileError::Name(key.chars().take(MAX_NAME_BYTES + 1).collect()));
    }
    Ok(directory.join(format!("{key}.pem")))
}

/// A key that nobody had before, from the operating system's entropy.
///
/// # Errors
/// [`KeyFileError::Entropy`].
pub fn generate() -> Result<Keypair, KeyFileError> {
    let mut seed = Zeroizing::new([0; 32]);
    SysRng
        .try_fill_bytes(seed.as_mut())
        .map_err(|error| KeyFileError::Entropy(error.to_string()))?;
    Ok(Keypair::from_seed(&seed))
}

/// Reads a key.
///
/// # Errors
/// A file that is missing, open to others, encrypted or no Ed25519 key.
pub fn load(path: &Path) -> Result<Keypair, KeyFileError> {
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => KeyFileError::Missing(path.to_owned()),
        _ => KeyFileError::io("open", path)(error),
    })?;
    // Asked of the open file, not of its path, so that both are the same file.
    let mode = file.metadata().map_err(KeyFileError::io("examine", path))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Loose { path: path.to_owned(), mode: mode & 0o7777 });
    }
    let format =
        |reason: &str| KeyFileError::Format { path: path.to_owned(), reason: reason.to_owned() };
    let mut pem = Zeroizing::new(String::new());
    file.take(MAX_PEM_BYTES).read_to_string(&mut pem).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => format("not a PEM file, as it is not text"),
        _ => KeyFileError::io("read", path)(error),
    })?;
    if pem.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") {
        return Err(KeyFileError::Encrypted(path.to_owned()));
    }
    if pem.contains("-----BEGIN PUBLIC KEY-----") {
        return Err(format("it holds a public key alone; the private key is in another file"));
    }
    Keypair::from_pem(&pem).map_err(|error| format(&error.to_string()))
}

/// Writes a key, and makes the directories above it, for the owner alone, where they are missing.
///
/// # Errors
/// [`KeyFileError::Exists`] unless `replace`; an operating system that refuses.
pub fn save(path: &Path, key: &Keypair, replace: bool) -> Result<(), KeyFileError> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(KeyFileError::io("make the directory", directory))?;
    // A new temporary file has mode 0600 from the start, and is removed unless it is persisted.
    let mut file = tempfile::Builder::new()
        .prefix(".key-")
        .tempfile_in(directory)
        .map_err(KeyFileError::io("write into", directory))?;
    file.write_all(key.to_pem().as_bytes())
        .and_then(|()| file.as_file().sync_all())
        .map_err(KeyFileError::io("write", path))?;
    let persisted = if replace { file.persist(path) } else { file.persist_noclobber(path) };
    persisted.map_err(|failed| match failed.error.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::Exists(path.to_owned()),
        _ => KeyFileError::io("write", path)(failed.error),
    })?;
    // Without this a crash could forget the name of a key that the user has seen already.
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(KeyFileError::io("write into", directory))
}

/// The names of the keys in a directory, sorted. A directory that does not exist holds none.
///
/// # Errors
/// An operating system that refuses.
pub fn list(directory: &Path) -> Result<Vec<String>, KeyFileError> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(KeyFileError::io("list", directory))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(KeyFileError::io("list", directory))?.file_name();
        let name = name.to_str().and_then(|name| name.strip_suffix(".pem"));
        // What `locate` would not find under this name is not offered either.
        names.extend(name.filter(|name| locate(directory, name).is_ok()).map(str::to_owned));
    }
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests;
