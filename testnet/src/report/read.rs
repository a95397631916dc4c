//! The reading layer: the folder of a testnet on disk, line by line, into a [`Run`].
//!
//! `DIR` holds one folder for each node, named after it, with its log `events.jsonl`, and may hold
//! the manifest `testnet.json`. Lines are read one at a time, so that a log may be larger than
//! memory.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::join::Join;
use super::run::Run;

/// The name of a node's log in the node's folder.
pub(crate) const LOG: &str = "events.jsonl";

/// The longest line that is looked at, in bytes. A record takes some 400; the limit keeps a file
/// without line feeds from filling the memory.
const LONGEST_LINE: u64 = 64 * 1024;

/// Why the logs of a testnet could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The folder or a file in it could not be opened or read. Nothing was changed.
    #[error("cannot read {}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The folder exists but no log is in it.
    #[error("no logs in {}: expected {}/<node>/{LOG}", dir.display(), dir.display())]
    NoLogs {
        /// The folder.
        dir: PathBuf,
    },
}

impl ReadError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |error| ReadError::Io { path, error }
    }
}

/// Reads all logs under `dir`.
///
/// # Errors
///
/// When the folder or a log cannot be read, or there is no log. A line that is none is no error; it
/// is counted.
pub(crate) fn run(dir: &Path) -> Result<Run, ReadError> {
    let logs = logs(dir)?;
    let mut join = Join::new(logs.iter().map(|(name, _)| name.clone()));
    for (node, (_, path)) in logs.iter().enumerate() {
        let file = File::open(path).map_err(ReadError::io(path))?;
        let feed = |line: Piece<'_>| match line {
            Piece::Line { bytes, complete } => join.line(node, bytes, complete),
            Piece::Overlong => join.overlong(node),
        };
        each_line(BufReader::new(file), feed).map_err(ReadError::io(path))?;
    }
    Ok(join.finish())
}

/// The nodes' names and logs under `dir`, in natural order of the names: n2 before n10.
fn logs(dir: &Path) -> Result<Vec<(String, PathBuf)>, ReadError> {
    let mut logs = Vec::new();
    for entry in fs::read_dir(dir).map_err(ReadError::io(dir))? {
        let entry = entry.map_err(ReadError::io(dir))?;
        let path = entry.path().join(LOG);
        if path.is_file() {
            logs.push((entry.file_name().to_string_lossy().into_owned(), path));
        }
    }
    if logs.is_empty() {
        return Err(ReadError::NoLogs { dir: dir.to_owned() });
    }
    logs.sort_by_cached_key(|(name, _)| natural(name));
    Ok(logs)
}

/// A key that sorts a number at the end of a name by its value.
fn natural(name: &str) -> (String, u64, String) {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = name[stem.len()..].parse().unwrap_or(0);
    (stem.to_owned(), number, name.to_owned())
}

/// What lies between two line feeds.
enum Piece<'a> {
    /// A line without its line feed, and whether it had one.
    Line { bytes: &'a [u8], complete: bool },
    /// A line beyond [`LONGEST_LINE`].
    Overlong,
}

fn each_line(mut reader: impl BufRead, mut take: impl FnMut(Piece<'_>)) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        let complete = line.pop_if(|last| *last == b'\n').is_some();
        if !complete && read as u64 == LONGEST_LINE {
            reader.skip_until(b'\n')?;
            take(Piece::Overlong);
        } else {
            let bytes = &line;
            take(Piece::Line { bytes, complete });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        each_line(text, |piece| {
            lines.push(match piece {
                Piece::Line { bytes, complete } => {
                    format!("{} {complete}", String::from_utf8_lossy(bytes))
                }
                Piece::Overlong => "overlong".to_owned(),
            });
        })
        .expect("a slice can be read");
        lines
    }

    #[test]
    fn a_last_line_without_a_line_feed_is_told_apart() {
        assert_eq!(lines(b"a\nb\nc"), ["a true", "b true", "c false"]);
        assert_eq!(lines(b"a\n"), ["a true"]);
        assert_eq!(lines(b""), [""; 0]);
    }

    #[test]
    fn an_overlong_line_is_passed_over_and_the_next_one_is_read() {
        let mut text = vec![b'x'; 3 * LONGEST_LINE as usize];
        text.extend_from_slice(b"\nnext\n");
        assert_eq!(lines(&text), ["overlong", "next true"]);
    }

    #[test]
    fn nodes_are_in_natural_order() {
        let mut names = ["n10", "relay", "n9", "n1", "n01"];
        names.sort_by_cached_key(|name| natural(name));
        assert_eq!(names, ["n01", "n1", "n9", "n10", "relay"]);
    }

    #[test]
    fn a_folder_without_logs_says_what_was_expected() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let error = run(dir.path()).expect_err("nothing to read");
        assert!(error.to_string().contains("<node>/events.jsonl"), "{error}");
    }
}
