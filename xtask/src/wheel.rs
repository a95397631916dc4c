//! libclang from its PyPI wheel, for a machine on which we may install nothing.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where such things are kept in the clone; git ignores it.
pub(crate) const FOLDER: &str = ".tools";

const VERSION: &str = "18.1.1";

/// The wheel of each platform, and the SHA-256 that PyPI gives for it. musl is not among them: a
/// build script for it is linked statically as a rule, and then cannot load libclang at all.
const WHEEL: Option<(&str, &str)> =
    if cfg!(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")) {
        Some((
            "libclang-18.1.1-py2.py3-none-manylinux2010_x86_64.whl",
            "c533091d8a3bbf7460a00cb6c1a71da93bffe148f172c7d03b1c31fbf8aa2a0b",
        ))
    } else if cfg!(all(target_os = "linux", target_env = "gnu", target_arch = "aarch64")) {
        Some((
            "libclang-18.1.1-py2.py3-none-manylinux2014_aarch64.whl",
            "54dda940a4a0491a9d1532bf071ea3ef26e6dbaf03b5000ed94dd7174e8f9592",
        ))
    } else {
        None
    };

const SCRIPT: &str = include_str!("fetch_wheel.py");

/// The folder of the unpacked libclang, relative to the clone.
pub(crate) fn folder() -> String {
    format!("{FOLDER}/libclang/{VERSION}")
}

/// Whether an earlier set-up has unpacked it.
pub(crate) fn is_there(root: &Path) -> bool {
    library(root).exists()
}

fn library(root: &Path) -> PathBuf {
    root.join(folder()).join("libclang.so")
}

/// Fetches and unpacks it. False, after saying why, if that does not work.
pub(crate) fn install(root: &Path) -> bool {
    if is_there(root) {
        return true;
    }
    let Some((wheel, sha256)) = WHEEL else {
        eprintln!("xtask: PyPI has no libclang for this platform");
        return false;
    };
    eprintln!("xtask: fetching libclang {VERSION} from PyPI into {FOLDER}/ (25 MB)");
    let status = Command::new("python3")
        .args(["-c", SCRIPT, VERSION, wheel, sha256])
        .arg(library(root))
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status();
    match status {
        Ok(status) => status.success() && is_there(root),
        Err(error) => {
            eprintln!("xtask: python3 did not start: {error}");
            false
        }
    }
}
