//! Blocks of the main chain in one file, to carry from one node to another.
//!
//! The format, version 1; numbers are little-endian:
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | `HSBLOCKS` |
//! | 4 | the version |
//! | 32 | the genesis id |
//! | 4 + n, for each block | n, which is not 0, and the borsh encoding of the block, as it is sent |
//! | 4 | 0: no block follows |
//! | 8 | how many blocks there were |
//! | 32 | the id of the last one; the genesis block's if there was none |
//!
//! Blocks follow each other, each the child of the one before. The first has height 1, unless a part
//! was asked for. A file that lacks its end was cut short: what is whole of it can be imported, and
//! an export continues it. A block's length is compared with the network's limit before any memory
//! is set aside for it.

mod export;
mod import;
mod read;
#[cfg(test)]
mod tests;
mod write;

use thiserror::Error;

use crate::block::BlockError;
use crate::chain::Unfit;
use crate::codec::DecodeError;
use crate::ids::{BlockId, GenesisId};
use crate::store::StoreError;

pub use export::{Export, Exported, File, export, resume};
pub use import::{Imported, import};
pub use read::Reader;
pub use write::Writer;

/// What an archive begins with.
pub const MAGIC: [u8; 8] = *b"HSBLOCKS";

/// The version of the format.
pub const VERSION: u32 = 1;

/// The bytes before the first block.
const PREFIX_BYTES: usize = 8 + 4 + 32;

/// Why an archive was not written or read to its end. What was done before stays done.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// It begins with something else.
    #[error("it is not an archive of blocks: name a file that `hearsay db export` wrote")]
    Foreign,
    /// It has another format.
    #[error(
        "the archive has format {found}, and this program knows {VERSION}: use a newer program"
    )]
    Version {
        /// The version that it has.
        found: u32,
    },
    /// It holds another network's blocks.
    #[error(
        "the archive is of network {found}, and this chain is of {expected}: use that network's genesis, or another archive"
    )]
    OtherNetwork {
        /// The archive's network.
        found: GenesisId,
        /// The chain's.
        expected: GenesisId,
    },
    /// It ends in the middle of something, or without its end mark.
    #[error(
        "the archive was cut short after {}: what came before is good; get the rest, or export it \
         again",
        after(*.height)
    )]
    CutShort {
        /// The height of the last whole block; none if there is none.
        height: Option<u64>,
    },
    /// A block's length is over the network's limit.
    #[error(
        "the block after {} claims {found} bytes, and this network allows {limit}: the archive is \
         damaged",
        after(*.height)
    )]
    TooLong {
        /// The height of the block before; none if there is none.
        height: Option<u64>,
        /// The length it claims.
        found: usize,
        /// The largest allowed.
        limit: usize,
    },
    /// The bytes of a block are not a block.
    #[error("the block after {} cannot be read ({error}): the archive is damaged", after(*.height))]
    Malformed {
        /// The height of the block before; none if there is none.
        height: Option<u64>,
        /// What is wrong.
        error: DecodeError,
    },
    /// A block breaks the rules.
    #[error("the block at height {height} is wrong ({error}): the archive is damaged")]
    Wrong {
        /// Its height.
        height: u64,
        /// What is wrong.
        error: BlockError,
    },
    /// A block does not fit the chain.
    #[error("the block at height {height} does not fit this chain: {unfit}")]
    Unfit {
        /// Its height.
        height: u64,
        /// Why.
        unfit: Unfit,
    },
    /// A block stands on one that is not here.
    #[error(
        "the block at height {height} stands on block {parent}, which this chain does not have: import an archive that begins lower"
    )]
    NoParent {
        /// Its height.
        height: u64,
        /// The block it stands on.
        parent: BlockId,
    },
    /// The end mark speaks of other blocks.
    #[error(
        "the archive's end mark counts {count} blocks up to {tip}, which are not those it holds: it is damaged"
    )]
    WrongEnd {
        /// The blocks it counts.
        count: u64,
        /// The last one it names.
        tip: BlockId,
    },
    /// Something follows the end mark.
    #[error("something follows the archive's end mark: it is not what was exported")]
    Trailing,
    /// An archive that is to be continued holds blocks that are not on the main chain.
    #[error(
        "the archive's block at height {height} is not on this main chain, so it cannot be continued: export to another file"
    )]
    Diverged {
        /// The height of the first such block.
        height: u64,
    },
    /// An archive that is to be continued begins or ends elsewhere.
    #[error(
        "the archive holds heights {first} to {last}, and {from} to {to} were asked for: export to another file"
    )]
    OtherRange {
        /// Its first height.
        first: u64,
        /// Its last height.
        last: u64,
        /// The first height asked for.
        from: u64,
        /// The last height asked for.
        to: u64,
    },
    /// Heights that the chain does not have.
    #[error(
        "heights {from} to {to} were asked for, and the chain has bodies from {first} to {last}: name a part of that with --from and --to"
    )]
    NoSuchRange {
        /// The first height asked for.
        from: u64,
        /// The last height asked for.
        to: u64,
        /// The lowest height with a body.
        first: u64,
        /// The tip's height.
        last: u64,
    },
    /// The file or pipe failed.
    #[error("the archive cannot be read or written: {0}")]
    Io(#[from] std::io::Error),
    /// Our disk's fault.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where something is, for a reader.
fn after(height: Option<u64>) -> String {
    height.map_or_else(|| "its beginning".to_owned(), |height| format!("height {height}"))
}
