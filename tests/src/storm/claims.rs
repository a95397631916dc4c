//! What the node reported as stored or final, and whether its store keeps to it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, ensure};
use hearsay_chain::BlockId;
use hearsay_chain::fork_choice::Candidate;
use hearsay_node::api::NodeStatus;
use hearsay_node::trace::event::{Event, Record};

use super::examine::Report;
use super::victim::appended;

/// Everything that the node has reported, over all its lives.
#[derive(Debug, Default)]
pub(super) struct Claims {
    offset: u64,
    /// Tips, with their heights.
    tips: BTreeMap<BlockId, u64>,
    finals: BTreeMap<u64, BlockId>,
    best: Option<Candidate>,
    final_height: u64,
    /// `tip` lines with a depth, and the greatest of them.
    pub(super) reorgs: u64,
    pub(super) deepest: u64,
    /// Lines that a kill has cut.
    pub(super) cut: u64,
}

impl Claims {
    /// Notes an answer to `node_status`.
    pub(super) fn hear(&mut self, status: &NodeStatus) {
        self.note_tip(status.tip, status.height);
        self.final_height = self.final_height.max(status.final_height);
    }

    /// Notes the `tip` and `final` lines that were written since the last time.
    pub(super) fn read(&mut self, events: &Path) -> Result<()> {
        for line in appended(events, &mut self.offset)?.lines() {
            // Most lines are about transactions; only these two are taken apart.
            let of_use = line.contains("\"event\":\"tip\"") || line.contains("\"event\":\"final\"");
            if line.ends_with('}') && !of_use {
                continue;
            }
            let Ok(record) = serde_json::from_str::<Record>(line) else {
                self.cut += 1;
                continue;
            };
            match record.event {
                Event::Tip { id, height, depth, .. } => {
                    self.note_tip(id.parse()?, height);
                    self.reorgs += u64::from(depth > 0);
                    self.deepest = self.deepest.max(depth);
                }
                Event::Final { id, height, .. } => {
                    let id = id.parse()?;
                    let before = *self.finals.entry(height).or_insert(id);
                    ensure!(before == id, "{before} and {id} were both final at {height}");
                    self.final_height = self.final_height.max(height);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn note_tip(&mut self, id: BlockId, height: u64) {
        self.tips.insert(id, height);
        self.best = self.best.max(Some(Candidate { height, id }));
    }

    /// How many blocks were reported as stored, and how many as final.
    pub(super) fn count(&self) -> (usize, usize) {
        (self.tips.len(), self.finals.len())
    }

    /// Checks that nothing reported is missing. `parent` knows every block that was ever made.
    pub(super) fn check(
        &self,
        report: &Report,
        parent: impl Fn(&BlockId) -> Option<(BlockId, u64)>,
    ) -> Result<()> {
        let Some(best) = self.best else { return Ok(()) };
        let Some(ends) = report.ends else { anyhow::bail!("the store is empty, {best:?} was not") };
        let tip = Candidate { height: ends.height, id: ends.tip };
        ensure!(tip >= best, "the tip was reported to be {best:?}, the store has {tip:?}");
        ensure!(
            ends.final_height >= self.final_height,
            "height {} was final, now {} is",
            self.final_height,
            ends.final_height
        );
        let main_at = |height: u64| report.main.get(usize::try_from(height).unwrap_or(usize::MAX));
        for (height, id) in &self.finals {
            ensure!(main_at(*height) == Some(id), "{id} was final at {height} and is gone");
        }
        for (id, height) in &self.tips {
            if report.kept.contains(id) {
                continue;
            }
            // It may only be gone if it branches off below the final block.
            let mut at = (*id, *height);
            while at.1 > ends.final_height {
                let Some((below, _)) = parent(&at.0) else {
                    anyhow::bail!("{id} was the tip, and nobody made it")
                };
                at = (below, at.1 - 1);
            }
            ensure!(
                main_at(at.1) != Some(&at.0),
                "{id} was the tip at {height}, stands on the final block, and is gone"
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use hearsay_chain::store::Ends;

    use super::*;

    fn id(byte: u8) -> BlockId {
        BlockId([byte; 32])
    }

    /// Blocks 0 to 3 on the main chain, 2 final; block 13 beside it, on block 2.
    fn report() -> Report {
        let main: Vec<BlockId> = (0..4).map(id).collect();
        Report {
            ends: Some(Ends { tip: id(3), height: 3, final_height: 2 }),
            kept: main.iter().copied().chain([id(13)]).collect(),
            main,
            ..Report::default()
        }
    }

    fn parent(block: &BlockId) -> Option<(BlockId, u64)> {
        // 11 stands on 0, 12 on 11, 13 and 23 on 2, 22 on 1.
        let [byte, ..] = block.0;
        Some(match byte {
            11 => (id(0), 1),
            12 => (id(11), 2),
            22 => (id(1), 2),
            13 | 23 => (id(2), 3),
            _ => return None,
        })
    }

    fn said(tips: &[(u8, u64)], finals: &[(u64, u8)]) -> Claims {
        let mut claims = Claims::default();
        tips.iter().for_each(|(byte, height)| {
            claims.tips.insert(id(*byte), *height);
            claims.best = claims.best.max(Some(Candidate { height: *height, id: id(*byte) }));
        });
        claims.finals = finals.iter().map(|(height, byte)| (*height, id(*byte))).collect();
        claims
    }

    #[test]
    fn a_store_that_has_everything_keeps_to_what_was_said() {
        said(&[(1, 1), (3, 3), (13, 3)], &[(1, 1), (2, 2)]).check(&report(), parent).unwrap();
    }

    #[test]
    fn a_branch_that_leaves_below_the_final_block_may_be_gone() {
        said(&[(12, 2), (22, 2)], &[]).check(&report(), parent).unwrap();
    }

    #[test]
    fn a_tip_a_branch_or_a_final_block_that_is_lost_is_found_out() {
        for (claims, what) in [
            (said(&[(5, 4)], &[]), "the tip was reported"),
            (said(&[(23, 3)], &[]), "stands on the final block"),
            (said(&[], &[(2, 12)]), "is gone"),
        ] {
            let claims =
                Claims { best: claims.best.or(Some(Candidate { height: 0, id: id(0) })), ..claims };
            let error = claims.check(&report(), parent).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
        let lower = Claims { final_height: 3, ..said(&[(3, 3)], &[]) };
        assert!(lower.check(&report(), parent).is_err());
        assert!(said(&[(1, 1)], &[]).check(&Report::default(), parent).is_err());
    }
}
