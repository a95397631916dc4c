//! What an engine does while its node stands still for want of room, and when it goes on.

use hearsay_chain::chain::Import;
use hearsay_chain::{Store, StoreError, Verdict};
use hearsay_network::{Ticket, Topic, bundle};

use super::input::Time;
use super::jobs::Owner;
use super::transactions::Objection;
use super::{Effect, Engine};
use crate::halt::REASON;
use crate::trace::event::{Kind, Origin};

/// There is no room on the disk. Nobody's fault but ours.
pub(super) fn disk_full() -> Objection {
    Objection {
        verdict: Verdict::Ignore,
        reason: REASON,
        message: "this node's disk is full".to_owned(),
    }
}

impl<S: Store> Engine<S> {
    /// Answers for a gossiped message that is not even looked at.
    pub fn pass_over(
        &mut self,
        now: Time,
        topic: Topic,
        data: &[u8],
        ticket: Ticket,
        at: Time,
        out: &mut Vec<Effect>,
    ) {
        let owner = Owner::Gossip { ticket, at, taken: now };
        let parts = match (topic, owner.bundled()) {
            (Topic::Tx, true) => bundle::decode_parts(data).unwrap_or_default(),
            _ => Vec::new(),
        };
        if parts.is_empty() {
            let id = topic.content_id(data);
            return self.judge(now, topic.into(), id, &owner, Err(&disk_full()), out);
        }
        self.bundles.open(&owner, &parts);
        for part in parts {
            let id = topic.content_id(&part);
            self.judge(now, Kind::Tx, id, &owner, Err(&disk_full()), out);
        }
    }

    /// Goes on after [`StoreError::Full`], once there is room. If the change that the store refused
    /// did reach the disk, it is told as any other, and published if the block is this node's own.
    ///
    /// # Errors
    /// [`StoreError::Full`] while there is no room; else our disk's fault.
    pub fn recover(&mut self, now: Time, out: &mut Vec<Effect>) -> Result<(), StoreError> {
        let change = self.chain.recover()?;
        // What was taken from the plan to be stored may be gone.
        self.sync.end_fetch();
        let Some(change) = change else { return self.advance_sync(now, out) };
        let own = self.authority.as_ref().map(hearsay_chain::Keypair::public);
        if let Some(tip) = change.applied.last()
            && Some(tip.header().fields.proposer) == own
        {
            let (id, data) = (tip.id(), self.block_message(now, tip));
            self.publish(Topic::Block, id.0, data, Origin::Produced, out);
        }
        self.after_import(now, &Import::Tip(change), &[], out)?;
        self.advance_sync(now, out)
    }
}
