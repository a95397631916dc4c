//! Where the node's program is.

use std::env;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The name of the node's program.
const NODE: &str = "hearsay";

/// The node's program was not found.
#[derive(Debug, Error)]
pub enum ProgramError {
    /// It is not beside this program.
    #[error(
        "there is no program `{NODE}` in {}, where this one is; build it with `cargo build`",
        .0.display()
    )]
    Missing(PathBuf),
    /// The system does not tell where this program is.
    #[error("cannot find the folder that this program is in: {0}")]
    Unknown(std::io::Error),
}

/// The `hearsay` that was built along with this program: in its folder, or in the one above, where
/// cargo puts programs when this one is a test.
///
/// # Errors
/// It is in neither.
pub fn node_program() -> Result<PathBuf, ProgramError> {
    let this = env::current_exe().map_err(ProgramError::Unknown)?;
    let folder = this.parent().unwrap_or(Path::new("."));
    find(folder).ok_or_else(|| ProgramError::Missing(folder.to_owned()))
}

fn find(folder: &Path) -> Option<PathBuf> {
    let above = folder.parent().filter(|_| folder.ends_with("deps"));
    let programs = [Some(folder), above].into_iter().flatten().map(|folder| folder.join(NODE));
    programs.into_iter().find(|program| program.is_file())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_program_is_found_beside_this_one_or_above_a_test() {
        let home = tempfile::tempdir().unwrap();
        let deps = home.path().join("deps");
        fs::create_dir(&deps).unwrap();
        assert_eq!(find(&deps), None);
        let program = home.path().join(NODE);
        fs::write(&program, "").unwrap();
        assert_eq!(find(&deps), Some(program.clone()));
        assert_eq!(find(home.path()), Some(program));
    }
}
