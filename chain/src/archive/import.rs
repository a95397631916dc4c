//! From an archive into a chain: every block is checked as if a peer had sent it.

use std::collections::BTreeMap;
use std::io::Read;

use super::ArchiveError;
use super::read::{Reader, Record};
use crate::block::{BlockError, PartlyVerified, UnverifiedBlock, VerifiedBlock};
use crate::chain::{Chain, Import};
use crate::genesis::Rules;
use crate::ids::TxId;
use crate::store::Store;
use crate::transaction::{UnverifiedTx, VerifiedTx};

/// Blocks taken into the chain at once: one wait for the disk for so many.
const BATCH_BLOCKS: usize = 128;

/// Bytes of blocks taken at once, which bounds the memory that large blocks take.
const BATCH_BYTES: usize = 8 << 20;

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Blocks that were here before.
    pub known: u64,
    /// Blocks that were taken.
    pub added: u64,
    /// Bytes of the archive that were read.
    pub bytes: u64,
    /// The height of the last block that was read.
    pub height: u64,
}

/// Takes the blocks of an archive into a chain, in order. Those that are here already are passed
/// over without being checked again, so that an import that was cut short goes on where it stopped.
/// `latest_slot` is the latest slot that is not in the future.
///
/// # Errors
/// An archive that was cut short, is damaged, or does not fit the chain, with the height; what came
/// before that is kept. Our disk's fault.
pub fn import<S: Store>(
    chain: &mut Chain<S>,
    from: impl Read,
    latest_slot: u64,
    progress: &mut dyn FnMut(&Imported),
) -> Result<Imported, ArchiveError> {
    let rules = chain.rules().clone();
    let limit = rules.genesis().limits.block_bytes as usize;
    let mut reader = Reader::begin(from, rules.id(), rules.genesis().block().id(), limit)?;
    let mut done = Imported::default();
    let mut batch: Vec<Record> = Vec::new();
    let mut bytes = 0;
    loop {
        let next = reader.next_block();
        let full = batch.len() >= BATCH_BLOCKS || bytes >= BATCH_BYTES;
        if full || !matches!(next, Ok(Some(_))) {
            // What is good goes in before what is wrong is told.
            take(chain, &rules, std::mem::take(&mut batch), latest_slot, &mut done)?;
            bytes = 0;
            progress(&done);
        }
        let Some(record) = next? else { return Ok(done) };
        done.bytes = reader.bytes_read();
        if batch.is_empty() && chain.contains(&record.id)? {
            done.known += 1;
            done.height = record.header.fields.height;
            if done.known.is_multiple_of(BATCH_BLOCKS as u64) {
                progress(&done);
            }
        } else {
            bytes += record.bytes().len();
            batch.push(record);
        }
    }
}

fn take<S: Store>(
    chain: &mut Chain<S>,
    rules: &Rules,
    batch: Vec<Record>,
    latest_slot: u64,
    done: &mut Imported,
) -> Result<(), ArchiveError> {
    let (blocks, wrong) = check(rules, batch);
    let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else {
        return wrong.map_or(Ok(()), Err);
    };
    let (first, last, count) = (first.height(), last.height(), blocks.len() as u64);
    let heights: BTreeMap<_, _> = blocks.iter().map(|block| (block.id(), block.height())).collect();
    let run = chain.import_run(blocks, latest_slot)?;
    if let Some((id, unfit)) = run.refused {
        let height = heights.get(&id).copied().unwrap_or(first);
        done.added += height.saturating_sub(first);
        return Err(ArchiveError::Unfit { height, unfit });
    }
    match run.import {
        Import::Orphan { missing: parent } => {
            return Err(ArchiveError::NoParent { height: first, parent });
        }
        Import::Refused(unfit) => return Err(ArchiveError::Unfit { height: first, unfit }),
        Import::Known => done.known += count,
        Import::Side | Import::Tip(_) => done.added += count,
    }
    done.height = last;
    wrong.map_or(Ok(()), Err)
}

/// Checks blocks by themselves: those before the first that is wrong, and what is wrong with it.
fn check(rules: &Rules, batch: Vec<Record>) -> (Vec<VerifiedBlock>, Option<ArchiveError>) {
    let mut wrong = None;
    let mut blocks = Vec::with_capacity(batch.len());
    for record in batch {
        match formed(rules, record) {
            Ok(block) => blocks.push(block),
            Err(error) => {
                wrong = Some(error);
                break;
            }
        }
    }
    let verified = verify(rules, blocks);
    let mut good = Vec::with_capacity(verified.len());
    for (height, block) in verified {
        match block {
            Ok(block) => good.push(block),
            Err(error) => return (good, Some(ArchiveError::Wrong { height, error })),
        }
    }
    (good, wrong)
}

/// Decodes a block whose form holds.
fn formed(rules: &Rules, record: Record) -> Result<UnverifiedBlock, ArchiveError> {
    let height = record.header.fields.height;
    let limit = rules.genesis().limits.block_bytes as usize;
    let block = UnverifiedBlock::decode(record.bytes(), limit).map_err(|error| {
        ArchiveError::Malformed { height: height.checked_sub(1).filter(|below| *below > 0), error }
    })?;
    match block.clone().check_form(rules, |_| None) {
        Ok(_) => Ok(block),
        Err(error) => Err(ArchiveError::Wrong { height, error }),
    }
}

/// Checks the signatures of all transactions as one batch, then what is left of each block.
fn verify(
    rules: &Rules,
    blocks: Vec<UnverifiedBlock>,
) -> Vec<(u64, Result<VerifiedBlock, BlockError>)> {
    let all: Vec<UnverifiedTx> =
        blocks.iter().flat_map(|block| block.transactions().iter().cloned()).collect();
    let verified: BTreeMap<TxId, VerifiedTx> = VerifiedTx::verify_all(all)
        .into_iter()
        .filter_map(Result::ok)
        .map(|tx| (tx.id(), tx))
        .collect();
    blocks
        .into_iter()
        .map(|block| {
            let height = block.header().fields.height;
            let checked = block.check_form(rules, |id| verified.get(id).cloned());
            (height, checked.and_then(PartlyVerified::verify))
        })
        .collect()
}
