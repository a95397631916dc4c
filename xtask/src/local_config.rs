//! `.cargo/local.toml`, which git ignores and `.cargo/config.toml` includes if it is there: what
//! cargo has to tell RocksDB's build script on this machine, also for a bare `cargo build`.

use std::fs;
use std::path::Path;

use crate::failure::Failure;

const FILE: &str = ".cargo/local.toml";
const MARK: &str =
    "# Written by `cargo xtask setup`; remove it and run that again to start over.\n";

pub(crate) fn exists(root: &Path) -> bool {
    root.join(FILE).exists()
}

/// Writes where libclang is (in the clone) and where the headers are that it does without.
pub(crate) fn write(
    root: &Path,
    libclang: Option<&str>,
    headers: Option<&str>,
) -> Result<(), Failure> {
    let path = root.join(FILE);
    let text = text(libclang, headers);
    match fs::read_to_string(&path) {
        Ok(old) if !old.starts_with(MARK) => {
            return Err(Failure::new(format!(
                "xtask: {} is yours and is left alone; add to it:\n\n{}",
                path.display(),
                text.trim_start_matches(MARK)
            )));
        }
        _ => {}
    }
    fs::write(&path, text).map_err(|error| {
        Failure::new(format!("xtask: cannot write {}: {error}", path.display()))
    })?;
    eprintln!("xtask: wrote {}", path.display());
    Ok(())
}

fn text(libclang: Option<&str>, headers: Option<&str>) -> String {
    let mut text = format!("{MARK}[env]\n");
    if let Some(folder) = libclang {
        // Relative to the clone, so that it can be moved.
        text += &format!("LIBCLANG_PATH = {{ value = {folder:?}, relative = true }}\n");
    }
    if let Some(include) = headers {
        text += &format!("BINDGEN_EXTRA_CLANG_ARGS = {:?}\n", format!("-I{include}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wheel_needs_both_its_folder_and_headers() {
        assert_eq!(
            text(Some(".tools/libclang"), Some("/lib/gcc/12/include")),
            format!(
                "{MARK}[env]\n\
                 LIBCLANG_PATH = {{ value = \".tools/libclang\", relative = true }}\n\
                 BINDGEN_EXTRA_CLANG_ARGS = \"-I/lib/gcc/12/include\"\n"
            )
        );
    }

    #[test]
    fn a_library_without_headers_needs_only_those() {
        assert!(!text(None, Some("/include")).contains("LIBCLANG_PATH"));
    }
}
