//! Signatures, checked in batches: that takes half the time of checking each.

use super::report::Report;
use crate::block::Header;
use crate::ids::{BlockId, TxId};
use crate::keys::{Claim, verify_all};
use crate::transaction::UnverifiedTx;

/// Signatures checked at once. Batches gain little above this, and these claims take about 400 KiB.
const BATCH: usize = 1_024;

#[derive(Clone, Copy, Debug)]
enum Whose {
    Header(BlockId),
    Transaction(TxId, BlockId),
}

/// Claims that wait for the next batch.
#[derive(Debug, Default)]
pub(super) struct Signatures {
    claims: Vec<Claim>,
    whose: Vec<Whose>,
}

impl Signatures {
    pub(super) fn header(&mut self, id: BlockId, header: &Header, report: &mut Report) {
        self.add(Whose::Header(id), header.claim(), report);
    }

    pub(super) fn transaction(&mut self, block: BlockId, tx: &UnverifiedTx, report: &mut Report) {
        self.add(Whose::Transaction(tx.id(), block), tx.claim(), report);
    }

    fn add(&mut self, whose: Whose, claim: Claim, report: &mut Report) {
        self.claims.push(claim);
        self.whose.push(whose);
        if self.claims.len() >= BATCH {
            self.finish(report);
        }
    }

    /// Checks those that still wait.
    pub(super) fn finish(&mut self, report: &mut Report) {
        report.audit.signatures += self.claims.len() as u64;
        let holds = verify_all(&self.claims);
        self.claims.clear();
        for (whose, holds) in self.whose.drain(..).zip(holds) {
            match whose {
                _ if holds => {}
                Whose::Header(id) => {
                    report.note(
                        "headers",
                        &format_args!("block {id}"),
                        "the proposer's signature does not hold",
                    );
                }
                Whose::Transaction(tx, id) => {
                    report.note(
                        "bodies",
                        &format_args!("block {id}"),
                        format_args!("the signature of transaction {tx} does not hold"),
                    );
                }
            }
        }
    }
}
