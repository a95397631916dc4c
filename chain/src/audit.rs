//! Walks a whole store, verifies every link, root and index in it, and changes nothing.
//!
//! What is compared with what:
//! * each block of the main chain with its key, its parent, the rules, its signatures, its body;
//! * the accounts with those that come of applying every body to the genesis, and the undo rows
//!   with what applying gives; where bodies were pruned, the last final accounts are worked out
//!   from the undo rows, and of the rest the sums must be right;
//! * every row of every table with the block that it is for, so that none lacks and none is left
//!   over.
//!
//! A row that cannot be read is a finding, and the walk goes on. Memory does not grow with the
//! chain, but for one map of all accounts.

mod accounts;
mod index;
mod kept;
mod main_chain;
mod replay;
mod report;
mod rows;
mod side;
mod signatures;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::genesis::Rules;
use crate::store::{Ends, Store, StoreError, Table};

use main_chain::Tally;
use report::Report;
pub use report::{Audit, Finding, MAX_FINDINGS};
use signatures::Signatures;

/// What an audit looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether the signatures of transactions are checked, which takes most of the time. Those of
    /// headers always are.
    pub signatures: bool,
}

impl Default for Options {
    /// Everything.
    fn default() -> Self {
        Self { signatures: true }
    }
}

/// How far an audit has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is looked at.
    pub stage: Stage,
    /// How many rows of it are done.
    pub done: u64,
    /// How many there are, where that is known before.
    pub total: Option<u64>,
}

/// What an audit looks at, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The main chain, block by block.
    Blocks,
    /// A table, row by row.
    Rows(Table),
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stage::Blocks => f.write_str("blocks"),
            Stage::Rows(table) => f.write_str(table.name()),
        }
    }
}

/// How many rows pass between two calls of the progress callback.
const PROGRESS_EVERY: u64 = 256;

/// Audits a store of the network with these rules.
///
/// # Errors
/// A disk that fails to read. Damage is a finding, not an error.
pub fn audit<S: Store>(
    store: &S,
    rules: &Rules,
    options: Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<Audit, StoreError> {
    let mut report = Report::default();
    let Some(ends) = report.readable("meta", &"the ends of the chain", store.ends())?.flatten()
    else {
        if report.is_clean() {
            report.note("meta", &"the ends of the chain", "they are missing");
        }
        return Ok(report.into_audit());
    };
    let first_body = report.readable("meta", &"the first body", store.first_body())?;
    let walk = Walk {
        store,
        rules,
        options,
        ends,
        first_body: first_body.unwrap_or(1),
        report,
        signatures: Signatures::default(),
        tally: Tally::new(rules),
        progress,
    };
    walk.run()
}

/// An audit under way.
struct Walk<'a, S> {
    store: &'a S,
    rules: &'a Rules,
    options: Options,
    ends: Ends,
    first_body: u64,
    report: Report,
    signatures: Signatures,
    tally: Tally,
    progress: &'a mut dyn FnMut(Progress),
}

impl<S: Store> Walk<'_, S> {
    fn run(mut self) -> Result<Audit, StoreError> {
        self.check_meta();
        let replay = self.main_chain()?;
        self.check_finality();
        self.headers()?;
        self.bodies()?;
        self.undo()?;
        self.accounts(replay)?;
        self.heights()?;
        self.transactions()?;
        self.side()?;
        self.turns()?;
        self.evidence()?;
        self.signatures.finish(&mut self.report);
        Ok(self.report.into_audit())
    }

    fn check_meta(&mut self) {
        let Ends { height, final_height, .. } = self.ends;
        if final_height > 0 && final_height >= height {
            let what = format!("final height {final_height} is not below the tip's, {height}");
            self.report.note("meta", &"the ends of the chain", what);
        }
        if self.first_body == 0 || self.first_body > final_height.saturating_add(1) {
            let what = format!(
                "it is {}, and bodies are kept from 1 on, and above final height {final_height} \
                 always",
                self.first_body
            );
            self.report.note("meta", &"the first body", what);
        }
    }

    fn tell(&mut self, stage: Stage, done: u64, total: Option<u64>) {
        if done.is_multiple_of(PROGRESS_EVERY) || Some(done) == total {
            (self.progress)(Progress { stage, done, total });
        }
    }
}
