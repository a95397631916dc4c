//! `cargo xtask setup`: what the machine needs before RocksDB can be built.
//!
//! RocksDB needs a C++ compiler, and the generator of its Rust bindings loads libclang. A libclang
//! that is there already is used; otherwise apt installs one where we may run it, and where not,
//! the wheel that PyPI has of it is unpacked into the clone.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::apt;
use crate::cargo;
use crate::failure::Failure;
use crate::libclang::{self, Libclang};
use crate::local_config;
use crate::wheel;

const BY_HAND: &str = "\
xtask: libclang is missing (RocksDB's bindings need it) and could not be installed for you.
On Debian or Ubuntu, type:
    sudo apt-get update
    sudo apt-get install libclang-dev
Elsewhere, install clang's library (Fedora: clang-devel, Arch: clang, Alpine: clang-dev), or set
LIBCLANG_PATH to the folder of a libclang.so.";

/// Does what is missing; costs milliseconds where nothing is.
pub(crate) fn run() -> Result<(), Failure> {
    if !cfg!(target_os = "linux") {
        // Xcode and LLVM's installer bring a libclang where bindgen looks for it.
        return Ok(());
    }
    let root = cargo::workspace();
    compiler()?;
    match libclang::find() {
        Some(found) => headers(&root, &found),
        None => install(&root),
    }
}

fn compiler() -> Result<(), Failure> {
    let program = env::var("CXX").unwrap_or_else(|_| "c++".into());
    // It may be a name with arguments, such as `ccache g++`.
    let name = program.split_whitespace().next().unwrap_or("c++");
    if runs(name) || (apt::install("g++") && runs(name)) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "xtask: there is no C++ compiler `{name}`, and RocksDB is written in C++: install gcc and \
         g++ (Debian and Ubuntu: sudo apt-get install build-essential)"
    )))
}

fn runs(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn install(root: &Path) -> Result<(), Failure> {
    match env::var_os("LIBCLANG_PATH").map(std::path::PathBuf::from) {
        // Ours, and somebody has removed it.
        Some(path) if path.starts_with(root.join(wheel::FOLDER)) => {}
        Some(path) => {
            return Err(Failure::new(format!(
                "xtask: LIBCLANG_PATH is {}, where there is no libclang, and bindgen looks nowhere \
                 else while it is set: correct it, or unset it",
                path.display()
            )));
        }
        // Ours too, but cargo's local configuration of it is gone.
        None if wheel::is_there(root) => {}
        None => {
            if apt::install("libclang-dev")
                && let Some(found) = libclang::find()
            {
                return headers(root, &found);
            }
        }
    }
    if !wheel::install(root) {
        return Err(Failure::new(BY_HAND));
    }
    local_config::write(root, Some(&wheel::folder()), gcc_headers().as_deref())
}

/// A libclang without clang's own `stddef.h` and such, as the package of the bare library is, can
/// read gcc's.
fn headers(root: &Path, found: &Libclang) -> Result<(), Failure> {
    let configured = env::var_os("BINDGEN_EXTRA_CLANG_ARGS").is_some();
    if configured || libclang::has_headers(found) || local_config::exists(root) {
        return Ok(());
    }
    match gcc_headers() {
        Some(include) => local_config::write(root, None, Some(&include)),
        None => Ok(()),
    }
}

/// Where the C compiler keeps its `stddef.h`.
fn gcc_headers() -> Option<String> {
    let output = Command::new("cc").arg("-print-file-name=include").output().ok()?;
    let include = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    Path::new(&include).join("stddef.h").exists().then_some(include)
}
