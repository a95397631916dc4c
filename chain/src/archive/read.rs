//! Reading an archive, record by record.

use std::io::{self, ErrorKind, Read};

use super::{ArchiveError, MAGIC, PREFIX_BYTES, VERSION};
use crate::block::{HEADER_BYTES, Header, UnverifiedBlock};
use crate::codec;
use crate::ids::{BlockId, GenesisId};

/// One block as it stands in an archive: its header is decoded, its body is not.
#[derive(Clone, Debug)]
pub struct Record {
    /// The block's id.
    pub id: BlockId,
    /// The header.
    pub header: Header,
    bytes: Vec<u8>,
}

impl Record {
    /// The encoding of the block.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The encoded list of its transactions.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.bytes.get(HEADER_BYTES..).unwrap_or_default()
    }
}

/// Reads blocks one after another, one in memory at a time. It does not buffer.
#[derive(Debug)]
pub struct Reader<R> {
    from: R,
    limit: usize,
    /// The height of the last block.
    height: Option<u64>,
    count: u64,
    tip: BlockId,
    ended: bool,
    read: u64,
}

impl<R: Read> Reader<R> {
    /// Begins to read the archive of a network. `root` is the id of its genesis block, `limit` the
    /// size of its largest block, in bytes.
    ///
    /// # Errors
    /// Something else than an archive of this network.
    pub fn begin(
        mut from: R,
        genesis: GenesisId,
        root: BlockId,
        limit: usize,
    ) -> Result<Self, ArchiveError> {
        let mut prefix = [0; PREFIX_BYTES];
        let length = fill(&mut from, &mut prefix)?;
        if prefix[..8] != MAGIC && length > 0 && !MAGIC.starts_with(&prefix[..length.min(8)]) {
            return Err(ArchiveError::Foreign);
        }
        if length < PREFIX_BYTES {
            return Err(ArchiveError::CutShort { height: None });
        }
        let (version, network) = (&prefix[8..12], &prefix[12..]);
        let found = version.iter().rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
        if found != VERSION {
            return Err(ArchiveError::Version { found });
        }
        if network != genesis.0 {
            let mut found = GenesisId([0; 32]);
            found.0.copy_from_slice(network);
            return Err(ArchiveError::OtherNetwork { found, expected: genesis });
        }
        let read = PREFIX_BYTES as u64;
        Ok(Self { from, limit, height: None, count: 0, tip: root, ended: false, read })
    }

    /// The next block; none after the end mark, behind which nothing may stand.
    ///
    /// # Errors
    /// An archive that was cut short or is damaged.
    pub fn next_block(&mut self) -> Result<Option<Record>, ArchiveError> {
        if self.ended {
            return Ok(None);
        }
        let mut length = [0; 4];
        self.fill(&mut length)?;
        let length = u32::from_le_bytes(length);
        if length == 0 {
            self.end()?;
            return Ok(None);
        }
        let (found, limit) = (usize::try_from(length).unwrap_or(usize::MAX), self.limit);
        if found > limit {
            return Err(ArchiveError::TooLong { height: self.height, found, limit });
        }
        let mut bytes = vec![0; found];
        self.fill(&mut bytes)?;
        let header = bytes.get(..HEADER_BYTES).unwrap_or(&bytes);
        let header: Header = codec::decode(header, HEADER_BYTES)
            .map_err(|error| ArchiveError::Malformed { height: self.height, error })?;
        let id = UnverifiedBlock::id_of(&bytes).unwrap_or_else(|| header.id());
        self.height = Some(header.fields.height);
        self.tip = id;
        self.count += 1;
        self.read += 4 + u64::from(length);
        Ok(Some(Record { id, header, bytes }))
    }

    /// How many whole blocks were read.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The id of the last one.
    #[must_use]
    pub fn tip(&self) -> BlockId {
        self.tip
    }

    /// How many bytes of whole blocks were read, with what stands before them: where the next record
    /// begins.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.read
    }

    fn end(&mut self) -> Result<(), ArchiveError> {
        let mut count = [0; 8];
        self.fill(&mut count)?;
        let mut tip = BlockId([0; 32]);
        self.fill(&mut tip.0)?;
        let count = u64::from_le_bytes(count);
        if count != self.count || tip != self.tip {
            return Err(ArchiveError::WrongEnd { count, tip });
        }
        if fill(&mut self.from, &mut [0])? > 0 {
            return Err(ArchiveError::Trailing);
        }
        self.ended = true;
        Ok(())
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), ArchiveError> {
        match fill(&mut self.from, buffer)? {
            length if length == buffer.len() => Ok(()),
            _ => Err(ArchiveError::CutShort { height: self.height }),
        }
    }
}

/// Reads until `buffer` is full or nothing is left. Gives how much was read.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match from.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}
