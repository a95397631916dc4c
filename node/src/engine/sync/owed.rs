//! What peers were read or encoded before it showed that they may not have it. They owe it, as if their
//! allowance had gone below nothing: until it is paid, nothing more is read for them. Else whoever asks
//! for much with little left would have all of it read each time, for the price of a question.

use std::collections::BTreeMap;

use hearsay_network::PeerId;
use hearsay_network::sync::Peers;

use super::super::input::Time;

/// The most that a peer owes of one kind, in bytes: the largest block, which is less than any peer may
/// have at once, as what is more could never be paid.
const MOST: usize = 4 << 20;

/// Bytes that are owed, by peer. Only of peers that are known, so it is bounded by the connection limits.
#[derive(Debug, Default)]
pub(super) struct Owed {
    /// Of bodies.
    bodies: BTreeMap<PeerId, usize>,
    /// Of transactions of blocks.
    blocks: BTreeMap<PeerId, usize>,
}

impl Owed {
    /// A peer is gone, and what it may have with it.
    pub(super) fn left(&mut self, peer: &PeerId) {
        self.bodies.remove(peer);
        self.blocks.remove(peer);
    }

    /// Whether a peer may ask for so many bodies: before anything is read. Whoever is not known may not.
    pub(super) fn may_ask_bodies(
        &mut self,
        peers: &mut Peers,
        peer: &PeerId,
        count: usize,
        now: Time,
    ) -> bool {
        let us = now.mono_us;
        pays(&mut self.bodies, peer, |owed| peers.may_have_bodies(peer, owed, us))
            && peers.may_ask_bodies(peer, count, us)
    }

    /// Whether a peer may have the bodies for which so many bytes were read. If not, it owes them.
    pub(super) fn may_have_bodies(
        &mut self,
        peers: &mut Peers,
        peer: &PeerId,
        bytes: usize,
        now: Time,
    ) -> bool {
        let may = peers.may_have_bodies(peer, bytes, now.mono_us);
        if !may && peers.knows(peer) {
            owe(&mut self.bodies, peer, bytes);
        }
        may
    }

    /// Whether a peer may ask for transactions of a block: before anything is read, and whether or not
    /// the block is here. Whoever is not known may not.
    pub(super) fn may_ask_block(&mut self, peers: &mut Peers, peer: &PeerId, now: Time) -> bool {
        let us = now.mono_us;
        pays(&mut self.blocks, peer, |owed| peers.may_ask_block_bytes(peer, owed, us))
            && peers.may_ask_block_bytes(peer, 0, us)
    }

    /// Whether a peer may have what so many bytes of blocks were read or encoded for. If not, it owes
    /// them.
    pub(super) fn may_have_block_bytes(
        &mut self,
        peers: &mut Peers,
        peer: &PeerId,
        bytes: usize,
        now: Time,
    ) -> bool {
        let may = peers.may_ask_block_bytes(peer, bytes, now.mono_us);
        if !may && peers.knows(peer) {
            owe(&mut self.blocks, peer, bytes);
        }
        may
    }
}

/// Whether a peer owes nothing, or `pay` takes all of it.
fn pays(
    owed: &mut BTreeMap<PeerId, usize>,
    peer: &PeerId,
    pay: impl FnOnce(usize) -> bool,
) -> bool {
    let Some(bytes) = owed.get(peer).copied() else { return true };
    let paid = pay(bytes);
    if paid {
        owed.remove(peer);
    }
    paid
}

fn owe(owed: &mut BTreeMap<PeerId, usize>, peer: &PeerId, bytes: usize) {
    let sum = owed.entry(*peer).or_default();
    *sum = sum.saturating_add(bytes).min(MOST);
}
