//! An attack on all targets at once: identities that come, do what they do until they are kept away or
//! are done, and come back as others.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::AsyncWriteExt;
use hearsay_network::peer_id;
use hearsay_network::push::{Frame, Origin};
use libp2p::core::muxing::SubstreamBox;
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep, sleep_until};

use super::host::{Host, Manner};
use super::line::Line;
use super::prey::Prey;
use super::{Attack, blocks, control, frames, replay, rpc, sessions, transactions};
use crate::peer::lock;

/// Identities under which one target is visited in one attack.
const MAX_IDENTITIES: u32 = 16;

/// How long an identity that was kept away stays away before the next one comes.
const COMES_BACK: Duration = Duration::from_millis(500);

/// How long one that can do no more stays connected: what it was sent is held against it meanwhile.
const LINGERS: Duration = Duration::from_millis(500);

/// How much was done, and under which identities. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    done: BTreeMap<&'static str, u64>,
    identities: Vec<String>,
}

impl Tally {
    pub(super) fn count(&self, what: &'static str) {
        self.add(what, 1);
    }

    pub(super) fn add(&self, what: &'static str, count: u64) {
        let mut counts = lock(&self.0);
        let sum = counts.done.entry(what).or_default();
        *sum = sum.saturating_add(count);
    }

    /// How often each thing was done.
    #[must_use]
    pub fn done(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.0).done.clone()
    }

    /// The ids of all identities that were connected.
    #[must_use]
    pub fn identities(&self) -> Vec<String> {
        lock(&self.0).identities.clone()
    }
}

/// One identity at one target.
pub(super) struct Session {
    pub(super) prey: Arc<Prey>,
    pub(super) tally: Tally,
    pub(super) line: Line,
    pub(super) host: Arc<Host>,
    /// Which target.
    pub(super) place: usize,
    /// A number that no other session has.
    pub(super) number: u64,
    /// How much faster than usual it is.
    pub(super) intensity: f64,
}

/// Attacks every target for so long, `intensity` times as fast as usual. It ends by itself.
pub async fn attack(kind: Attack, prey: &Arc<Prey>, lasts: Duration, intensity: f64) -> Tally {
    let tally = Tally::default();
    let until = Instant::now() + lasts;
    let mut sieges = JoinSet::new();
    for place in 0..prey.targets.len() {
        let (prey, tally) = (Arc::clone(prey), tally.clone());
        sieges.spawn(async move { siege(kind, &prey, &tally, place, until, intensity).await });
    }
    while sieges.join_next().await.is_some() {}
    tally
}

/// Listens to one target for so long, as any peer may, and remembers what it pushes. It takes that long also
/// if nothing comes of it.
pub async fn eavesdrop(prey: &Arc<Prey>, lasts: Duration) {
    let until = Instant::now() + lasts;
    let Some(target) = prey.targets.first() else { return };
    let (identity, tally) = ([0xea; 32], Tally::default());
    let (prey, manner) = (Arc::clone(prey), Manner::Refuses);
    let host = Arc::new(Host { prey: Arc::clone(&prey), tally: tally.clone(), manner, identity });
    if let Ok(line) = Line::dial(&prey, target, identity, Arc::clone(&host)).await {
        let session = Session { prey, tally, line, host, place: 0, number: 0, intensity: 1.0 };
        // What it has heard by then is what it has heard.
        let _ = tokio::time::timeout_at(until, listen(&session)).await;
    }
    sleep_until(until).await;
}

async fn listen(session: &Session) -> io::Result<()> {
    let mut stream = session.line.open(&session.prey.names.push).await?;
    send(&mut stream, &Frame::default()).await?;
    session.line.closed().await;
    Ok(())
}

async fn siege(
    kind: Attack,
    prey: &Arc<Prey>,
    tally: &Tally,
    place: usize,
    until: Instant,
    intensity: f64,
) {
    let Some(target) = prey.targets.get(place) else { return };
    for visit in 0..MAX_IDENTITIES {
        if Instant::now() >= until {
            return;
        }
        let identity = identity(kind, place, visit);
        let (manner, prey, tally) = (manner(kind), Arc::clone(prey), tally.clone());
        let host =
            Arc::new(Host { prey: Arc::clone(&prey), tally: tally.clone(), manner, identity });
        let dialling = Line::dial(&prey, target, identity, Arc::clone(&host));
        let Ok(line) = dialling.await else {
            tally.count("connections refused");
            sleep(COMES_BACK).await;
            continue;
        };
        lock(&tally.0).identities.push(peer_id(&identity).to_string());
        let number = (place as u64) << 32 | u64::from(visit);
        let session = Session { prey, tally: tally.clone(), line, host, place, number, intensity };
        tokio::select! {
            () = session.line.closed() => tally.count("connections closed on it"),
            () = sleep_until(until) => return,
            // A stream that fails is the node's answer.
            _ = run(kind, &session) => tokio::select! {
                () = session.line.closed() => tally.count("connections closed on it"),
                () = sleep(LINGERS) => {}
            },
        }
        sleep(COMES_BACK).await;
    }
}

async fn run(kind: Attack, session: &Session) -> io::Result<()> {
    let listens = async {
        // Hearing what others hear is how it knows the chain; some do not last long enough.
        let _ = listen(session).await;
        std::future::pending::<io::Result<()>>().await
    };
    tokio::select! {
        done = listens, if kind.follows() => done,
        done = async { match kind {
            Attack::Frames => frames::run(session).await,
            Attack::Signatures => transactions::forge(session).await,
            Attack::Names => blocks::misname(session).await,
            Attack::Silent | Attack::WrongBody => blocks::tempt(session).await,
            Attack::Sessions => sessions::run(session).await,
            Attack::Control => control::flood(session).await,
            Attack::Grafts => control::graft(session).await,
            Attack::Replay => replay::run(session).await,
            Attack::Flood => transactions::flood(session).await,
        }} => done,
    }
}

impl Attack {
    /// Whether it opens no stream for frames of its own, and needs one to hear.
    fn follows(self) -> bool {
        matches!(self, Attack::Sessions | Attack::Grafts)
    }
}

fn manner(kind: Attack) -> Manner {
    match kind {
        Attack::Silent => Manner::Silent,
        Attack::WrongBody | Attack::Names => Manner::Lies,
        _ => Manner::Refuses,
    }
}

/// Another identity for each visit: ids cost nothing.
fn identity(kind: Attack, place: usize, visit: u32) -> [u8; 32] {
    let mut seed = [0xa7; 32];
    seed[0] = kind as u8;
    seed[1..9].copy_from_slice(&(place as u64).to_le_bytes());
    seed[9..13].copy_from_slice(&visit.to_le_bytes());
    seed
}

impl Session {
    /// A beat of so many a second, faster with the intensity.
    pub(super) fn beat(&self, a_second: f64) -> Interval {
        let rate = (a_second * self.intensity).max(0.1);
        let mut beat = interval(Duration::from_secs_f64(1.0 / rate));
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        beat
    }

    /// A stream for frames.
    pub(super) async fn push(&self) -> io::Result<SubstreamBox> {
        self.line.open(&self.prey.names.push).await
    }

    /// A stream of gossipsub's, on which both topics are subscribed.
    pub(super) async fn gossip(&self) -> io::Result<SubstreamBox> {
        let mut stream = self.line.open(&self.prey.names.gossip).await?;
        let names = &self.prey.names;
        let both = [rpc::subscription(&names.tx, true), rpc::subscription(&names.block, true)];
        say(&mut stream, &both.concat()).await?;
        Ok(stream)
    }

    /// An origin of its own.
    pub(super) fn origin(&self) -> Origin {
        Origin(self.number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }
}

/// Sends a frame.
pub(super) async fn send(stream: &mut SubstreamBox, frame: &Frame) -> io::Result<()> {
    send_bytes(stream, &frame.encode()).await
}

/// Sends what claims to be a frame.
pub(super) async fn send_bytes(stream: &mut SubstreamBox, frame: &[u8]) -> io::Result<()> {
    // Their lengths are numbers as RPCs have them.
    stream.write_all(&rpc::framed(frame)).await?;
    stream.flush().await
}

/// Sends an RPC of gossipsub's.
pub(super) async fn say(stream: &mut SubstreamBox, rpc: &[u8]) -> io::Result<()> {
    stream.write_all(&rpc::framed(rpc)).await?;
    stream.flush().await
}

/// Numbers that nobody can tell from ids, the same for the same seed.
pub(super) fn made_up(seed: u64, count: usize) -> impl Iterator<Item = u64> {
    let mut state = seed.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(1);
    (0..count).map(move |_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state ^ state >> 29
    })
}
