//! `hearsay NAME …` runs `hearsay-NAME …`, as git and cargo do.

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::CommandFactory;

use super::Cli;
use super::failure::Failure;
use crate::config::nearest;

/// Becomes the other program, so that signals and its exit code pass unchanged. Returns only if it
/// cannot.
pub(super) fn execute(words: Vec<OsString>) -> Result<(), Failure> {
    let mut words = words.into_iter();
    let name = words.next().unwrap_or_default();
    let beside = std::env::current_exe().ok().and_then(|own| own.parent().map(Path::to_owned));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = beside.into_iter().chain(std::env::split_paths(&path));
    let program = find(&name.to_string_lossy(), places)?;
    match replace_with(&program, words) {
        Err(error) => Err(Failure::Failed(format!("cannot run {}: {error}", program.display()))),
    }
}

fn replace_with(
    program: &Path,
    words: impl Iterator<Item = OsString>,
) -> Result<Infallible, std::io::Error> {
    Err(Command::new(program).args(words).exec())
}

/// The program `hearsay-NAME` in the first of `places` that has it.
fn find(name: &str, places: impl Iterator<Item = PathBuf>) -> Result<PathBuf, Failure> {
    // A name with a `/` would lead out of the places that are searched.
    let found = (!name.contains('/'))
        .then(|| places.map(|place| place.join(format!("hearsay-{name}"))))
        .and_then(|mut files| files.find(|file| file.is_file()));
    found.ok_or_else(|| {
        let command = Cli::command();
        let known = command.get_subcommands().map(clap::Command::get_name).chain(["testnet"]);
        let nearest = nearest(name, known).filter(|nearest| *nearest != name);
        Failure::Usage(match nearest {
            Some(nearest) => format!("there is no command `{name}`; did you mean `{nearest}`?"),
            None => format!(
                "there is no command `{name}`, and no program hearsay-{name} beside hearsay or on \
                 the PATH; `hearsay --help` lists the commands"
            ),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_place_that_has_the_program_wins() {
        let home = tempfile::tempdir().unwrap();
        let places = ["a", "b", "c"].map(|place| home.path().join(place));
        for place in &places {
            std::fs::create_dir(place).unwrap();
        }
        for place in &places[1..] {
            std::fs::write(place.join("hearsay-testnet"), "").unwrap();
        }
        let found = find("testnet", places.clone().into_iter()).unwrap();
        assert_eq!(found, places[1].join("hearsay-testnet"));
    }

    #[test]
    fn a_command_that_does_not_exist_is_wrong_usage() {
        let says = |name| {
            let failure = find(name, std::iter::empty()).unwrap_err();
            assert_eq!(failure.exit_code(), 2);
            failure.to_string()
        };
        assert!(says("statsu").contains("did you mean `status`?"));
        assert!(says("testnet").contains("no program hearsay-testnet"));
        assert!(says("a/../b").contains("there is no command"));
    }

    #[test]
    fn the_other_program_takes_this_one_s_place() {
        // What comes back is the reason why it could not.
        let failed = replace_with(Path::new("/nonexistent/hearsay-x"), std::iter::empty());
        assert_eq!(failed.unwrap_err().kind(), std::io::ErrorKind::NotFound);
    }
}
