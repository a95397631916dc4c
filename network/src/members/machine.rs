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
mod drive;
mod output;
mod own;
mod record;
mod send;
mod settle;
mod suspect;
mod view;

use std::collections::{BTreeMap, VecDeque};
use std::num::{NonZeroU8, NonZeroUsize};
use std::time::Duration;

use foca::{AccumulatingRuntime, Foca, Timer};
use hearsay_chain::ids::GenesisId;
use libp2p::identity::{KeyType, Keypair};
use libp2p::{Multiaddr, PeerId};
use lru::LruCache;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use self::check::Check;
pub use self::output::{Cause, Change, MemberView, News, Output, State, Stats, Traffic};
use self::record::Record;
use super::candidates::Candidates;
use super::codec::{Local, PACKET_BYTES};
use super::guard::Allowance;
use super::identity::Id;
use super::load::Load;
use super::profile::{Key, Role, SignedProfile};
use super::routes::{MAX_MEMBERS, Routes};
use super::rumour::Topics;
use super::suspicion::{Health, Suspicion};

/// The times of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// How often one member is probed: 1 s. Also how long a probe may take in all.
    pub probe_period: Duration,
    /// How long to wait for a direct answer: 500 ms, the 99th percentile of two hops there and back
    /// between continents.
    pub probe_rtt: Duration,
    /// How many members are asked to probe for us: 3.
    pub helpers: NonZeroUsize,
    /// How often fresh news is pushed, beside what rides on probes: 200 ms. Without news, never.
    pub gossip_every: Duration,
    /// How often lists are compared with one partner: 10 s, and more rarely beyond 32 members.
    pub compare_every: Duration,
    /// How often one member that is down is looked for: 5 s.
    pub revive_every: Duration,
    /// How long a member that is down stays on the list, and is looked for: an hour.
    pub forget_after: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            probe_period: Duration::from_secs(1),
            probe_rtt: Duration::from_millis(500),
            helpers: NonZeroUsize::new(3).expect("not nought"),
            gossip_every: Duration::from_millis(200),
            compare_every: Duration::from_secs(10),
            revive_every: Duration::from_secs(5),
            forget_after: Duration::from_secs(3_600),
        }
    }
}

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The name it goes by.
    pub name: String,
    /// Authority or plain node.
    pub role: Role,
    /// The version of its software.
    pub version: String,
    /// Where it can be reached.
    pub addresses: Vec<Multiaddr>,
}

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

/// See the [module](self).
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

    /// The generation that we started with.
    born: u64,
    /// Our profile as it stands, and the incarnation that foca has for us.
    own: SignedProfile,
    incarnation: u16,
    counter: u64,
    load: Load,
    /// The load that the neighbours know, and since when.
    told_load: Option<(Load, Duration)>,
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
    gossiped: Option<Duration>,
    out: VecDeque<Output>,
    stats: Stats,
}

impl Machine {
    /// A member that knows nobody yet. `generation` is the time of its start in milliseconds since
    /// the Unix epoch. The same inputs with the same `seed` give the same outputs.
    ///
    /// # Errors
    /// If the key is not an Ed25519 key.
    pub fn new(
        config: Config,
        genesis: GenesisId,
        keypair: Keypair,
        about: About,
        generation: u64,
        seed: u64,
    ) -> Result<Self, NewError> {
        let key = Key::of(&keypair.public().to_peer_id()).ok_or(NewError::NotEd25519)?;
        if keypair.key_type() != KeyType::Ed25519 {
            return Err(NewError::NotEd25519);
        }
        let mut random = StdRng::seed_from_u64(seed);
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
            born: generation,
            own,
            incarnation: 0,
            counter: 0,
            load: Load::default(),
            told_load: None,
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
            gossiped: None,
            out: VecDeque::new(),
            stats: Stats::default(),
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
        if let Some(due) = self.next_wake()
            && let late = now.saturating_sub(due)
            && late > 2 * self.config.probe_period
        {
            self.resume(now, late);
        }
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

/// How often each piece of news goes out: four times the decimal logarithm of the members
/// (memberlist's `RetransmitMult`), which makes it all but certain that everybody hears it.
fn transmissions(members: usize) -> u8 {
    let times = 4.0 * ((members + 1) as f64).log10().ceil();
    (times as u8).max(1)
}

fn foca_config(config: &Config, transmissions: u8) -> foca::Config {
    foca::Config {
        probe_period: config.probe_period,
        probe_rtt: config.probe_rtt,
        num_indirect_probes: config.helpers,
        max_transmissions: NonZeroU8::new(transmissions).unwrap_or(NonZeroU8::MIN),
        // The machine times suspicions itself; foca asks for a timer, and never gets it.
        suspect_to_down_after: config.probe_period,
        remove_down_after: Some(config.forget_after),
        max_packet_size: NonZeroUsize::new(PACKET_BYTES).expect("not nought"),
        notify_down_members: false,
        periodic_announce: None,
        periodic_announce_to_down_members: None,
        periodic_gossip: None,
    }
}
