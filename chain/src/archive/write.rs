//! Writing an archive from its beginning to its end.

use std::io::{self, Write};

use super::{MAGIC, PREFIX_BYTES, VERSION};
use crate::block::Header;
use crate::codec;
use crate::ids::{BlockId, GenesisId};

/// What stands before the first block.
pub(super) fn prefix(genesis: GenesisId) -> [u8; PREFIX_BYTES] {
    let mut prefix = [0; PREFIX_BYTES];
    prefix[..8].copy_from_slice(&MAGIC);
    prefix[8..12].copy_from_slice(&VERSION.to_le_bytes());
    prefix[12..].copy_from_slice(&genesis.0);
    prefix
}

/// Writes blocks one after another. It does not buffer.
#[derive(Debug)]
pub struct Writer<W> {
    to: W,
    count: u64,
    tip: BlockId,
}

impl<W: Write> Writer<W> {
    /// Begins an archive of a network. `root` is the id of its genesis block.
    ///
    /// # Errors
    /// What `to` fails with.
    pub fn begin(mut to: W, genesis: GenesisId, root: BlockId) -> io::Result<Self> {
        to.write_all(&prefix(genesis))?;
        Ok(Self { to, count: 0, tip: root })
    }

    /// Goes on with an archive that ends with `tip`, its `count`-th block, and has no end mark.
    pub(super) fn resume(to: W, count: u64, tip: BlockId) -> Self {
        Self { to, count, tip }
    }

    /// Writes the next block: a header, and an encoded list of transactions.
    ///
    /// # Errors
    /// What the writer fails with; the last block is then cut short.
    pub fn block(&mut self, id: BlockId, header: &Header, body: &[u8]) -> io::Result<()> {
        let header = codec::encode(header);
        let bytes = header.len() + body.len();
        let length = u32::try_from(bytes).map_err(|_| io::ErrorKind::InvalidInput)?;
        // In one piece, so that a pipe's reader rarely sees a part.
        let mut record = Vec::with_capacity(4 + bytes);
        record.extend_from_slice(&length.to_le_bytes());
        record.extend_from_slice(&header);
        record.extend_from_slice(body);
        self.to.write_all(&record)?;
        self.count += 1;
        self.tip = id;
        Ok(())
    }

    /// How many blocks it holds.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Writes the end mark, and gives back where it wrote to.
    ///
    /// # Errors
    /// What the writer fails with.
    pub fn finish(mut self) -> io::Result<W> {
        self.to.write_all(&0u32.to_le_bytes())?;
        self.to.write_all(&self.count.to_le_bytes())?;
        self.to.write_all(&self.tip.0)?;
        self.to.flush()?;
        Ok(self.to)
    }
}
