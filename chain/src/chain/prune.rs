//! What a chain forgets: branches that can no longer win, and bodies that nobody asked it to keep.

use std::collections::{BTreeMap, BTreeSet};

use super::switch::ids_of;
use super::{Chain, missing};
use crate::block::{Header, VerifiedBlock};
use crate::evidence::Turn;
use crate::ids::BlockId;
use crate::store::{Changes, Ends, Store, StoreError};

/// Bodies dropped with one move of the tip, so that a node that was told to keep fewer does not
/// stand still: at 20 kB each this is 5 MB of deletions that the store compacts away.
const MAX_PRUNED: u64 = 256;

impl<S: Store> Chain<S> {
    /// Forgets blocks beside the main chain at or below the final height, and all that stands on
    /// them: they branch off below it.
    pub(super) fn prune_branches(
        &self,
        final_height: u64,
        undone: &[VerifiedBlock],
        applied: &[VerifiedBlock],
        changes: &mut Changes,
    ) -> Result<(), StoreError> {
        let applied = ids_of(applied);
        let undone: BTreeMap<BlockId, &Header> =
            undone.iter().map(|block| (block.id(), block.header())).collect();
        let rows = |from, to| -> Result<Vec<(u64, BlockId)>, StoreError> {
            let mut rows = self.store.side(from, to)?;
            rows.extend(heights_of(&undone).filter(|(at, _)| (from..=to).contains(at)));
            rows.retain(|(_, id)| !applied.contains(id));
            Ok(rows)
        };
        let header = |id: &BlockId| match undone.get(id) {
            Some(header) => Ok((*header).clone()),
            None => self.header(id),
        };
        let mut gone = BTreeSet::new();
        // Below the last final block all is gone already, but for what an older schema left.
        let from = if self.swept { self.ends.final_height } else { 0 };
        for row in rows(from, final_height)? {
            self.forget(row, &header(&row.1)?, changes)?;
            gone.insert(row.1);
        }
        for height in final_height + 1.. {
            let before = gone.len();
            for row in rows(height, height)? {
                let header = header(&row.1)?;
                if gone.contains(&header.fields.parent) {
                    self.forget(row, &header, changes)?;
                    gone.insert(row.1);
                }
            }
            if gone.len() == before {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn forget(
        &self,
        row: (u64, BlockId),
        header: &Header,
        changes: &mut Changes,
    ) -> Result<(), StoreError> {
        changes.side.insert(row, false);
        changes.forgotten.push(row.1);
        let turn = Turn::of(header);
        if self.store.turn(&turn)? == Some(row.1) {
            changes.turns.insert(turn, None);
        }
        Ok(())
    }

    /// Drops bodies of final blocks that are older than this node was told to keep; returns the
    /// lowest height that then has one.
    pub(super) fn prune_bodies(
        &self,
        ends: &Ends,
        applied: &[VerifiedBlock],
        changes: &mut Changes,
    ) -> Result<u64, StoreError> {
        let Some(keep) = self.keep_bodies else { return Ok(self.first_body) };
        // Final, and not the tip: whatever may be undone or asked for next keeps its body.
        let wanted = ends.height.saturating_sub(keep).min(ends.final_height).saturating_add(1);
        let end = wanted.min(self.first_body.saturating_add(MAX_PRUNED));
        if end <= self.first_body {
            return Ok(self.first_body);
        }
        let new: BTreeMap<u64, BlockId> =
            applied.iter().map(|block| (block.height(), block.id())).collect();
        for height in self.first_body..end {
            let id = match new.get(&height) {
                Some(id) => *id,
                None => self.store.block_at(height)?.ok_or_else(|| missing("height", height))?,
            };
            changes.pruned.push(id);
        }
        changes.first_body = Some(end);
        Ok(end)
    }
}

fn heights_of(blocks: &BTreeMap<BlockId, &Header>) -> impl Iterator<Item = (u64, BlockId)> {
    blocks.iter().map(|(id, header)| (header.fields.height, *id))
}
