//! The folder of a run: choosing it, never writing over what is there, and finding the latest one.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use thiserror::Error;

use crate::manifest::MANIFEST;

/// Where runs are kept unless asked otherwise, below the current folder.
pub const RUNS: &str = "testnet-out";

/// The link in [`RUNS`] to the run that was started last.
const LATEST: &str = "latest";

/// Why a folder cannot be had.
#[derive(Debug, Error)]
pub enum OutDirError {
    /// It holds an earlier run.
    #[error(
        "{} holds the logs of an earlier testnet, which are kept; remove it or choose another --out",
        .0.display()
    )]
    EarlierRun(PathBuf),
    /// It holds something else.
    #[error("{} is not empty and holds no testnet; choose another --out", .0.display())]
    Foreign(PathBuf),
    /// It is a file.
    #[error("{} is not a folder; choose another --out", .0.display())]
    NoFolder(PathBuf),
    /// There is no run to look at.
    #[error("there is no testnet in {RUNS}/{LATEST}; name its folder")]
    NoLatest,
    /// The operating system refused.
    #[error("cannot use {}: {source}", .path.display())]
    Io {
        /// The folder or link.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

impl OutDirError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::Io { path, source }
    }
}

/// Makes the folder of a new run: `chosen`, which must be new or empty, or else one in [`RUNS`]
/// that is named after the time and that `testnet-out/latest` then leads to.
///
/// # Errors
/// The folder holds something, or cannot be made.
pub fn prepare(chosen: Option<&Path>, now: Timestamp) -> Result<PathBuf, OutDirError> {
    match chosen {
        Some(dir) => claim(dir).map(|()| dir.to_owned()),
        None => by_time(Path::new(RUNS), now),
    }
}

fn claim(dir: &Path) -> Result<(), OutDirError> {
    match fs::read_dir(dir) {
        Ok(mut entries) => {
            if dir.join(MANIFEST).exists() {
                Err(OutDirError::EarlierRun(dir.to_owned()))
            } else if entries.next().is_some() {
                Err(OutDirError::Foreign(dir.to_owned()))
            } else {
                Ok(())
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(dir).map_err(OutDirError::io(dir))
        }
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            Err(OutDirError::NoFolder(dir.to_owned()))
        }
        Err(error) => Err(OutDirError::io(dir)(error)),
    }
}

fn by_time(runs: &Path, now: Timestamp) -> Result<PathBuf, OutDirError> {
    fs::create_dir_all(runs).map_err(OutDirError::io(runs))?;
    let stamp = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    // Two runs may begin in one second; `create_dir` lets only one of them have a name.
    let names = (1..).map(|nth| if nth == 1 { stamp.clone() } else { format!("{stamp}-{nth}") });
    for name in names {
        let dir = runs.join(&name);
        match fs::create_dir(&dir) {
            Ok(()) => {
                point_latest(runs, &name).map_err(OutDirError::io(&runs.join(LATEST)))?;
                return Ok(dir);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(OutDirError::io(&dir)(error)),
        }
    }
    unreachable!("there is always a next number")
}

/// Makes `latest` lead to `name`. A link cannot be changed, so a new one is moved over it: there is
/// no moment without one. A `latest` that is no link is somebody's and is left alone.
fn point_latest(runs: &Path, name: &str) -> io::Result<()> {
    let latest = runs.join(LATEST);
    if latest.symlink_metadata().is_ok_and(|found| !found.is_symlink()) {
        return Ok(());
    }
    let fresh = runs.join(format!(".{LATEST}-{name}"));
    symlink(name, &fresh)?;
    fs::rename(&fresh, &latest)
}

/// The folder to look at: `chosen`, else the latest run's.
///
/// # Errors
/// None was chosen and there is no latest one.
pub fn existing(chosen: Option<PathBuf>) -> Result<PathBuf, OutDirError> {
    chosen.map_or_else(|| latest(Path::new(RUNS)), Ok)
}

fn latest(runs: &Path) -> Result<PathBuf, OutDirError> {
    let latest = runs.join(LATEST);
    if latest.is_dir() { Ok(latest) } else { Err(OutDirError::NoLatest) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment() -> Timestamp {
        "2026-03-01T12:30:05Z".parse().unwrap()
    }

    #[test]
    fn runs_are_named_after_their_time_and_latest_leads_to_the_last_one() {
        let home = tempfile::tempdir().unwrap();
        let runs = home.path().join("testnet-out");
        assert!(matches!(latest(&runs), Err(OutDirError::NoLatest)));
        let first = by_time(&runs, moment()).unwrap();
        let second = by_time(&runs, moment()).unwrap();
        assert_eq!(first, runs.join("20260301T123005Z"));
        assert_eq!(second, runs.join("20260301T123005Z-2"));
        fs::write(second.join("mark"), "").unwrap();
        assert!(latest(&runs).unwrap().join("mark").exists());
    }

    #[test]
    fn a_new_or_empty_folder_is_taken() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("a/b");
        claim(&dir).unwrap();
        claim(&dir).unwrap();
        assert!(dir.is_dir());
    }

    #[test]
    fn a_folder_that_holds_anything_is_refused_and_left_as_it_is() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("letter.txt");
        fs::write(&file, "dear").unwrap();
        let refused = claim(home.path()).unwrap_err();
        assert!(matches!(refused, OutDirError::Foreign(_)), "{refused}");
        let refused = claim(&file).unwrap_err();
        assert!(matches!(refused, OutDirError::NoFolder(_)), "{refused}");
        assert_eq!(fs::read_to_string(file).unwrap(), "dear");
    }

    #[test]
    fn the_folder_of_an_earlier_run_is_refused_by_its_name() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(MANIFEST), "{}").unwrap();
        let refused = claim(home.path()).unwrap_err().to_string();
        assert!(refused.contains("earlier testnet"), "{refused}");
    }
}
