//! Compact blocks: what is gossiped of a block, and how one is put together again.

use hearsay_chain::{BlockId, Store, StoreError, VerifiedBlock, codec};
use hearsay_network::compact::{BlockMessage, CompactBlock};
use hearsay_network::wire::Response;
use hearsay_network::{PeerId, RequestId};

use super::input::{Time, Token};
use super::jobs::Owner;
use super::{Effect, Engine};

/// How blocks are gossiped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BlockForm {
    /// Whole.
    Full,
    /// A header, and short names for the transactions.
    #[default]
    Compact,
}

/// The state of it.
#[derive(Debug)]
pub(super) struct Compact {
    form: BlockForm,
}

impl Compact {
    pub(super) fn new(form: BlockForm) -> Self {
        Self { form }
    }
}

impl<S: Store> Engine<S> {
    /// A block as this node gossips it.
    pub(super) fn block_message(&self, block: &VerifiedBlock) -> Vec<u8> {
        match self.compact.form {
            BlockForm::Full | BlockForm::Compact => {
                BlockMessage::whole(&codec::encode(&block.to_block()))
            }
        }
    }

    pub(super) fn on_compact_block(
        &mut self,
        _now: Time,
        _compact: CompactBlock,
        _bytes: usize,
        _owner: Owner,
        _out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        Ok(())
    }

    pub(super) fn on_block_request(
        &mut self,
        _now: Time,
        _from: PeerId,
        _block: BlockId,
        _places: &[u32],
        token: Token,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        out.push(Effect::Ignore { token });
        Ok(())
    }

    pub(super) fn on_block_response(
        &mut self,
        _now: Time,
        _from: (PeerId, RequestId),
        _block: BlockId,
        _result: Result<Response, String>,
        _out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        Ok(())
    }

    pub(super) fn drive_compact(&mut self, _: Time, _: &mut Vec<Effect>) -> Result<(), StoreError> {
        Ok(())
    }
}
