//! Membership between real nodes: they find each other, notice who goes, and remember where others were.

use std::path::PathBuf;
use std::time::Duration;

use hearsay_chain::GenesisId;
use hearsay_network::members::slots::SlotsConfig;
use hearsay_network::members::{self, About, Cause, MemberView, Role, State};
use hearsay_network::{
    Command, Config, ConnectionConfig, DiscoveryConfig, GossipConfig, MemberList, MembersConfig,
    Multiaddr, NetEvent, PeerId, start,
};
use hearsay_tests::DEADLINE;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

struct Node {
    id: PeerId,
    address: Multiaddr,
    commands: mpsc::Sender<Command>,
    /// Rises with everything that the node tells.
    told: watch::Receiver<u64>,
    task: JoinHandle<()>,
}

/// By what a node learns of others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Finds {
    Members,
    Table,
}

/// Times so short that a test need not wait long, and so long that a busy machine keeps them.
fn machine() -> members::Config {
    members::Config {
        probe_period: Duration::from_millis(500),
        probe_rtt: Duration::from_millis(250),
        compare_every: Duration::from_secs(2),
        revive_every: Duration::from_secs(1),
        ..members::Config::default()
    }
}

impl Node {
    async fn start(number: u8, started: u8, bootstrap: &[&Node], book: Option<PathBuf>) -> Self {
        Self::finding(Finds::Members, number, started, bootstrap, book).await
    }

    async fn finding(
        finds: Finds,
        number: u8,
        started: u8,
        bootstrap: &[&Node],
        book: Option<PathBuf>,
    ) -> Self {
        let mut network = start(Config {
            identity: [number; 32],
            genesis: GenesisId([1; 32]),
            listen: vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()],
            bootstrap: bootstrap.iter().map(|node| node.address.clone()).collect(),
            gossip: GossipConfig::default(),
            connections: ConnectionConfig::default(),
            members: (finds == Finds::Members).then(|| MembersConfig {
                machine: machine(),
                about: About {
                    name: format!("n{number}"),
                    role: Role::Relay,
                    version: "test".to_owned(),
                    addresses: Vec::new(),
                },
                started: u64::from(started) * 1_000,
                seed: u64::from(number),
            }),
            discovery: DiscoveryConfig {
                seed: u64::from(number),
                slots: Some(SlotsConfig::default()),
                book,
                kademlia: finds == Finds::Table,
                ..DiscoveryConfig::default()
            },
            largest_message: 1 << 20,
            links: None,
            dilation: 1,
        })
        .await
        .unwrap();
        let (tell, told) = watch::channel(0);
        let (id, address) = (network.peer, network.listen[0].clone());
        let commands = network.commands.clone();
        tokio::spawn(async move {
            while let Some(event) = network.events.recv().await {
                if matches!(event, NetEvent::Member(_) | NetEvent::Joined(_) | NetEvent::Left(_)) {
                    tell.send_modify(|count| *count += 1);
                }
            }
        });
        Self { id, address, commands, told, task: network.task }
    }

    async fn list(&self) -> MemberList {
        let (reply, list) = oneshot::channel();
        self.commands.send(Command::Members { reply }).await.unwrap();
        list.await.unwrap()
    }

    async fn connections(&self) -> usize {
        let (reply, peers) = oneshot::channel();
        self.commands.send(Command::Peers { reply }).await.unwrap();
        peers.await.unwrap().len()
    }

    /// Waits until its list is as wanted, looking again whenever it told something.
    async fn until(&self, what: &str, is_so: impl Fn(&[MemberView]) -> bool) {
        let mut told = self.told.clone();
        let waited = tokio::time::timeout(DEADLINE, async {
            loop {
                told.borrow_and_update();
                if is_so(&self.list().await.members) {
                    return;
                }
                told.changed().await.unwrap();
            }
        });
        let waited = waited.await;
        assert!(waited.is_ok(), "waited in vain for {what}: {:#?}", self.list().await);
    }

    async fn has_connections(&self, least: usize) {
        let mut told = self.told.clone();
        let waited = tokio::time::timeout(DEADLINE, async {
            loop {
                told.borrow_and_update();
                if self.connections().await >= least {
                    return;
                }
                told.changed().await.unwrap();
            }
        });
        assert!(waited.await.is_ok(), "{} connections", self.connections().await);
    }

    /// As `kill -9` ends a process.
    fn kill(&self) {
        self.task.abort();
    }

    async fn leave(self) {
        self.commands.send(Command::Leave).await.unwrap();
        self.commands.send(Command::Stop).await.unwrap();
        self.task.await.unwrap();
    }
}

fn state_of(list: &[MemberView], peer: PeerId) -> Option<State> {
    list.iter().find(|member| member.peer == peer).map(|member| member.state)
}

fn alive(list: &[MemberView]) -> usize {
    list.iter().filter(|member| member.state == State::Alive).count()
}

/// The first knows nobody; all others know the first.
async fn network(count: u8) -> Vec<Node> {
    let mut nodes = vec![Node::start(1, 1, &[], None).await];
    for number in 2..=count {
        let node = Node::start(number, 1, &[&nodes[0]], None).await;
        nodes.push(node);
    }
    for node in &nodes {
        node.until("everybody", |list| alive(list) == usize::from(count)).await;
    }
    nodes
}

#[tokio::test(flavor = "multi_thread")]
async fn from_one_address_everybody_learns_of_everybody_and_connects_to_many() {
    let nodes = network(6).await;
    for node in &nodes {
        node.has_connections(4).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_killed_is_down_everywhere_and_comes_back_with_a_new_generation() {
    let nodes = network(4).await;
    let gone = nodes[3].id;
    nodes[3].kill();
    for node in &nodes[..3] {
        node.until("a death", |list| {
            matches!(state_of(list, gone), Some(State::Down(Cause::Link | Cause::Probe)))
        })
        .await;
    }
    let back = Node::start(4, 2, &[&nodes[0]], None).await;
    for node in nodes[..3].iter().chain([&back]) {
        node.until("all four", |list| alive(list) == 4).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_leaves_is_known_to_have_left() {
    let mut nodes = network(4).await;
    let leaver = nodes.pop().unwrap();
    let gone = leaver.id;
    leaver.leave().await;
    for node in &nodes {
        node.until("a farewell", |list| state_of(list, gone) == Some(State::Down(Cause::Left)))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_finds_the_network_again_by_its_address_book_without_the_bootstrap_node() {
    let dir = tempfile::tempdir().unwrap();
    let book = dir.path().join("peers.txt");
    let first = Node::start(1, 1, &[], None).await;
    let second = Node::start(2, 1, &[&first], None).await;
    let third = Node::start(3, 1, &[&first], Some(book.clone())).await;
    for node in [&first, &second, &third] {
        node.until("all three", |list| alive(list) == 3).await;
    }
    third.leave().await;
    first.kill();
    let third = Node::start(3, 2, &[], Some(book)).await;
    for node in [&second, &third] {
        node.until("the two that are left", |list| alive(list) == 2).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_membership_nodes_find_each_other_by_kademlia_from_one_address() {
    let first = Node::finding(Finds::Table, 1, 1, &[], None).await;
    let mut nodes = vec![first];
    for number in 2..=7 {
        let node = Node::finding(Finds::Table, number, 1, &[&nodes[0]], None).await;
        nodes.push(node);
    }
    for node in &nodes {
        node.has_connections(4).await;
    }
}
