//! Follows one growing file, line by line.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes that are read at a time.
const CHUNK: usize = 64 * 1024;

/// A file that is being written by another process, and may not exist yet.
#[derive(Debug)]
pub(crate) struct Follower {
    path: PathBuf,
    file: Option<File>,
    /// The beginning of a line whose end is not written yet.
    rest: Vec<u8>,
}

impl Follower {
    /// Follows the file at `path` from its beginning.
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), file: None, rest: Vec::new() }
    }

    /// Follows the file at `path` from its end; one that is not there yet, from its beginning.
    pub(crate) fn at_end(path: &Path) -> io::Result<Self> {
        let mut follower = Self::new(path);
        let Ok(mut file) = File::open(path) else { return Ok(follower) };
        // Lines are written whole. Should this be the middle of one, its rest is no event.
        file.seek(SeekFrom::End(0))?;
        follower.file = Some(file);
        Ok(follower)
    }

    /// Hands over the whole lines that were written since the last time, but reads no more than
    /// about `most` bytes; the others come next time. Returns how many bytes were read.
    pub(crate) fn lines(&mut self, most: usize, mut line: impl FnMut(&str)) -> io::Result<usize> {
        if self.file.is_none() {
            self.file = match File::open(&self.path) {
                Ok(file) => Some(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
                Err(error) => return Err(error),
            };
        }
        let Some(file) = &mut self.file else { return Ok(0) };
        let mut read = 0;
        while read < most {
            let old = self.rest.len();
            self.rest.resize(old + CHUNK, 0);
            let found = file.read(&mut self.rest[old..]);
            self.rest.truncate(old + *found.as_ref().unwrap_or(&0));
            let found = found?;
            if found == 0 {
                break;
            }
            read += found;
            let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else { continue };
            String::from_utf8_lossy(&self.rest[..end]).split('\n').for_each(&mut line);
            self.rest.drain(..=end);
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::Write;

    use super::*;

    fn read(follower: &mut Follower, most: usize) -> Vec<String> {
        let mut lines = Vec::new();
        follower.lines(most, |line| lines.push(line.to_owned())).unwrap();
        lines
    }

    #[test]
    fn lines_come_when_they_are_whole_and_come_once() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("log");
        let mut follower = Follower::new(&path);
        assert!(read(&mut follower, CHUNK).is_empty());
        fs::write(&path, "one\ntwo\nthr").unwrap();
        assert_eq!(read(&mut follower, CHUNK), ["one", "two"]);
        assert!(read(&mut follower, CHUNK).is_empty());
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"ee\nfour\n").unwrap();
        assert_eq!(read(&mut follower, CHUNK), ["three", "four"]);
    }

    #[test]
    fn a_long_file_is_read_bit_by_bit_and_in_order() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("log");
        let all: Vec<_> = (0..40_000).map(|n| format!("line {n}")).collect();
        fs::write(&path, all.join("\n") + "\n").unwrap();
        let mut follower = Follower::new(&path);
        let first = read(&mut follower, CHUNK);
        assert!(!first.is_empty() && first.len() < all.len());
        let mut lines = first;
        while lines.len() < all.len() {
            let more = read(&mut follower, CHUNK);
            assert!(!more.is_empty());
            lines.extend(more);
        }
        assert_eq!(lines, all);
    }
}
