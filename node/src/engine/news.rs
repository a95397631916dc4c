//! What is written down of blocks and the chain they make.

use hearsay_chain::block::Header;
use hearsay_chain::chain::TipChange;
use hearsay_chain::{Store, StoreError, VerifiedBlock};

use super::input::Time;
use super::{Effect, Engine};
use crate::trace::event::{Event, Kind};

/// How old a block's slot may be for it and its transactions to be written down one by one, in
/// milliseconds.
const NEWS_MS: u64 = 60_000;

impl<S: Store> Engine<S> {
    /// What is to be written down once a block is stored; nothing of one that is here already, or
    /// whose slot is long over.
    pub(super) fn news_of(
        &self,
        now: Time,
        block: &VerifiedBlock,
    ) -> Result<Option<Event>, StoreError> {
        let id = block.id();
        if !self.is_news(now, block.header()) || self.chain.contains(&id)? {
            return Ok(None);
        }
        let fields = &block.header().fields;
        Ok(Some(Event::Block {
            kind: Kind::Block,
            id: id.to_string(),
            height: fields.height,
            slot: fields.slot,
            parent: fields.parent.to_string(),
            proposer: fields.proposer.to_string(),
            transactions: block.transactions().len() as u64,
            bytes: block.size() as u64,
            store_us: None,
        }))
    }

    /// Whether a block's slot is not long over.
    pub(super) fn is_news(&self, now: Time, header: &Header) -> bool {
        let began = self.genesis().slot_start_ms(header.fields.slot);
        now.unix_ms() < began.saturating_add(NEWS_MS)
    }

    /// Writes a move of the tip down. What happened to single transactions is news for a minute; a
    /// node that catches up with a long chain would write more than the chain itself.
    pub(super) fn trace_tip(&self, now: Time, change: &TipChange, out: &mut Vec<Effect>) {
        let Some(tip) = change.applied.last() else { return };
        out.push(Effect::Trace(Event::Tip {
            kind: Kind::Block,
            id: tip.id().to_string(),
            height: tip.height(),
            previous: change.previous.id.to_string(),
            previous_height: change.previous.height,
            depth: change.undone.len() as u64,
            applied: change.applied.len() as u64,
            transactions: tip.transactions().len() as u64,
            store_us: None,
        }));
        let is_news = |block: &&VerifiedBlock| self.is_news(now, block.header());
        for block in change.applied.iter().filter(is_news) {
            let (id, height) = (block.id().to_string(), block.height());
            for tx in block.transactions() {
                out.push(Effect::Trace(Event::Included {
                    kind: Kind::Tx,
                    id: tx.id().to_string(),
                    block: id.clone(),
                    height,
                }));
            }
        }
        let news = change.applied.iter().filter(is_news).map(VerifiedBlock::height).min();
        for (height, id) in &change.finalised {
            // Blocks below the oldest new one were final elsewhere long ago, but for those that this
            // node held already.
            let old = change.applied.first().is_some_and(|first| *height >= first.height());
            if !old || news.is_some_and(|news| *height >= news) {
                out.push(Effect::Trace(Event::Final {
                    kind: Kind::Block,
                    id: id.to_string(),
                    height: *height,
                }));
            }
        }
    }
}
