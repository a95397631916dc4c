//! The traps of gossipsub's defaults, each shown closed on real connections over loopback.

mod rpc;

use std::time::Duration;

use hearsay_chain::{GenesisId, Verdict};
use hearsay_network::{
    Command, Config, ConnectionConfig, CopyNote, GossipConfig, Mode, Multiaddr, NetEvent, Network,
    PeerId, Ticket, Topic, bundle,
};
use hearsay_tests::DEADLINE;

/// The largest message that the nodes of these tests may gossip.
const LARGEST: usize = 256 * 1024;

struct Peer {
    network: Network,
    copies: Vec<CopyNote>,
    foreign: Vec<String>,
    listening: Vec<PeerId>,
}

async fn start(number: u8, genesis: u8, bootstrap: &[&Peer]) -> Peer {
    let network = hearsay_network::start(Config {
        identity: [number; 32],
        genesis: GenesisId([genesis; 32]),
        listen: vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()],
        bootstrap: bootstrap.iter().map(|peer| peer.address()).collect(),
        gossip: GossipConfig { mode: Mode::Flood, ..GossipConfig::default() },
        connections: ConnectionConfig::default(),
        members: None,
        discovery: hearsay_network::DiscoveryConfig::default(),
        largest_message: LARGEST,
        links: None,
        dilation: 1,
    })
    .await
    .unwrap();
    Peer { network, copies: Vec::new(), foreign: Vec::new(), listening: Vec::new() }
}

impl Peer {
    fn address(&self) -> Multiaddr {
        self.network.listen[0].clone()
    }

    async fn command(&self, command: Command) {
        self.network.commands.send(command).await.unwrap();
    }

    async fn publish(&self, topic: Topic, data: &[u8]) {
        self.command(Command::Publish { topic, data: data.to_vec(), known: false }).await;
    }

    async fn judge(&self, ticket: &Ticket, verdict: Verdict) {
        let (ticket, topic) = (ticket.clone(), Topic::Tx);
        self.command(Command::Judge { ticket, topic, verdict }).await;
    }

    /// The next event, noting copies, foreign peers and subscriptions on the way.
    async fn next(&mut self) -> NetEvent {
        let event = tokio::time::timeout(DEADLINE, self.network.events.recv());
        let event = event.await.expect("an event in time").expect("the swarm runs");
        match &event {
            NetEvent::Copy(note) => self.copies.push(note.clone()),
            NetEvent::Foreign { speaks, .. } => self.foreign.push(speaks.clone()),
            NetEvent::Listening(peer) => self.listening.push(*peer),
            _ => {}
        }
        event
    }

    /// The next gossiped message that is owed a verdict; of a bundle, the one transaction in it.
    async fn message(&mut self) -> (Ticket, Vec<u8>) {
        loop {
            match self.next().await {
                NetEvent::Gossip { topic: Topic::Block, ticket, data, .. } => {
                    return (ticket, data);
                }
                NetEvent::Gossip { topic: Topic::Tx, ticket, data, .. } => {
                    let parts = bundle::decode_parts(&data).unwrap();
                    return (ticket, parts.concat());
                }
                _ => {}
            }
        }
    }

    /// Waits until peers listen to both topics here.
    async fn heard_by(&mut self, peers: usize) {
        while self.listening.len() < 2 * peers {
            self.next().await;
        }
    }
}

#[tokio::test]
async fn a_transaction_that_two_nodes_publish_is_one_message() {
    let mut a = start(1, 1, &[]).await;
    let mut b = start(2, 1, &[]).await;
    let mut c = start(3, 1, &[&a, &b]).await;
    a.heard_by(1).await;
    b.heard_by(1).await;
    a.publish(Topic::Tx, b"the same").await;
    b.publish(Topic::Tx, b"the same").await;
    let (_, data) = c.message().await;
    assert_eq!(data, b"the same");
    // Whatever came of the second copy came before this one's.
    while c.copies.len() < 2 {
        c.next().await;
    }
    a.publish(Topic::Tx, b"another").await;
    let (_, data) = c.message().await;
    assert_eq!(data, b"another", "the second copy must not ask for a second verdict");
}

#[tokio::test]
async fn every_copy_is_told_with_the_peer_that_sent_it() {
    let mut a = start(1, 1, &[]).await;
    let mut b = start(2, 1, &[]).await;
    let mut c = start(3, 1, &[&a, &b]).await;
    a.heard_by(1).await;
    b.heard_by(1).await;
    a.publish(Topic::Block, b"block").await;
    b.publish(Topic::Block, b"block").await;
    while c.copies.len() < 2 {
        c.next().await;
    }
    let mut senders: Vec<PeerId> = c.copies.iter().map(|copy| copy.from).collect();
    senders.sort();
    let mut expected = vec![a.network.peer, b.network.peer];
    expected.sort();
    assert_eq!(senders, expected);
    for copy in &c.copies {
        assert_eq!((copy.topic, copy.bytes), (Topic::Block, 5));
        assert_eq!(copy.id, Topic::Block.content_id(b"block"));
    }
}

#[tokio::test]
async fn nothing_is_forwarded_before_it_is_accepted_and_what_is_ignored_never() {
    let mut a = start(1, 1, &[]).await;
    let mut b = start(2, 1, &[&a]).await;
    let mut c = start(3, 1, &[&b]).await;
    a.heard_by(1).await;
    b.heard_by(2).await;
    for data in [b"first", b"later", b"never"] {
        a.publish(Topic::Tx, data).await;
    }
    let mut tickets = Vec::new();
    for _ in 0..3 {
        tickets.push(b.message().await);
    }
    let ticket = |name: &[u8]| tickets.iter().find(|(_, data)| data == name).unwrap().0.clone();
    b.judge(&ticket(b"never"), Verdict::Ignore).await;
    b.judge(&ticket(b"later"), Verdict::Accept).await;
    assert_eq!(c.message().await.1, b"later");
    b.judge(&ticket(b"first"), Verdict::Accept).await;
    assert_eq!(c.message().await.1, b"first");
    assert_eq!(c.copies.len(), 2);
}

#[tokio::test]
async fn messages_of_the_largest_size_pass_one_close_behind_the_other() {
    let mut a = start(1, 1, &[]).await;
    let mut b = start(2, 1, &[&a]).await;
    a.heard_by(1).await;
    for number in 0..8u8 {
        a.publish(Topic::Block, &vec![number; LARGEST]).await;
    }
    let mut seen = Vec::new();
    for _ in 0..8 {
        let (_, data) = b.message().await;
        assert_eq!(data.len(), LARGEST);
        seen.push(data[0]);
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..8).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_fresh_network_relays_within_the_first_seconds() {
    let mut a = start(1, 1, &[]).await;
    let mut b = start(2, 1, &[&a]).await;
    let mut c = start(3, 1, &[&b]).await;
    a.heard_by(1).await;
    b.heard_by(2).await;
    let relayed = async {
        // Until b has a mesh, what it accepts reaches nobody; so messages go on until one arrives.
        let mut number = 0u32;
        loop {
            number += 1;
            a.publish(Topic::Tx, &number.to_le_bytes()).await;
            let (ticket, _) = b.message().await;
            b.judge(&ticket, Verdict::Accept).await;
            let arrived = tokio::time::timeout(Duration::from_millis(50), c.message());
            if arrived.await.is_ok() {
                return;
            }
        }
    };
    // The default first heartbeat comes after five seconds, and makes the first mesh.
    let in_time = tokio::time::timeout(Duration::from_secs(4), relayed);
    assert!(in_time.await.is_ok(), "no mesh four seconds after the start");
}

#[tokio::test]
async fn a_burst_arrives_or_its_loss_is_told() {
    let mut a = start(1, 1, &[]).await;
    let mut b = start(2, 1, &[&a]).await;
    a.heard_by(1).await;
    let count = 3_000u32;
    for number in 0..count {
        a.publish(Topic::Tx, &number.to_le_bytes().repeat(60)).await;
    }
    let mut told = 0;
    while (b.copies.len() as u64) + told < u64::from(count) {
        tokio::select! {
            _ = b.next() => {}
            event = a.next() => match event {
                NetEvent::Published { failure: Some(_), .. } => told += 1,
                NetEvent::Dropped { count, .. } => told += count,
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn a_node_of_another_network_is_turned_away_and_both_are_told() {
    let mut a = start(1, 1, &[]).await;
    let mut b = start(2, 2, &[&a]).await;
    while a.foreign.is_empty() {
        a.next().await;
    }
    while b.foreign.is_empty() {
        b.next().await;
    }
    assert_eq!(a.foreign[0], format!("/hearsay/{}/1", GenesisId([2; 32])));
    assert_eq!(b.foreign[0], format!("/hearsay/{}/1", GenesisId([1; 32])));
    assert!(a.listening.is_empty(), "its topics are not ours");
}

#[tokio::test]
async fn a_port_in_use_is_an_error_that_says_so() {
    let a = start(1, 1, &[]).await;
    let second = hearsay_network::start(Config {
        identity: [2; 32],
        genesis: GenesisId([1; 32]),
        listen: vec![a.address()],
        bootstrap: vec![],
        gossip: GossipConfig { mode: Mode::Flood, ..GossipConfig::default() },
        connections: ConnectionConfig::default(),
        members: None,
        discovery: hearsay_network::DiscoveryConfig::default(),
        largest_message: LARGEST,
        links: None,
        dilation: 1,
    });
    let error = second.await.unwrap_err().to_string();
    assert!(error.contains("in use"), "{error}");
}
