//! The membership of one node as a function of what comes in and of the time.
//!
//! The machine owns the state machine (foca), which keeps the list, merges claims, probes and
//! spreads. Around it the machine judges what others say, finds ways to members that are no
//! neighbours, checks lost connections, times suspicions, compares lists and comes back when it was
//! held to be down. It reads no clock and opens no socket: every call says what time it is, as the
//! time since some fixed start, and what is to be done waits in a queue of [`Output`]s.

mod accept;
mod check;
mod claims;
mod compare;
mod config;
mod drive;
mod learn;
mod output;
mod own;
mod record;
mod send;
mod settle;
mod suspect;
mod view;

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroUsize;
use std::time::Duration;

use foca::{AccumulatingRuntime, Foca, Timer};
use hearsay_chain::ids::GenesisId;
use libp2p::PeerId;
use libp2p::identity::{KeyType, Keypair};
use lru::LruCache;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use self::check::Check;
use self::config::foca_config;
pub use self::config::{About, Config};
pub use self::output::{Cause, Change, MemberView, News, Output, State, Stats, Traffic};
use self::record::Record;
use super::candidates::Candidates;
use super::codec::Local;
use super::guard::{ALARMS, Allowance};
use super::identity::{self, Id};
use super::load::Load;
use super::profile::{Key, SignedProfile};
use super::routes::{MAX_MEMBERS, Routes};
use super::rumour::Topics;
use super::suspicion::{Health, Suspicion};

/// The machine cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NewError {
    /// Members are named by their Ed25519 keys.
    #[error("the node's key is not an Ed25519 key")]
    NotEd25519,
}

/// A neighbour: a connection to it stands.
#[derive(Debug)]
struct Neighbour {
    peer: PeerId,
    allowance: Allowance,
}

/// A probe under way.
#[derive(Clone, Copy, Debug)]
struct Probe {
    target: Id,
    number: u8,
    at: Duration,
    answered: bool,
}

/// When what is due next; none where nothing is.
#[derive(Clone, Copy, Debug, Default)]
struct Due {
    gossip: Option<Duration>,
    compare: Option<Duration>,
    revive: Option<Duration>,
    publish: Option<Duration>,
    load: Option<Duration>,
}

/// How many ways back are remembered for keys that no route is known to.
const MAX_VIA: usize = 2 * MAX_MEMBERS;

/// One member: what came and what time it is go in; what is to be sent, dialled and told comes out.
pub struct Machine {
    config: Config,
    genesis: GenesisId,
    keypair: Keypair,
    about: About,
    random: StdRng,

    foca: Foca<Id, Local, StdRng, Topics>,
    runtime: AccumulatingRuntime<Id>,
    timers: BTreeMap<(Duration, u64), Timer<Id>>,
    timer_number: u64,
    probe: Option<Probe>,
    transmissions: u8,

    /// When we started, in milliseconds since the Unix epoch.
    born: u64,
    /// Our profile as it stands, and the incarnation that foca has for us.
    own: SignedProfile,
    incarnation: u16,
    counter: u64,
    load: Load,
    /// The load that the neighbours know, and since when.
    told_load: Option<(Load, Duration)>,
    /// How many more changes of our load we spread to all.
    alarms: Allowance,
    published: Duration,
    renewed: Option<Duration>,
    /// Who made us renew, and when.
    renewers: LruCache<Key, Duration>,
    gone: bool,

    neighbours: BTreeMap<Key, Neighbour>,
    records: BTreeMap<Key, Record>,
    candidates: Candidates,
    routes: Routes,
    /// From which neighbour something of this source came last.
    via: LruCache<Key, Key>,
    suspicions: BTreeMap<Key, Suspicion>,
    checks: BTreeMap<Key, Check>,
    /// Whose death was told, and is now suspected.
    doubted: Vec<Key>,
    health: Health,
    /// Which profiles were asked for, and when.
    wanted: LruCache<Key, Duration>,

    due: Due,
    /// When we wanted to be called at the latest.
    promised: Option<Duration>,
    gossiped: Option<Duration>,
    out: VecDeque<Output>,
    stats: Stats,
    /// The state machine did something since the last look at its list.
    dirty: bool,
}

impl Machine {
    /// A member that knows nobody yet. `started` is the time of its start in milliseconds since the
    /// Unix epoch. The same inputs with the same `seed` give the same outputs.
    ///
    /// # Errors
    /// If the key is not an Ed25519 key.
    pub fn new(
        config: Config,
        genesis: GenesisId,
        keypair: Keypair,
        about: About,
        started: u64,
        seed: u64,
    ) -> Result<Self, NewError> {
        let key = Key::of(&keypair.public().to_peer_id()).ok_or(NewError::NotEd25519)?;
        if keypair.key_type() != KeyType::Ed25519 {
            return Err(NewError::NotEd25519);
        }
        let mut random = StdRng::seed_from_u64(seed);
        let generation = identity::first(started);
        let id = Id { key, generation };
        let foca = Foca::with_custom_broadcast(
            id,
            foca_config(&config, 1),
            StdRng::seed_from_u64(random.random()),
            Local,
            Topics,
        );
        let own = own::profile(&about, key, generation, 0, &[]);
        let own = SignedProfile::sign(own, &genesis, &keypair);
        let lru = |size| LruCache::new(NonZeroUsize::new(size).expect("not nought"));
        Ok(Self {
            config,
            genesis,
            keypair,
            about,
            random,
            foca,
            runtime: AccumulatingRuntime::new(),
            timers: BTreeMap::new(),
            timer_number: 0,
            probe: None,
            transmissions: 1,
            born: started,
            own,
            incarnation: 0,
            counter: 0,
            load: Load::default(),
            told_load: None,
            alarms: Allowance::new(ALARMS, Duration::ZERO),
            published: Duration::ZERO,
            renewed: None,
            renewers: LruCache::new(NonZeroUsize::new(MAX_MEMBERS).expect("not nought")),
            gone: false,
            neighbours: BTreeMap::new(),
            records: BTreeMap::new(),
            candidates: Candidates::new(),
            routes: Routes::new(key),
            via: lru(MAX_VIA),
            suspicions: BTreeMap::new(),
            checks: BTreeMap::new(),
            doubted: Vec::new(),
            health: Health::default(),
            wanted: LruCache::new(NonZeroUsize::new(MAX_MEMBERS).expect("not nought")),
            due: Due::default(),
            promised: None,
            gossiped: None,
            out: VecDeque::new(),
            stats: Stats::default(),
            dirty: false,
        })
    }

    /// The next thing to do or to tell. Take them all after each call.
    pub fn output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// When [`Machine::tick`] is wanted at the latest; none while there is nothing to wait for.
    #[must_use]
    pub fn next_wake(&self) -> Option<Duration> {
        if self.gone {
            return None;
        }
        let Due { gossip, compare, revive, publish, load } = self.due;
        let own = [gossip, compare, revive, publish, load];
        let timer = self.timers.keys().next().map(|(at, _)| *at);
        let check = self.checks.values().map(|check| check.due).min();
        let suspicion = self.suspicions.values().map(|s| self.suspicion_due(s)).min();
        let others = [timer, check, suspicion, self.candidates.wake()];
        own.into_iter().chain(others).flatten().min()
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Duration) {
        if self.gone {
            return;
        }
        self.awake(now);
        self.run_timers(now);
        self.end_suspicions(now);
        self.end_checks(now);
        self.greet(now);
        self.gossip(now);
        self.compare(now);
        self.revive_one(now);
        self.publish_if_due(now);
        self.tell_load(now);
        self.settle(now);
        self.promise(now);
    }

    /// Before anything is done: whether we come much later than we wanted to be called.
    fn awake(&mut self, now: Duration) {
        let late = self.promised.map_or(Duration::ZERO, |at| now.saturating_sub(at));
        if late > 2 * self.config.probe_period {
            self.resume(now, late);
        } else if late > self.config.probe_rtt {
            self.health.worse();
        } else {
            return;
        }
        self.promised = Some(now);
    }

    /// After everything is done: when we want to be called. What is due meanwhile does not count,
    /// as a suspicion can end earlier than it was to when others confirm it.
    fn promise(&mut self, now: Duration) {
        self.promised = self.next_wake().map(|at| at.max(now));
    }

    /// A probability out of so many in all: at random, so that many members do not do the same.
    fn one_of(&mut self, wanted: usize, among: usize) -> bool {
        among <= wanted || self.random.random_range(0..among) < wanted
    }

    fn me(&self) -> Key {
        self.own.profile.peer
    }

    /// The members that are there, with ourselves.
    fn size(&self) -> usize {
        self.foca.num_members() + 1
    }
}
