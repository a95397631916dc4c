//! What an audit found.

use std::fmt;

use serde::Serialize;

use crate::store::StoreError;

/// Findings that are kept; further ones are counted. A damaged store may have one for each row, and
/// nobody reads more.
pub const MAX_FINDINGS: usize = 100;

/// One thing that is wrong with a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The table; `meta` for the ends of the chain.
    pub table: &'static str,
    /// The row.
    pub row: String,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}: {}", self.table, self.row, self.what)
    }
}

/// What an audit saw and found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Blocks of the main chain above the genesis block.
    pub blocks: u64,
    /// Transactions in those whose bodies are kept.
    pub transactions: u64,
    /// Accounts that hold something.
    pub accounts: u64,
    /// Blocks beside the main chain.
    pub side_blocks: u64,
    /// Signatures checked.
    pub signatures: u64,
    /// Headers and bodies of all blocks, in bytes.
    pub bytes: u64,
    /// What is wrong: the first [`MAX_FINDINGS`].
    pub findings: Vec<Finding>,
    /// How many things are wrong in all.
    pub findings_total: u64,
}

impl Audit {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings_total == 0
    }
}

/// An audit's result as it grows.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) audit: Audit,
}

impl Report {
    pub(super) fn is_clean(&self) -> bool {
        self.audit.is_clean()
    }

    pub(super) fn note(
        &mut self,
        table: &'static str,
        row: &dyn fmt::Display,
        what: impl fmt::Display,
    ) {
        self.audit.findings_total += 1;
        if self.audit.findings.len() < MAX_FINDINGS {
            let (row, what) = (row.to_string(), what.to_string());
            self.audit.findings.push(Finding { table, row, what });
        }
    }

    /// What was read; none, and a finding, if it is damaged.
    ///
    /// # Errors
    /// A disk that fails to read at all.
    pub(super) fn readable<T>(
        &mut self,
        table: &'static str,
        row: &dyn fmt::Display,
        read: Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(StoreError::Corrupt(why)) => {
                self.note(table, row, format_args!("it cannot be read ({why})"));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// What was read; none, and a finding, if it is damaged or missing.
    ///
    /// # Errors
    /// A disk that fails to read at all.
    pub(super) fn present<T>(
        &mut self,
        table: &'static str,
        row: &dyn fmt::Display,
        read: Result<Option<T>, StoreError>,
        missing: &str,
    ) -> Result<Option<T>, StoreError> {
        let read = self.readable(table, row, read)?;
        if let Some(None) = read {
            self.note(table, row, missing);
        }
        Ok(read.flatten())
    }

    pub(super) fn into_audit(self) -> Audit {
        self.audit
    }
}
