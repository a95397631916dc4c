//! The bridge between the two ways by which messages spread: what comes by one and is accepted goes
//! out by the other as well, so that plain clients of gossipsub and nodes that push are one network.
//! Pure: time is given.
//!
//! A verdict names a message and does not carry it, so what waits for one is kept here, as far as it
//! may have to go out by the other way. Here, too, are the ids of contents, by which the node knows
//! what the router knows by the ids of messages.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use libp2p::PeerId;
use lru::LruCache;

use crate::event::Route;
use crate::push::MessageId;
use crate::topic::Topic;

/// Messages that may wait here for a verdict: as many as the events that may wait for the engine. The
/// oldest is let go, and then does not go out by the other way.
const MAX_WAITING: usize = 16_384;

/// The bytes of them. What came by push is shared with the router, so it costs nothing more.
const MAX_WAITING_BYTES: usize = 64 << 20;

/// The ids of messages whose contents are known: the spreading of a message ends within ten seconds,
/// which is so many at 6,500 a second.
const MAX_NAMES: usize = 65_536;

/// What gossipsub carried is remembered as long as gossipsub remembers it: [`crate::gossip`].
const CARRIED: Duration = Duration::from_secs(120);

/// And so many at most: that long at 546 a second. One that is forgotten costs a bundle that peers
/// ignore.
const MAX_CARRIED: usize = 65_536;

/// A message that waits for its verdict.
type Waiting = (Topic, Arc<[u8]>);

/// What waits, what was carried, and who listens.
#[derive(Debug)]
pub(super) struct Bridge {
    listeners: BTreeSet<(Topic, PeerId)>,
    waiting: LruCache<(Route, MessageId), Waiting>,
    waiting_bytes: usize,
    names: LruCache<MessageId, [u8; 32]>,
    carried: LruCache<[u8; 32], Duration>,
}

fn lru<K: std::hash::Hash + Eq, V>(most: usize) -> LruCache<K, V> {
    LruCache::new(NonZeroUsize::new(most).unwrap_or(NonZeroUsize::MIN))
}

impl Default for Bridge {
    fn default() -> Self {
        Self {
            listeners: BTreeSet::new(),
            // Its bound is kept below, so that what is let go is counted.
            waiting: LruCache::unbounded(),
            waiting_bytes: 0,
            names: lru(MAX_NAMES),
            carried: lru(MAX_CARRIED),
        }
    }
}

impl Bridge {
    /// A peer has subscribed with gossipsub.
    pub(super) fn listens(&mut self, topic: Topic, peer: PeerId) {
        self.listeners.insert((topic, peer));
    }

    /// A peer has unsubscribed.
    pub(super) fn listens_no_more(&mut self, topic: Topic, peer: PeerId) {
        self.listeners.remove(&(topic, peer));
    }

    /// A peer is gone.
    pub(super) fn left(&mut self, peer: PeerId) {
        for topic in [Topic::Tx, Topic::Block] {
            self.listens_no_more(topic, peer);
        }
    }

    /// Whether anybody has subscribed with gossipsub.
    pub(super) fn is_heard(&self, topic: Topic) -> bool {
        self.listeners.iter().any(|(it, _)| *it == topic)
    }

    /// A message waits for its verdict. How many were let go for it.
    pub(super) fn wait(
        &mut self,
        route: Route,
        message: MessageId,
        topic: Topic,
        data: Arc<[u8]>,
    ) -> u64 {
        self.waiting_bytes = self.waiting_bytes.saturating_add(data.len());
        if let Some((_, old)) = self.waiting.put((route, message), (topic, data)) {
            self.waiting_bytes = self.waiting_bytes.saturating_sub(old.len());
        }
        let mut let_go = 0;
        while self.waiting.len() > MAX_WAITING || self.waiting_bytes > MAX_WAITING_BYTES {
            let Some((_, (_, old))) = self.waiting.pop_lru() else { break };
            self.waiting_bytes = self.waiting_bytes.saturating_sub(old.len());
            let_go += 1;
        }
        let_go
    }

    /// A message was judged: takes it out.
    pub(super) fn judged(
        &mut self,
        route: Route,
        message: &MessageId,
    ) -> Option<(Topic, Arc<[u8]>)> {
        let (topic, data) = self.waiting.pop(&(route, *message))?;
        self.waiting_bytes = self.waiting_bytes.saturating_sub(data.len());
        Some((topic, data))
    }

    /// Notes the content of a message.
    pub(super) fn name(&mut self, message: MessageId, content: [u8; 32]) {
        self.names.put(message, content);
    }

    /// The content of a message, if it is remembered.
    pub(super) fn content(&mut self, message: &MessageId) -> Option<[u8; 32]> {
        self.names.get(message).copied()
    }

    /// Gossipsub carries this.
    pub(super) fn carry(&mut self, now: Duration, content: [u8; 32]) {
        self.carried.put(content, now);
    }

    /// Whether gossipsub carried this not long ago.
    pub(super) fn carried(&self, now: Duration, content: &[u8; 32]) -> bool {
        self.carried.peek(content).is_some_and(|at| now.saturating_sub(*at) < CARRIED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: usize) -> MessageId {
        let mut id = [0; 20];
        id[..8].copy_from_slice(&number.to_le_bytes());
        id
    }

    #[test]
    fn what_waits_is_bounded_in_number_and_in_bytes_and_the_oldest_goes() {
        let mut bridge = Bridge::default();
        let mut let_go = 0;
        for number in 0..MAX_WAITING + 2 {
            let_go += bridge.wait(Route::Push, message(number), Topic::Tx, Arc::from([0; 8]));
        }
        assert_eq!(let_go, 2);
        assert_eq!(bridge.judged(Route::Push, &message(1)), None);
        assert!(bridge.judged(Route::Push, &message(2)).is_some());
        assert_eq!(bridge.judged(Route::Push, &message(2)), None, "one verdict each");
        let large: Arc<[u8]> = vec![0; MAX_WAITING_BYTES].into();
        let let_go = bridge.wait(Route::Gossipsub, message(7), Topic::Block, large);
        assert_eq!(let_go as usize, MAX_WAITING - 1);
        assert!(bridge.judged(Route::Gossipsub, &message(7)).is_some());
        assert_eq!(bridge.waiting_bytes, 0);
    }

    #[test]
    fn the_same_message_may_wait_on_both_ways() {
        let mut bridge = Bridge::default();
        for route in [Route::Push, Route::Gossipsub] {
            bridge.wait(route, message(1), Topic::Tx, Arc::from([1]));
        }
        assert!(bridge.judged(Route::Push, &message(1)).is_some());
        assert!(bridge.judged(Route::Gossipsub, &message(1)).is_some());
    }

    #[test]
    fn somebody_listens_until_the_last_one_has_left() {
        let (mut bridge, peers) = (Bridge::default(), [PeerId::random(), PeerId::random()]);
        for peer in peers {
            bridge.listens(Topic::Tx, peer);
            bridge.listens(Topic::Tx, peer);
        }
        bridge.left(peers[0]);
        assert!(bridge.is_heard(Topic::Tx) && !bridge.is_heard(Topic::Block));
        bridge.listens_no_more(Topic::Tx, peers[1]);
        assert!(!bridge.is_heard(Topic::Tx));
    }

    #[test]
    fn what_gossipsub_carried_may_be_carried_again_after_a_while() {
        let mut bridge = Bridge::default();
        bridge.carry(Duration::from_secs(1), [1; 32]);
        assert!(bridge.carried(CARRIED, &[1; 32]));
        assert!(!bridge.carried(CARRIED + Duration::from_secs(1), &[1; 32]));
        assert!(!bridge.carried(CARRIED, &[2; 32]));
    }
}
