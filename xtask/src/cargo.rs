//! Running cargo from a program that cargo runs.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::failure::Failure;

/// Builds the programs with the features that clippy and the tests see.
///
/// Naming examples, of which there are none, is what makes cargo unify the features that
/// dev-dependencies ask for into this build as it does for `cargo test`. Without it a few crates,
/// and all that depend on them, would be compiled a second time.
pub(crate) const BUILD: &[&str] = &["build", "--workspace", "--bins", "--examples"];

/// The cargo that runs us, without what `cargo run` tells about this package: build scripts that
/// watch such a variable would run again at each change between `cargo build` and `cargo xtask`.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let describes_us = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if describes_us {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command to its end, on our terminal.
pub(crate) fn run(what: &str, command: &mut Command) -> Result<(), Failure> {
    let status = command
        .status()
        .map_err(|error| Failure::new(format!("xtask: {what} did not start: {error}")))?;
    if status.success() { Ok(()) } else { Err(Failure::ended(what, status)) }
}

/// The folder of the workspace.
///
/// Asked at run time first: a target folder that several clones share may hold an xtask that
/// another clone compiled.
pub(crate) fn workspace() -> PathBuf {
    let xtask = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    xtask.parent().map_or(xtask.clone(), PathBuf::from)
}

/// The folder where cargo puts the programs it builds, which is where it put this one: whatever
/// set the target folder for `cargo xtask` also sets it for the cargo that we run.
pub(crate) fn programs() -> Result<PathBuf, Failure> {
    env::current_exe()
        .ok()
        .and_then(|program| Some(program.parent()?.to_path_buf()))
        .ok_or_else(|| Failure::new("xtask: cannot find the folder this program is in"))
}

/// Says beforehand that the next build is a long one, if it is.
pub(crate) fn announce_rocksdb() -> Result<(), Failure> {
    let built = std::fs::read_dir(programs()?.join("build")).is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            entry.file_name().to_string_lossy().starts_with("librocksdb-sys-")
                && entry.path().join("out/librocksdb.a").exists()
        })
    });
    if !built {
        eprintln!(
            "xtask: RocksDB is compiled first, once for this target folder: 20 to 40 processor-\
             minutes, shared by all cores"
        );
    }
    Ok(())
}
