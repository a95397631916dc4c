//! A peer that sends what no peer should, to a real node.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use hearsay_chain::transaction::Transfer;
use hearsay_chain::{ChainId, Keypair, codec};
use hearsay_network::{Command, Config, ConnectionConfig, GossipConfig, NetEvent, Network, Topic};
use hearsay_tests::{DEADLINE, wait_for};

use crate::world::{Node, World};

/// A peer of the same network that may send more than the node takes.
async fn attacker(world: &World, node: &Node) -> Network {
    let genesis = hearsay_node::genesis_file::read(&world.genesis()).unwrap();
    let address = node.status()["listen"][0].as_str().unwrap().parse().unwrap();
    let mut network = hearsay_network::start(Config {
        identity: [66; 32],
        genesis: genesis.id(),
        listen: vec![],
        bootstrap: vec![address],
        gossip: GossipConfig::default(),
        connections: ConnectionConfig::default(),
        members: None,
        discovery: hearsay_network::DiscoveryConfig::default(),
        largest_message: 8 << 20,
        links: None,
        dilation: 1,
    })
    .await
    .unwrap();
    let mut topics = 0;
    while topics < 2 {
        let event = tokio::time::timeout(DEADLINE, network.events.recv()).await.unwrap();
        topics += usize::from(matches!(event, Some(NetEvent::Listening(_))));
    }
    network
}

async fn publish(network: &Network, topic: Topic, data: Vec<u8>) {
    network.commands.send(Command::Publish { topic, data, known: false }).await.unwrap();
}

fn metrics(node: &Node) -> String {
    let mut stream = TcpStream::connect(&node.rpc).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let host = &node.rpc;
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// How often the node has rejected a kind of message for a reason.
fn rejected(node: &Node, kind: &str, reason: &str) -> u64 {
    let label = format!(
        "hearsay_verdicts_total{{kind=\"{kind}\",verdict=\"reject\",reason=\"{reason}\"}} "
    );
    let text = metrics(node);
    let line = text.lines().find_map(|line| line.strip_prefix(&label));
    line.map_or(0, |count| count.trim().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_rejected_counted_by_reason_and_does_no_harm() {
    let world = World::new(1);
    let node = world.start(0, &[]);
    let network = attacker(&world, &node).await;
    let wallet = Keypair::from_seed(&[7; 32]);
    let genesis = hearsay_node::genesis_file::read(&world.genesis()).unwrap();
    let transfer = Transfer {
        chain: genesis.chain(),
        sender: wallet.public(),
        nonce: 0,
        recipient: wallet.address(),
        amount: 1,
        fee: 1,
        expiry: None,
        payload: vec![],
    };
    let mut trailing = codec::encode(&transfer.clone().sign(&wallet));
    trailing.push(0);
    let forged = transfer.clone().sign(&Keypair::from_seed(&[8; 32]));
    let foreign = Transfer { chain: ChainId([9; 8]), ..transfer }.sign(&wallet);
    publish(&network, Topic::Tx, vec![0xff; 300]).await;
    publish(&network, Topic::Tx, trailing).await;
    publish(&network, Topic::Tx, codec::encode(&forged)).await;
    publish(&network, Topic::Tx, codec::encode(&foreign)).await;
    publish(&network, Topic::Tx, vec![1; 100_000]).await;
    publish(&network, Topic::Block, vec![2; 5_000]).await;
    let expected = [
        ("tx", "malformed", 2),
        ("tx", "bad-signature", 1),
        ("tx", "wrong-chain", 1),
        ("tx", "too-large", 1),
        ("block", "malformed", 1),
    ];
    wait_for("all of it to be rejected", || {
        let all = expected.iter().all(|(kind, reason, n)| rejected(&node, kind, reason) == *n);
        all.then_some(())
    });
    // Larger than any message of this network: the frame is refused before it is a message.
    publish(&network, Topic::Block, vec![3; 3 << 20]).await;
    let height = node.status()["height"].as_u64().unwrap();
    node.wait_for_height(height + 2);
    node.stop();
}
