//! The protocol of a node, as a function of its state, one input and the time.
//!
//! Nothing here knows a socket, a thread, a clock or entropy: whatever drives it (the real shell or
//! a simulation under virtual time) hands in [`Input`]s and carries out [`Effect`]s. Signature
//! checks are the one costly thing that a block or a transaction needs and that no state is needed
//! for; they leave as [`Effect::Check`] and come back as [`Input::Checked`].

mod answers;
mod blocks;
mod brought;
mod bundles;
mod compact;
mod departures;
mod effect;
mod forward;
mod halt;
mod input;
mod inspect;
mod jobs;
mod keep;
mod load;
mod names;
mod news;
mod offers;
mod orphans;
mod producer;
mod reconcile;
mod restore;
mod scores;
mod sightings;
mod surroundings;
mod sync;
#[cfg(test)]
mod tests;
mod transactions;
mod trial;
mod unbroadcast;
mod unpublished;
mod work;

use hearsay_chain::{Chain, Genesis, Keypair, Store, StoreError, TxId, VerifiedTx};
use hearsay_mempool::{Now, Pool};
use hearsay_network::Topic;
use hearsay_network::choice::Strategy;
use hearsay_network::score::{Offence, Scores};

use crate::api::{Answer, Query, VerdictCounts};
use crate::trace::event::{Event, Kind, PeerState, VerdictName};
use bundles::Bundles;
use compact::Compact;
use departures::Departures;
use forward::Forwards;
use jobs::Jobs;
use names::Names;
use orphans::Orphans;
use reconcile::Reconcile;
use restore::Restoring;
use sightings::Sightings;
use sync::Sync;
use unbroadcast::Unbroadcast;
use unpublished::Unpublished;

pub use compact::BlockForm;
pub use effect::Effect;
pub use input::{Copy, Input, Time, Token};
pub use jobs::JobId;
pub use keep::Kept;
pub use reconcile::Reconciliation;
pub use restore::{RESTORE_BATCH, RestoreTally, Restored};
pub use surroundings::{Neighbour, Surroundings};
pub use work::{Done, Work, run_all};

/// The longest time between two ticks. Slots are met exactly, whatever this is; the rest that ticks
/// drive (expiry, retries, polling) is coarser.
const TICK_US: u64 = 100_000;

/// How far the pool's clock is ahead of this process's, in microseconds: longer than anything waits.
const POOL_AHEAD_US: u64 = 1 << 50;

/// How far another node's clock may run ahead: a block from a slot that begins within this is taken.
/// Clocks kept by NTP are well within it, and it is below the shortest slots in use.
pub const CLOCK_TOLERANCE_MS: u64 = 500;

/// What an engine is set up with.
#[derive(Debug)]
pub struct Setup {
    /// The key that this node proposes with, if it is an authority.
    pub authority: Option<Keypair>,
    /// The empty pool, with its bounds.
    pub pool: Pool,
    /// How peers are chosen to catch up from.
    pub sync_peers: Strategy,
    /// How blocks are gossiped.
    pub blocks: BlockForm,
    /// How pools are compared with those of peers.
    pub reconcile: Reconciliation,
    /// How a neighbour is chosen to take what is handed in here; none: this node takes it.
    pub forward: Option<Strategy>,
    /// What those choices' random numbers come from: any number, another one at each start.
    pub seed: u64,
}

/// The state of one node.
#[derive(Debug)]
pub struct Engine<S> {
    chain: Chain<S>,
    pool: Pool,
    authority: Option<Keypair>,
    /// The last slot that this node must not propose in, or has proposed in.
    proposed: u64,
    started: Time,
    next_expiry_us: u64,
    jobs: Jobs,
    bundles: Bundles,
    compact: Compact,
    reconcile: Reconcile,
    orphans: Orphans,
    sightings: Sightings,
    names: Names,
    unpublished: Unpublished,
    restoring: Restoring,
    unbroadcast: Unbroadcast,
    departures: Departures,
    scores: Scores,
    sync: Sync,
    forwards: Forwards,
    /// Transactions that were judged.
    judged: u64,
    verdicts: VerdictCounts,
}

impl<S: Store> Engine<S> {
    /// An engine on a chain, started at `now`.
    ///
    /// It does not propose in the slot it starts in: it may have done so just before it stopped.
    #[must_use]
    pub fn new(chain: Chain<S>, setup: Setup, now: Time) -> Self {
        let genesis = chain.genesis();
        let max_count = setup.pool.config().max_count;
        Self {
            proposed: genesis.slot_at(now.unix_ms()),
            pool: setup.pool,
            authority: setup.authority,
            started: now,
            next_expiry_us: now.mono_us,
            jobs: Jobs::default(),
            bundles: Bundles::default(),
            compact: Compact::new(setup.blocks, setup.seed),
            reconcile: Reconcile::new(setup.reconcile, setup.seed),
            orphans: Orphans::default(),
            sightings: Sightings::default(),
            names: Names::default(),
            unpublished: Unpublished::default(),
            restoring: Restoring::default(),
            unbroadcast: Unbroadcast::new(max_count),
            departures: Departures::new(max_count),
            scores: Scores::default(),
            sync: Sync::new(setup.sync_peers, setup.seed),
            forwards: Forwards::new(setup.forward, setup.seed),
            judged: 0,
            verdicts: VerdictCounts::default(),
            chain,
        }
    }

    /// The chain, to read from.
    #[must_use]
    pub fn chain(&self) -> &Chain<S> {
        &self.chain
    }

    /// The pool, to read from.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    fn genesis(&self) -> &Genesis {
        self.chain.genesis()
    }

    /// Takes one input, and appends what is to be done about it to `out`, in order.
    ///
    /// # Errors
    /// Our disk's fault: the node must stop.
    pub fn handle(
        &mut self,
        now: Time,
        input: Input,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        match input {
            Input::Copy(copy) => self.on_copy(&copy, out),
            Input::Gossip { topic, data, ticket, at } => {
                self.on_gossip(now, topic, &data, ticket, at, out)?;
            }
            Input::Checked { job, done } => self.on_checked(now, job, done, out)?,
            Input::Published { topic, id, failure } => self.unpublished.note(topic, id, failure),
            Input::Taken { topic: Topic::Tx, id } => self.has_been_taken(&TxId(id)),
            Input::Taken { topic: Topic::Block, .. } => {}
            Input::Offence { peer, what } => self.charge(now, peer, Offence::Misuse, what, out),
            Input::Joined(peer) => self.on_joined(now, peer, out),
            Input::Listening(_) => self.publish_again(now, out)?,
            Input::Left(peer) => self.on_left(now, peer, out)?,
            Input::Foreign(peer) => out.push(peer_event(&peer, PeerState::Foreign, None)),
            Input::Dropped { .. } => self.reconcile.lost(now),
            Input::RoundTrip(peer, rtt_us) => {
                self.reconcile.measured(&peer, rtt_us);
                out.push(peer_event(&peer, PeerState::Measured, Some(rtt_us)));
            }
            Input::Request { from, request, token } => {
                self.on_request(now, from, request, token, out)?;
            }
            Input::Response { from, id, result } => self.on_response(now, from, id, result, out)?,
            Input::Submit { token, tx, via } => {
                self.on_submit(now, token, tx, via.as_ref(), out)?;
            }
            Input::Surroundings(around) => self.on_surroundings(around),
            Input::Ask { token, query: Query::Test(tx) } => self.on_test(now, token, tx, out)?,
            Input::Ask { token, query: Query::Ban { peer, seconds } } => {
                self.ban(now, peer, seconds, out);
                out.push(Effect::Answer { token, answer: Answer::Done(true) });
            }
            Input::Ask { token, query: Query::Unban { peer } } => {
                let answer = Answer::Done(self.unban(peer, out));
                out.push(Effect::Answer { token, answer });
            }
            Input::Ask { token, query } => {
                let answer = self.answer(now, &query)?;
                out.push(Effect::Answer { token, answer });
            }
            Input::Restore(transactions) => self.on_restore(now, transactions, out)?,
            Input::RestoreEnd => self.on_restore_end(out),
            Input::Tick => self.on_tick(now, out)?,
        }
        Ok(())
    }

    /// Whether an input may make this commit to its store, and so wait for a disk.
    #[must_use]
    pub fn may_commit(&self, input: &Input) -> bool {
        match input {
            Input::Checked { done, .. } => matches!(done, Done::Blocks(..)),
            Input::Tick => self.authority.is_some() || self.sync.has_more_to_store(),
            // What waited for a response may be complete with it.
            Input::Response { .. } => true,
            _ => false,
        }
    }

    /// When the next [`Input::Tick`] is due, in microseconds since the Unix epoch: in a tenth of a
    /// second, when the next slot begins, or at once if there is more to store.
    #[must_use]
    pub fn next_tick(&self, now: Time) -> u64 {
        let genesis = self.genesis();
        let next_slot = genesis.slot_at(now.unix_ms()).saturating_add(1);
        let slot_us = genesis.slot_start_ms(next_slot).saturating_mul(1_000);
        let soon = if self.sync.has_more_to_store() { 0 } else { TICK_US };
        now.unix_us.saturating_add(soon).min(slot_us)
    }

    fn on_tick(&mut self, now: Time, out: &mut Vec<Effect>) -> Result<(), StoreError> {
        self.propose(now, out)?;
        self.drive_sync(now, out)?;
        self.drive_forwards(now, out)?;
        self.drive_unbroadcast(now, out);
        self.drive_reconcile(now, out);
        self.drive_compact(now, out)?;
        if now.mono_us >= self.next_expiry_us {
            self.next_expiry_us = now.mono_us.saturating_add(1_000_000);
            for (id, departure) in self.pool.expire(self.pool_now(now)) {
                self.departed(id, departure, None, out);
            }
            self.publish_again(now, out)?;
            self.orphans.expire(now.mono_us);
            self.scores.tick(now.mono_us);
        }
        Ok(())
    }

    /// The moment as the pool is told it. Its clock is ahead of this process's, so that what came
    /// before a restart came at some moment too.
    fn pool_now(&self, now: Time) -> Now {
        Now { us: now.mono_us.saturating_add(POOL_AHEAD_US), next_height: self.next_height() }
    }

    fn next_height(&self) -> u64 {
        self.chain.ends().height.saturating_add(1)
    }

    /// The latest slot whose blocks are not too early.
    fn latest_slot(&self, now: Time) -> u64 {
        self.genesis().slot_at(now.unix_ms().saturating_add(CLOCK_TOLERANCE_MS))
    }

    fn known_tx(&self, id: &TxId) -> Option<VerifiedTx> {
        self.pool.get(id).cloned()
    }

    fn count(&mut self, verdict: hearsay_chain::Verdict) {
        let count = match verdict {
            hearsay_chain::Verdict::Accept => &mut self.verdicts.accept,
            hearsay_chain::Verdict::Ignore => &mut self.verdicts.ignore,
            hearsay_chain::Verdict::Reject => &mut self.verdicts.reject,
        };
        *count = count.saturating_add(1);
    }
}

fn peer_event(peer: &hearsay_network::PeerId, state: PeerState, rtt_us: Option<u64>) -> Effect {
    Effect::Trace(Event::Peer { peer: peer.to_string(), state, rtt_us })
}

fn evicted(id: TxId, reason: &str) -> Effect {
    Effect::Trace(Event::Evicted { kind: Kind::Tx, id: id.to_string(), reason: reason.to_owned() })
}

fn verdict_name(verdict: hearsay_chain::Verdict) -> VerdictName {
    match verdict {
        hearsay_chain::Verdict::Accept => VerdictName::Accept,
        hearsay_chain::Verdict::Ignore => VerdictName::Ignore,
        hearsay_chain::Verdict::Reject => VerdictName::Reject,
    }
}
