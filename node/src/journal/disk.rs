//! A journal's file: written at its end, read anywhere, replaced in one step.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hearsay_chain::GenesisId;

#[cfg(test)]
use super::faults::{self, Fault};
use super::format::{HEADER_BYTES, header, is_sound};

/// A file of whole records, as far as it is known.
#[derive(Debug)]
pub(super) struct Disk {
    pub(super) file: Arc<File>,
    /// Where the last whole record ends.
    pub(super) length: u64,
    /// Whether something may stand behind it.
    is_torn: bool,
    /// Where it is, for tests that have it refuse.
    #[cfg(test)]
    path: PathBuf,
}

impl Disk {
    /// What was opened, of which so much is of use.
    pub(super) fn of(_path: &Path, file: File, length: u64) -> Self {
        Self {
            file: Arc::new(file),
            length,
            is_torn: true,
            #[cfg(test)]
            path: _path.to_owned(),
        }
    }

    /// A new file with nothing but the header. One of the same name, left by a process that was
    /// killed, goes.
    pub(super) fn create(path: &Path, genesis: GenesisId) -> io::Result<Self> {
        let file =
            OpenOptions::new().create(true).truncate(true).read(true).write(true).open(path)?;
        let mut disk = Self { is_torn: false, ..Self::of(path, file, 0) };
        disk.append(&header(genesis))?;
        Ok(disk)
    }

    /// Appends whole records. If the disk refuses, the file is as it was.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        #[cfg(test)]
        faults::meet(&self.path, Fault::Append)?;
        if self.is_torn {
            self.file.set_len(self.length)?;
            self.is_torn = false;
        }
        if let Err(error) = self.file.write_all_at(bytes, self.length) {
            self.is_torn = self.file.set_len(self.length).is_err();
            return Err(match error.kind() {
                io::ErrorKind::WriteZero => io::ErrorKind::StorageFull.into(),
                _ => error,
            });
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Appends the record that stands at a place to `out`; nothing if it is not as it was written.
    pub(super) fn read(&self, at: u64, length: u32, out: &mut Vec<u8>) -> io::Result<()> {
        #[cfg(test)]
        faults::meet(&self.path, Fault::Read(at))?;
        let before = out.len();
        out.resize(before + length as usize, 0);
        let read = self.file.read_exact_at(&mut out[before..], at);
        // What a disk failed to keep may be read as something else.
        let read = read.and_then(|()| match is_sound(&out[before..]) {
            true => Ok(()),
            false => Err(io::ErrorKind::InvalidData.into()),
        });
        if read.is_err() {
            out.truncate(before);
        }
        read
    }

    /// Waits until all of it is on the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        #[cfg(test)]
        faults::meet(&self.path, Fault::Sync)?;
        self.file.sync_data()
    }

    /// Bytes of records.
    pub(super) fn records(&self) -> u64 {
        self.length.saturating_sub(HEADER_BYTES as u64)
    }
}

/// Where a file is written before it takes the place of the journal.
pub(super) fn draft(path: &Path) -> PathBuf {
    path.with_extension("journal.new")
}

/// Puts a written draft in the place of the journal, in one step.
pub(super) fn put_into_place(path: &Path) -> io::Result<()> {
    fs::rename(draft(path), path)?;
    // The name is in the directory, which is written by itself. A machine that loses its power before
    // that finds the old file, which is whole too; so an error here changes nothing.
    if let Some(directory) = path.parent() {
        let _ = File::open(directory).and_then(|directory| directory.sync_all());
    }
    Ok(())
}
