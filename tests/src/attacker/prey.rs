//! What a hostile peer knows: the keys it has, where the nodes are, and what it has heard of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use hearsay_chain::block::{Header, MAX_BLOCK_BYTES};
use hearsay_chain::{BlockId, VerifiedTx};
use hearsay_network::compact::BlockMessage;
use hearsay_network::push::{Frame, Item, Part};
use hearsay_network::topic::{Topics, message_id};
use hearsay_network::{Multiaddr, PeerId, Topic};

use crate::makers::Makers;
use crate::peer::lock;

/// Messages that are remembered to be replayed.
const MAX_HEARD: usize = 4_096;

/// The bytes of them.
const MAX_HEARD_BYTES: usize = 8 << 20;

/// A node to be attacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Who it is.
    pub peer: PeerId,
    /// Where it listens.
    pub address: Multiaddr,
}

/// What protocols and topics of a network are called.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) push: String,
    pub(super) sync: String,
    pub(super) gossip: String,
    pub(super) version: String,
    pub(super) tx: String,
    pub(super) block: String,
}

/// A network under attack.
#[derive(Debug)]
pub struct Prey {
    pub(super) makers: Arc<Makers>,
    pub(super) targets: Vec<Target>,
    /// The attacker's place among the authorities.
    pub(super) authority: u64,
    pub(super) names: Names,
    senders: std::ops::Range<usize>,
    in_lab: bool,
    heard: Mutex<Heard>,
    nonces: Mutex<BTreeMap<usize, u64>>,
}

#[derive(Debug, Default)]
struct Heard {
    messages: VecDeque<Item>,
    bytes: usize,
    /// What they carry: twice in one bundle would be no replay, but a malformed bundle.
    known: BTreeSet<[u8; 32]>,
    tip: Option<Header>,
}

impl Prey {
    /// A network of which the attacker holds the key of one authority and of some senders, all of
    /// which nobody else uses. `in_lab`: whether its links are shaped.
    #[must_use]
    pub fn new(
        makers: Arc<Makers>,
        targets: Vec<Target>,
        authority: u64,
        senders: std::ops::Range<usize>,
        in_lab: bool,
    ) -> Self {
        let genesis = makers.rules().id();
        let topics = Topics::new(genesis);
        let topic = |it: Topic| topics.ident(it).hash().into_string();
        let names = Names {
            push: format!("/hearsay/{genesis}/push/2"),
            sync: format!("/hearsay/{genesis}/sync/1"),
            gossip: "/meshsub/1.2.0".to_owned(),
            version: format!("/hearsay/{genesis}/1"),
            tx: topic(Topic::Tx),
            block: topic(Topic::Block),
        };
        let (heard, nonces) = (Mutex::default(), Mutex::default());
        Self { makers, targets, authority, names, senders, in_lab, heard, nonces }
    }

    pub(super) fn in_lab(&self) -> bool {
        self.in_lab
    }

    /// Takes over what another one has heard.
    pub fn learn(&self, other: &Self) {
        let theirs = lock(&other.heard).messages.clone();
        let mut heard = lock(&self.heard);
        theirs.iter().for_each(|item| heard.note(item));
    }

    /// A node has pushed something.
    pub(super) fn hear(&self, frame: &Frame) {
        let mut heard = lock(&self.heard);
        for part in &frame.parts {
            match part {
                Part::Messages { items, .. } => {
                    items.iter().for_each(|item| heard.note(item));
                }
                Part::Asked { items } => items.iter().for_each(|(_, item)| heard.note(item)),
                _ => {}
            }
        }
    }

    /// The messages that are remembered, the oldest first.
    pub(super) fn messages(&self) -> Vec<Item> {
        lock(&self.heard).messages.iter().cloned().collect()
    }

    /// The header of the highest block that was heard of.
    pub(super) fn header(&self) -> Option<Header> {
        lock(&self.heard).tip.clone()
    }

    /// The highest block that was heard of, and its height.
    pub(super) fn tip(&self) -> (BlockId, u64) {
        match self.header() {
            Some(header) => (header.id(), header.fields.height),
            None => (self.makers.genesis().block().id(), 0),
        }
    }

    /// The slot that it is now.
    pub(super) fn slot(&self) -> u64 {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        self.makers.genesis().slot_at(ms)
    }

    /// Whether a slot is the attacker's turn.
    pub(super) fn is_turn(&self, slot: u64) -> bool {
        let count = self.makers.genesis().authorities.len() as u64;
        slot > 0 && slot % count == self.authority
    }

    /// Valid transactions of the attacker's own senders that were not made before. Each target has
    /// senders of its own, as their nonces must come in order.
    pub(super) fn payments(&self, place: usize, count: usize) -> Vec<VerifiedTx> {
        let each = (self.senders.len() / self.targets.len().max(1)).max(1);
        let mut nonces = lock(&self.nonces);
        let mut next = |at: usize| {
            let sender = self.senders.start + (place * each + at % each) % self.senders.len();
            let nonce = nonces.entry(sender).or_default();
            *nonce += 1;
            self.makers.payment(sender, *nonce - 1)
        };
        (0..count).map(&mut next).collect()
    }

    /// Valid transactions of one of the attacker's senders, its first ones: the same each time.
    pub(super) fn first_payments(&self, at: usize, count: u64) -> Vec<VerifiedTx> {
        let sender = self.senders.start + at % self.senders.len().max(1);
        (0..count).map(|nonce| self.makers.payment(sender, nonce)).collect()
    }

    /// The id of a message, as gossipsub has it.
    pub(super) fn message_id(&self, topic: Topic, data: &[u8]) -> [u8; 20] {
        match topic {
            Topic::Tx => message_id(&self.names.tx, data),
            Topic::Block => message_id(&self.names.block, data),
        }
    }
}

impl Heard {
    fn note(&mut self, item: &Item) {
        if item.topic == Topic::Block {
            let header = match BlockMessage::decode(&item.data.0, MAX_BLOCK_BYTES) {
                Ok(BlockMessage::Whole(block)) => Some(block.header().clone()),
                Ok(BlockMessage::Compact(block)) => Some(block.header),
                Err(_) => None,
            };
            let height = |it: &Option<Header>| it.as_ref().map_or(0, |it| it.fields.height);
            if height(&header) > height(&self.tip) {
                self.tip = header;
            }
        }
        if !self.known.insert(item.topic.content_id(&item.data.0)) {
            return;
        }
        self.bytes = self.bytes.saturating_add(item.data.0.len());
        self.messages.push_back(item.clone());
        while self.messages.len() > MAX_HEARD || self.bytes > MAX_HEARD_BYTES {
            let Some(old) = self.messages.pop_front() else { return };
            self.bytes = self.bytes.saturating_sub(old.data.0.len());
            self.known.remove(&old.topic.content_id(&old.data.0));
        }
    }
}
