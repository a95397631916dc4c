//! One block that is kept, on the main chain or beside it: its header, its body and their
//! signatures.

use super::Walk;
use crate::block::{BlockError, Header, HeaderFields, UnverifiedBlock, VerifiedBlock};
use crate::chain::check_step;
use crate::ids::BlockId;
use crate::store::{Store, StoreError};
use crate::transaction::VerifiedTx;

impl<S: Store> Walk<'_, S> {
    /// A kept block's header, if it is there and readable.
    pub(super) fn kept_header(&mut self, id: BlockId) -> Result<Option<Header>, StoreError> {
        let row = format_args!("block {id}");
        self.report.present("headers", &row, self.store.header(&id), "it is missing")
    }

    /// Checks a header by itself and against its parent's. Says whether its form holds.
    pub(super) fn check_header(
        &mut self,
        id: BlockId,
        header: &Header,
        parent: Option<&HeaderFields>,
    ) -> bool {
        let row = format_args!("block {id}");
        if header.id() != id {
            self.report.note("headers", &row, "it holds another block's header");
            return false;
        }
        self.signatures.header(id, header, &mut self.report);
        if let Some(Err(unfit)) = parent.map(|parent| check_step(&header.fields, parent, u64::MAX))
        {
            self.report.note("headers", &row, unfit);
        }
        match header.check_form(self.rules) {
            Ok(()) => true,
            Err(error) => {
                self.report.note("headers", &row, error);
                false
            }
        }
    }

    /// Checks the body of a block whose header's form holds; none if it is not there, or not right.
    pub(super) fn check_body(
        &mut self,
        id: BlockId,
        header: &Header,
    ) -> Result<Option<VerifiedBlock>, StoreError> {
        let row = format_args!("block {id}");
        let read = self.store.body(&id);
        let Some(body) = self.report.present("bodies", &row, read, "it is missing")? else {
            return Ok(None);
        };
        let limit = self.rules.genesis().limits.block_bytes as usize;
        let block = match UnverifiedBlock::from_body((id, header.clone()), &body, limit) {
            Ok(block) => block,
            Err(error) => {
                self.report.note("bodies", &row, error);
                return Ok(None);
            }
        };
        self.report.audit.bytes += block.size() as u64;
        let transactions = block.transactions().to_vec();
        if let Err(error) = block.check_form(self.rules, |_| None) {
            match error {
                BlockError::WrongRoot => {
                    self.report.note("bodies", &row, "it is not the body that the header is for");
                }
                error => self.report.note("bodies", &row, error),
            }
            return Ok(None);
        }
        if self.options.signatures {
            for tx in &transactions {
                self.signatures.transaction(id, tx, &mut self.report);
            }
        }
        let transactions = transactions.into_iter().map(VerifiedTx::from_own_store).collect();
        Ok(Some(VerifiedBlock::from_own_store(header.clone(), transactions)))
    }

    /// Whether a block is on the main chain. What is wrong with the row of its height is told by
    /// the walk over the main chain.
    pub(super) fn is_main(&self, id: BlockId, height: u64) -> Result<bool, StoreError> {
        match self.store.block_at(height) {
            Ok(main) => Ok(main == Some(id)),
            Err(StoreError::Corrupt(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
