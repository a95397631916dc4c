//! What is known of each peer when it comes to catching up: where it stands, how fast it gives, how
//! busy it is, and whether it failed lately.

use std::collections::BTreeMap;

use hearsay_chain::fork_choice::Candidate;
use libp2p::PeerId;

use super::allowance::{Allowance, Terms};
use crate::choice::{Choice, Chooser};
use crate::members::Load;
use crate::members::choose::{ease, spared};
use crate::wire::{MAX_HEADERS, Standing};

/// Requests for bodies that one peer may have open: one that it answers and one that waits there
/// already, so that it never idles for a round trip.
const MAX_OPEN: usize = 2;

/// The speed that a peer is taken to have until it was measured, in bytes a second: fast, so that
/// each is tried.
const UNKNOWN_SPEED: f64 = 20e6;

/// The share of a new measurement in the running mean.
const SHARE: f64 = 0.3;

/// Pages of headers that a peer may ask for at once, and how many more a second: a page costs this
/// node thousands of reads. Whoever catches up needs one for each 2,048 blocks it stores.
const HEADER_PAGES: Terms = Terms { at_once: 40.0, a_second: 2.0 };

/// What a request for a single header counts for, in pages.
const LEAST_PAGE: f64 = 1.0 / 64.0;

/// Ids of transactions that a peer may ask about: one that is not in the pool costs a read of the
/// store, so that these are fewer reads than headers cause. A peer asks about what was handed in
/// there, some of it at each of its peers.
const IDS: Terms = Terms { at_once: 4_096.0, a_second: 1_024.0 };

/// Transactions that a peer may hand over: each costs a signature check of 60 µs. It hands over what
/// gossip did not bring, such as what it kept over a restart.
const OFFERS: Terms = Terms { at_once: 512.0, a_second: 256.0 };

/// Bytes of transactions of blocks that a peer may ask for, when a compact block left it without:
/// eight blocks of the usual limit at once, and several a second, as whoever has an empty pool wants
/// all of each. What is read from the disk for it counts too.
const BLOCK_BYTES: Terms = Terms { at_once: 8_388_608.0, a_second: 4_194_304.0 };

/// What the least request for transactions of a block counts for, in bytes.
const LEAST_BLOCK_BYTES: f64 = 4_096.0;

/// Bytes of bodies that a peer may ask for: more than a link of 250 Mbit/s carries, so that nobody
/// who catches up is held up, and some hundredths of a processor for reading them.
const BODY_BYTES: Terms = Terms { at_once: 67_108_864.0, a_second: 33_554_432.0 };

/// What each body that is asked for counts for at least, in bytes: a read of the store.
const LEAST_BODY_BYTES: f64 = 4_096.0;

/// How often a peer may ask where this node stands: it does so when it joins, every few seconds and
/// with each comparison of pools.
const STANDINGS: Terms = Terms { at_once: 32.0, a_second: 4.0 };

/// The same of all together that have not said yet what they are. A node that has just come asks
/// before it is known; nobody else has reason to.
const STRANGERS: Terms = Terms { at_once: 128.0, a_second: 16.0 };

/// Failures in a row after which a peer rests for long.
const MAX_FAILURES: u32 = 3;

/// The tip that a peer says it has. A claim until its headers were checked.
pub type Claim = Candidate;

#[derive(Clone, Debug)]
struct Known {
    claim: Option<Claim>,
    first_body: u64,
    open: usize,
    speed: f64,
    load: Load,
    failures: u32,
    rest_until: u64,
    pages: Allowance,
    ids: Allowance,
    offers: Allowance,
    block_bytes: Allowance,
    body_bytes: Allowance,
    standings: Allowance,
}

/// Every peer of this network that is connected; bounded by the connection limits.
#[derive(Debug)]
pub struct Peers {
    by_id: BTreeMap<PeerId, Known>,
    chooser: Chooser,
    strangers: Allowance,
}

impl Peers {
    /// Nobody yet.
    #[must_use]
    pub fn new(chooser: Chooser) -> Self {
        Self { by_id: BTreeMap::new(), chooser, strangers: Allowance::new(STRANGERS) }
    }

    /// A peer is there.
    pub fn joined(&mut self, peer: PeerId) {
        self.by_id.insert(
            peer,
            Known {
                claim: None,
                first_body: 1,
                open: 0,
                speed: UNKNOWN_SPEED,
                load: Load::default(),
                failures: 0,
                rest_until: 0,
                pages: Allowance::new(HEADER_PAGES),
                ids: Allowance::new(IDS),
                offers: Allowance::new(OFFERS),
                block_bytes: Allowance::new(BLOCK_BYTES),
                body_bytes: Allowance::new(BODY_BYTES),
                standings: Allowance::new(STANDINGS),
            },
        );
    }

    /// A peer is gone.
    pub fn left(&mut self, peer: &PeerId) {
        self.by_id.remove(peer);
    }

    /// Whether a peer is there.
    #[must_use]
    pub fn knows(&self, peer: &PeerId) -> bool {
        self.by_id.contains_key(peer)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.by_id.len()
    }

    /// A peer says where it stands.
    pub fn stands(&mut self, peer: &PeerId, standing: &Standing) {
        if let Some(known) = self.by_id.get_mut(peer) {
            known.claim = Some(Claim { height: standing.height, id: standing.tip });
            known.first_body = standing.first_body;
        }
    }

    /// A peer says how busy it is.
    pub fn loaded(&mut self, peer: &PeerId, load: Load) {
        if let Some(known) = self.by_id.get_mut(peer) {
            known.load = load;
        }
    }

    /// A peer sent a block, so it has it.
    pub fn has(&mut self, peer: &PeerId, block: Claim) {
        if let Some(known) = self.by_id.get_mut(peer) {
            known.claim = known.claim.max(Some(block));
        }
    }

    /// A peer's claim came to nothing: all that it can give is known.
    pub fn exhausted(&mut self, peer: &PeerId, tip: Claim) {
        if let Some(known) = self.by_id.get_mut(peer) {
            known.claim = known.claim.min(Some(tip));
        }
    }

    /// Whether anybody has said where it stands.
    #[must_use]
    pub fn any_stands(&self) -> bool {
        self.by_id.values().any(|known| known.claim.is_some())
    }

    /// The best tip that anybody claims.
    #[must_use]
    pub fn best_claim(&self) -> Option<Claim> {
        self.by_id.values().filter_map(|known| known.claim).max()
    }

    /// Chooses a peer that is rested and claims more than `tip`.
    pub fn choose_ahead(&mut self, tip: Claim, now: u64) -> Option<PeerId> {
        let choices = self.choices(now, |known| known.claim > Some(tip));
        self.chooser.choose(&spared(choices))
    }

    /// Whether a peer besides this one is rested and claims more than `tip`.
    #[must_use]
    pub fn others_ahead(&self, than: &PeerId, tip: Claim, now: u64) -> bool {
        let ahead = self.choices(now, |known| known.claim > Some(tip));
        ahead.iter().any(|(choice, _)| choice.peer != *than)
    }

    /// Chooses a peer that is rested, may be asked for more, and that `wants` accepts: it is told
    /// from which height the peer has bodies, and what it claims.
    pub fn choose_free(
        &mut self,
        now: u64,
        wants: impl Fn(PeerId, u64, u64) -> bool,
    ) -> Option<PeerId> {
        let mut choices = self.choices(now, |known| known.open < MAX_OPEN);
        choices.retain(|(choice, _)| {
            self.by_id.get(&choice.peer).is_some_and(|known| {
                let height = known.claim.map_or(0, |claim| claim.height);
                wants(choice.peer, known.first_body, height)
            })
        });
        self.chooser.choose(&spared(choices))
    }

    fn choices(&self, now: u64, fits: impl Fn(&Known) -> bool) -> Vec<(Choice, Load)> {
        let rested = self.by_id.iter().filter(|(_, known)| known.rest_until <= now);
        rested
            .filter(|(_, known)| fits(known))
            .map(|(peer, known)| {
                let weight = known.speed / (known.open + 1) as f64 * ease(&known.load);
                (Choice { peer: *peer, weight }, known.load)
            })
            .collect()
    }

    /// The heights that a peer has bodies of: from the lowest kept to its claim.
    #[must_use]
    pub fn heights(&self, peer: &PeerId) -> Option<std::ops::RangeInclusive<u64>> {
        let known = self.by_id.get(peer)?;
        known.claim.map(|claim| known.first_body..=claim.height)
    }

    /// A request for bodies went out.
    pub fn opened(&mut self, peer: &PeerId) {
        if let Some(known) = self.by_id.get_mut(peer) {
            known.open += 1;
        }
    }

    /// A request for bodies is over, whatever came of it.
    pub fn closed(&mut self, peer: &PeerId) {
        if let Some(known) = self.by_id.get_mut(peer) {
            known.open = known.open.saturating_sub(1);
        }
    }

    /// A peer gave `bytes` in `micros`: what it does is measured, and its failures are forgotten.
    pub fn gave(&mut self, peer: &PeerId, bytes: usize, micros: u64) {
        if let Some(known) = self.by_id.get_mut(peer) {
            let speed = bytes as f64 * 1e6 / micros.max(1) as f64;
            known.speed += SHARE * (speed - known.speed);
            known.failures = 0;
        }
    }

    /// Whether a peer may have so many headers now. Whoever is not known as a peer may not.
    pub fn may_ask_headers(&mut self, peer: &PeerId, count: usize, now: u64) -> bool {
        // The locator alone costs some reads.
        let cost = (count as f64 / MAX_HEADERS as f64).clamp(LEAST_PAGE, 1.0);
        self.by_id.get_mut(peer).is_some_and(|known| known.pages.take(cost, now))
    }

    /// Whether a peer may ask about so many transactions now. Whoever is not known may not.
    pub fn may_ask_ids(&mut self, peer: &PeerId, count: usize, now: u64) -> bool {
        let cost = count.max(1) as f64;
        self.by_id.get_mut(peer).is_some_and(|known| known.ids.take(cost, now))
    }

    /// Whether a peer may hand over so many transactions now. Whoever is not known may not.
    pub fn may_offer(&mut self, peer: &PeerId, count: usize, now: u64) -> bool {
        let cost = count.max(1) as f64;
        self.by_id.get_mut(peer).is_some_and(|known| known.offers.take(cost, now))
    }

    /// Whether a peer may have so many bytes of transactions of blocks now. Whoever is not known may
    /// not.
    pub fn may_ask_block_bytes(&mut self, peer: &PeerId, bytes: usize, now: u64) -> bool {
        let cost = (bytes as f64).max(LEAST_BLOCK_BYTES);
        self.by_id.get_mut(peer).is_some_and(|known| known.block_bytes.take(cost, now))
    }

    /// Whether a peer may ask for so many bodies, before they are read. Whoever is not known may not.
    pub fn may_ask_bodies(&mut self, peer: &PeerId, count: usize, now: u64) -> bool {
        let cost = count.max(1) as f64 * LEAST_BODY_BYTES;
        self.by_id.get_mut(peer).is_some_and(|known| known.body_bytes.take(cost, now))
    }

    /// Whether a peer may have so many bytes of them.
    pub fn may_have_bodies(&mut self, peer: &PeerId, bytes: usize, now: u64) -> bool {
        self.by_id.get_mut(peer).is_some_and(|known| known.body_bytes.take(bytes as f64, now))
    }

    /// Whether a peer may ask where this node stands.
    pub fn may_ask_standing(&mut self, peer: &PeerId, now: u64) -> bool {
        match self.by_id.get_mut(peer) {
            Some(known) => known.standings.take(1.0, now),
            None => self.strangers.take(1.0, now),
        }
    }

    /// A peer was too slow or gave no answer: it rests for `short`, and for `long` after some
    /// failures in a row; and it counts for half as fast.
    pub fn failed(&mut self, peer: &PeerId, now: u64, short: u64, long: u64) {
        if let Some(known) = self.by_id.get_mut(peer) {
            known.failures = known.failures.saturating_add(1);
            known.speed /= 2.0;
            let rest = if known.failures >= MAX_FAILURES { long } else { short };
            known.rest_until = known.rest_until.max(now.saturating_add(rest));
        }
    }

    /// A peer is left alone for a while.
    pub fn rest(&mut self, peer: &PeerId, until: u64) {
        if let Some(known) = self.by_id.get_mut(peer) {
            known.rest_until = known.rest_until.max(until);
        }
    }

    /// The peer after `last` in the order of ids, round and round.
    #[must_use]
    pub fn after(&self, last: Option<PeerId>) -> Option<PeerId> {
        use std::ops::Bound::{Excluded, Unbounded};
        let after = last.and_then(|last| self.by_id.range((Excluded(last), Unbounded)).next());
        after.or_else(|| self.by_id.iter().next()).map(|(peer, _)| *peer)
    }
}
