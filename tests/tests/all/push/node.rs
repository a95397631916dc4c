//! The network side of a node in any mode, with an engine that takes everything, at once or only
//! when it is told to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hearsay_chain::{GenesisId, Verdict};
use hearsay_network::{
    Command, Config, ConnectionConfig, CopyNote, GossipConfig, Mode, Multiaddr, NetEvent, PeerId,
    PeerView, Route, Topic, bundle,
};
use hearsay_tests::DEADLINE;
use tokio::sync::{mpsc, oneshot, watch};

/// The largest message that the nodes of these tests may gossip.
pub(super) const LARGEST: usize = 256 * 1024;

/// The network that they are of.
pub(super) const GENESIS: GenesisId = GenesisId([1; 32]);

/// What a node has seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// One entry for each peer and topic that it listens to.
    pub(super) listening: Vec<PeerId>,
    pub(super) copies: Vec<CopyNote>,
    /// What came, each transaction of a bundle for itself, and how often it had to be judged.
    pub(super) contents: BTreeMap<Vec<u8>, usize>,
    /// The ways by which it came.
    pub(super) routes: BTreeSet<Route>,
    /// Messages that were published, and those for which there was nobody.
    pub(super) published: usize,
    pub(super) unheard: usize,
    pub(super) taken: BTreeSet<[u8; 32]>,
    pub(super) dropped: BTreeMap<&'static str, u64>,
    pub(super) offences: Vec<(PeerId, &'static str)>,
}

/// A running node.
pub(super) struct Node {
    pub(super) id: PeerId,
    pub(super) address: Multiaddr,
    commands: mpsc::Sender<Command>,
    seen: watch::Receiver<Seen>,
    judges: watch::Sender<bool>,
}

/// How a node is started.
pub(super) struct Plan {
    pub(super) mode: Mode,
    pub(super) largest: usize,
    /// Whether verdicts come at once, or only after [`Node::judge_from_now_on`].
    pub(super) judges: bool,
}

impl From<Mode> for Plan {
    fn from(mode: Mode) -> Self {
        Self { mode, largest: LARGEST, judges: true }
    }
}

impl Node {
    pub(super) async fn start(number: u8, plan: impl Into<Plan>, bootstrap: &[&Node]) -> Self {
        let plan = plan.into();
        let network = hearsay_network::start(Config {
            identity: [number; 32],
            genesis: GENESIS,
            listen: vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()],
            bootstrap: bootstrap.iter().map(|node| node.address.clone()).collect(),
            gossip: GossipConfig { mode: plan.mode, ..GossipConfig::default() },
            connections: ConnectionConfig::default(),
            members: None,
            discovery: hearsay_network::DiscoveryConfig::default(),
            largest_message: plan.largest,
            links: None,
            dilation: 1,
        })
        .await
        .unwrap();
        let (told, seen) = watch::channel(Seen::default());
        let (judges, may_judge) = watch::channel(plan.judges);
        let commands = network.commands.clone();
        tokio::spawn(engine(network.events, commands.clone(), told, may_judge));
        let address = network.listen[0].clone();
        Self { id: network.peer, address, commands, seen, judges }
    }

    pub(super) async fn command(&self, command: Command) {
        self.commands.send(command).await.unwrap();
    }

    pub(super) async fn publish(&self, topic: Topic, data: &[u8]) {
        self.command(Command::Publish { topic, data: data.to_vec(), known: false }).await;
    }

    pub(super) fn judge_from_now_on(&self) {
        self.judges.send_replace(true);
    }

    /// Waits until it has seen what is wanted.
    pub(super) async fn until(&self, what: &str, is_so: impl FnMut(&Seen) -> bool) {
        let mut seen = self.seen.clone();
        let waited = tokio::time::timeout(DEADLINE, seen.wait_for(is_so)).await;
        let so_far = self.seen.borrow().clone();
        assert!(waited.is_ok_and(|it| it.is_ok()), "waited in vain for {what}: {so_far:?}");
    }

    /// Waits until this has come.
    pub(super) async fn has(&self, data: &[u8]) {
        self.until("a message", |seen| seen.contents.contains_key(data)).await;
    }

    /// Waits until so many peers listen to it.
    pub(super) async fn heard_by(&self, peers: usize) {
        self.until("listeners", |seen| seen.listening.len() >= 2 * peers).await;
    }

    pub(super) fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Waits until messages go to each of its peers as they come.
    pub(super) async fn reaches_all(&self) {
        let reached =
            |view: &PeerView| view.route == Route::Push || (view.mesh_tx && view.mesh_block);
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        let looking = async {
            while !self.peers().await.iter().all(reached) {
                looks.tick().await;
            }
        };
        tokio::time::timeout(DEADLINE, looking).await.expect("meshes");
    }

    pub(super) async fn peers(&self) -> Vec<PeerView> {
        let (reply, views) = oneshot::channel();
        self.command(Command::Peers { reply }).await;
        views.await.unwrap()
    }
}

async fn engine(
    mut events: mpsc::Receiver<NetEvent>,
    commands: mpsc::Sender<Command>,
    told: watch::Sender<Seen>,
    mut may_judge: watch::Receiver<bool>,
) {
    let mut waiting = Vec::new();
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            () = told_to(&mut may_judge), if !waiting.is_empty() => {
                for ticket in std::mem::take(&mut waiting) {
                    let (topic, verdict) = (Topic::Tx, Verdict::Accept);
                    let judge = Command::Judge { ticket, topic, verdict };
                    if commands.send(judge).await.is_err() {
                        return;
                    }
                }
                continue;
            }
        };
        let Some(event) = event else { return };
        if let NetEvent::Gossip { ticket, .. } = &event {
            waiting.push(ticket.clone());
        }
        told.send_modify(|seen| seen.note(event));
    }
}

async fn told_to(judge: &mut watch::Receiver<bool>) {
    // Whoever would tell is gone; then the test is over.
    let _ = judge.wait_for(|may| *may).await;
}

impl Seen {
    fn note(&mut self, event: NetEvent) {
        match event {
            NetEvent::Listening(peer) => self.listening.push(peer),
            NetEvent::Copy(note) => self.copies.push(note),
            NetEvent::Gossip { topic, data, ticket, .. } => {
                self.routes.insert(ticket.route);
                let parts = match (ticket.route, topic) {
                    (Route::Gossipsub, Topic::Tx) => bundle::decode_parts(&data).unwrap(),
                    _ => vec![data],
                };
                for part in parts {
                    *self.contents.entry(part).or_default() += 1;
                }
            }
            NetEvent::Published { failure, .. } => {
                self.published += 1;
                self.unheard += usize::from(failure.is_some());
            }
            NetEvent::Taken { id, .. } => drop(self.taken.insert(id)),
            NetEvent::Dropped { place, count } => *self.dropped.entry(place).or_default() += count,
            NetEvent::Offence { peer, what } => self.offences.push((peer, what)),
            _ => {}
        }
    }
}
