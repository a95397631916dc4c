//! A plain client of gossipsub beside whole nodes, which make blocks and judge what it publishes.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use hearsay_chain::{Keypair, TxId, codec};
use hearsay_network::{Multiaddr, Topic};
use hearsay_node::api::{BlockRef, TxStatus};
use hearsay_node::config::Settings;
use hearsay_node::embed::{Embedded, Shared};
use hearsay_tests::DEADLINE;
use hearsay_tests::makers::Makers;
use tokio::time::timeout;

use crate::plain::Plain;

/// Between two looks at a node.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// The first of the senders whose transactions the client publishes.
const CLIENTS: usize = 20;

async fn start(makers: &Makers, dir: &Path, number: usize, dials: &[&Embedded]) -> Embedded {
    let dir = dir.join(format!("n{number}"));
    std::fs::create_dir_all(&dir).unwrap();
    let settings = Settings {
        name: Some(format!("n{number}")),
        listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
        bootstrap: dials.iter().flat_map(|node| node.listen().to_vec()).collect(),
        ..Settings::in_dir(dir)
    };
    let authority = (number < 2).then(|| makers.authority(number).clone());
    let key = Keypair::from_seed(&[200 + u8::try_from(number).unwrap(); 32]);
    let shared = Shared::new().unwrap();
    Embedded::start(settings, makers.genesis().clone(), key, authority, &shared).await.unwrap()
}

async fn until_height(node: &Embedded, height: u64) {
    while node.handle().status().await.unwrap().height < height {
        tokio::time::sleep(ASK_EVERY).await;
    }
}

async fn has(node: &Embedded, id: TxId) -> bool {
    let status = node.handle().transaction(id).await.unwrap();
    !matches!(status, None | Some(TxStatus::Unknown))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_client_hears_every_transaction_and_block_of_whole_nodes_and_its_bundle_spreads() {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let makers = Makers::new("plain", (2, CLIENTS + 2), (u64::try_from(now).unwrap(), 250));
    let dir = tempfile::tempdir().unwrap();
    let a = start(&makers, dir.path(), 0, &[]).await;
    let b = start(&makers, dir.path(), 1, &[&a]).await;
    let c = start(&makers, dir.path(), 2, &[&b]).await;
    let address: Multiaddr = c.listen()[0].parse().unwrap();
    let mut plain = Plain::connect(makers.genesis().id(), address).await;
    plain.heard().await;

    // What comes while it listens.
    let first = a.handle().status().await.unwrap().height + 2;
    let mut transactions = BTreeSet::new();
    let load = async {
        for sender in 0..CLIENTS {
            let tx = makers.payment(sender, 0).to_unverified();
            let node = [&a, &b, &c][sender % 3];
            transactions.insert(node.handle().submit(tx).await.unwrap().unwrap().id.0);
        }
        until_height(&a, first + 4).await;
    };
    let loaded = async {
        tokio::select! {
            () = load => {}
            () = plain.run() => {}
        }
    };
    timeout(DEADLINE, loaded).await.unwrap();
    let mut blocks = BTreeSet::new();
    for height in first..=first + 4 {
        let block = a.handle().block(BlockRef::Height(height)).await.unwrap().unwrap();
        blocks.insert(block.id.0);
    }
    plain.has_ids(Topic::Tx, &transactions).await;
    plain.has_ids(Topic::Block, &blocks).await;

    let own = [CLIENTS, CLIENTS + 1].map(|sender| makers.payment(sender, 0).to_unverified());
    let ids = own.each_ref().map(|tx| tx.id());
    plain.publish(Topic::Tx, &own.map(|tx| codec::encode(tx.transaction())));
    let spread = async {
        for node in [&a, &b, &c] {
            for id in ids {
                while !has(node, id).await {
                    tokio::time::sleep(ASK_EVERY).await;
                }
            }
        }
    };
    let spread = async {
        tokio::select! {
            () = spread => {}
            () = plain.run() => {}
        }
    };
    timeout(DEADLINE, spread).await.unwrap();
    for node in [a, b, c] {
        node.stop().await.unwrap();
    }
}
