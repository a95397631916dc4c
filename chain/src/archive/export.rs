//! From the main chain into an archive, from its beginning or from where it was left.

use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use super::read::Reader;
use super::write::Writer;
use super::{ArchiveError, PREFIX_BYTES};
use crate::chain::Chain;
use crate::genesis::Rules;
use crate::ids::BlockId;
use crate::store::{Ends, Store, StoreError};

/// Bytes that wait for the file: several blocks of usual size.
const BUFFER_BYTES: usize = 1 << 20;

/// What is to be exported.
#[derive(Clone, Copy, Debug)]
pub struct Export<'a, S> {
    store: &'a S,
    rules: &'a Rules,
    root: BlockId,
    from: u64,
    to: u64,
}

/// What was exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Blocks that the archive held before.
    pub before: u64,
    /// Blocks that were added.
    pub added: u64,
    /// The first height.
    pub from: u64,
    /// The last height.
    pub to: u64,
}

/// A file that an archive can be continued in.
pub trait File: Read + Write + Seek {
    /// Cuts the file off after so many bytes.
    ///
    /// # Errors
    /// What the file fails with.
    fn cut(&mut self, bytes: u64) -> std::io::Result<()>;
}

impl File for std::fs::File {
    fn cut(&mut self, bytes: u64) -> std::io::Result<()> {
        self.set_len(bytes)
    }
}

impl File for &std::fs::File {
    fn cut(&mut self, bytes: u64) -> std::io::Result<()> {
        self.set_len(bytes)
    }
}

impl<'a, S: Store> Export<'a, S> {
    /// The blocks of a store's main chain from height `from` to height `to`, both included; the
    /// first and the last if they are not named.
    ///
    /// # Errors
    /// Heights that the chain does not have, or of which the bodies were pruned; our disk's fault.
    pub fn new(
        store: &'a S,
        rules: &'a Rules,
        from: Option<u64>,
        to: Option<u64>,
    ) -> Result<Self, ArchiveError> {
        let root = rules.genesis().block().id();
        let last = store.ends()?.map_or(0, |Ends { height, .. }| height);
        let first = store.first_body()?;
        let (from, to) = (from.unwrap_or(1), to.unwrap_or(last));
        // An empty chain makes an empty archive.
        let is_empty = from == 1 && to == 0 && first == 1;
        if !is_empty && (from < first || to > last || from > to) {
            return Err(ArchiveError::NoSuchRange { from, to, first, last });
        }
        Ok(Self { store, rules, root, from, to })
    }

    /// The first and the last height.
    #[must_use]
    pub fn range(&self) -> (u64, u64) {
        (self.from, self.to)
    }

    fn main(&self, height: u64) -> Result<BlockId, StoreError> {
        self.store.block_at(height)?.ok_or_else(|| missing("height", height))
    }

    fn write_from(
        &self,
        height: u64,
        mut writer: Writer<impl Write>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Exported, ArchiveError> {
        let before = writer.count();
        for height in height..=self.to {
            let id = self.main(height)?;
            let header = self.store.header(&id)?.ok_or_else(|| missing("header", id))?;
            let body = self.store.body(&id)?.ok_or_else(|| missing("body", id))?;
            writer.block(id, &header, &body)?;
            progress(height);
        }
        let added = writer.count() - before;
        writer.finish()?;
        Ok(Exported { before, added, from: self.from, to: self.to })
    }

    /// What of an archive is whole and on the main chain: its blocks, its bytes, the last block.
    fn whole_part(&self, from: impl Read) -> Result<Whole, ArchiveError> {
        let limit = self.rules.genesis().limits.block_bytes as usize;
        let mut reader = Reader::begin(from, self.rules.id(), self.root, limit)?;
        let mut whole =
            Whole { count: 0, bytes: PREFIX_BYTES as u64, tip: self.root, ended: false };
        loop {
            let record = match reader.next_block() {
                Ok(Some(record)) => record,
                Ok(None) => return Ok(Whole { ended: true, ..whole }),
                // A torn tail, whichever way it is torn, is cut off and written again.
                Err(
                    ArchiveError::CutShort { .. }
                    | ArchiveError::TooLong { .. }
                    | ArchiveError::Malformed { .. }
                    | ArchiveError::WrongEnd { .. }
                    | ArchiveError::Trailing,
                ) => return Ok(whole),
                Err(error) => return Err(error),
            };
            let height = record.header.fields.height;
            if whole.count == 0 && height != self.from {
                let last = height;
                let (from, to) = (self.from, self.to);
                return Err(ArchiveError::OtherRange { first: height, last, from, to });
            }
            if height > self.to {
                let (from, to) = (self.from, self.to);
                return Err(ArchiveError::OtherRange { first: from, last: height, from, to });
            }
            if height != self.from + whole.count || self.store.block_at(height)? != Some(record.id)
            {
                return Err(ArchiveError::Diverged { height });
            }
            // A crash of the machine may leave the right length and the wrong bytes.
            if self.store.body(&record.id)?.as_deref() != Some(record.body()) {
                return Ok(whole);
            }
            whole = Whole {
                count: reader.count(),
                bytes: reader.bytes_read(),
                tip: reader.tip(),
                ended: false,
            };
        }
    }
}

/// The part of an archive that stays.
struct Whole {
    count: u64,
    bytes: u64,
    tip: BlockId,
    /// The end mark follows, and nothing else.
    ended: bool,
}

/// Writes a new archive. `progress` is told each height that is done.
///
/// # Errors
/// What the writer fails with; our disk's fault.
pub fn export<S: Store>(
    export: &Export<'_, S>,
    to: impl Write,
    progress: &mut dyn FnMut(u64),
) -> Result<Exported, ArchiveError> {
    let to = BufWriter::with_capacity(BUFFER_BYTES, to);
    let writer = Writer::begin(to, export.rules.id(), export.root)?;
    export.write_from(export.from, writer, progress)
}

/// Continues an archive after its last whole block, or writes a new one into an empty file.
///
/// # Errors
/// As [`export`]; and a file that is no archive, of another network, of other heights, or that
/// holds blocks which are not on the main chain. Such a file is left as it was.
pub fn resume<S: Store>(
    export: &Export<'_, S>,
    mut file: impl File,
    progress: &mut dyn FnMut(u64),
) -> Result<Exported, ArchiveError> {
    file.rewind()?;
    let whole = export.whole_part(BufReader::with_capacity(BUFFER_BYTES, &mut file));
    let whole = match whole {
        Ok(whole) => whole,
        // Not even its beginning is whole.
        Err(ArchiveError::CutShort { height: None }) => {
            file.cut(0)?;
            file.rewind()?;
            return self::export(export, file, progress);
        }
        Err(error) => return Err(error),
    };
    let done = export.from.saturating_add(whole.count) > export.to;
    if done && whole.ended {
        let (from, to) = export.range();
        return Ok(Exported { before: whole.count, added: 0, from, to });
    }
    file.cut(whole.bytes)?;
    file.seek(SeekFrom::Start(whole.bytes))?;
    let to = BufWriter::with_capacity(BUFFER_BYTES, file);
    let writer = Writer::resume(to, whole.count, whole.tip);
    export.write_from(export.from + whole.count, writer, progress)
}

fn missing(what: &str, name: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(format!("{what} {name} should be there and is not"))
}

impl<S: Store> Chain<S> {
    /// Its blocks, for an archive; see [`Export::new`].
    ///
    /// # Errors
    /// As [`Export::new`].
    pub fn to_export(
        &self,
        from: Option<u64>,
        to: Option<u64>,
    ) -> Result<Export<'_, S>, ArchiveError> {
        Export::new(self.store(), self.rules(), from, to)
    }
}
