use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use hearsay_chain::Address;
use hearsay_chain::genesis::{Limits, Schedule};
use hearsay_chain::transaction::Transfer;
use hearsay_chain::{TxId, UnverifiedTx};

use super::*;
use crate::api::{NodeStatus, TxStatus};
use crate::lab::{LabChange, LabError, LabSettings, ProbeRequest};
use crate::trace::event::{Event, Record};

/// Far longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(60);

const SLOT_MS: u64 = 250;

fn unix_us() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap()
}

fn key(number: u8) -> Keypair {
    Keypair::from_seed(&[number; 32])
}

/// A network of which node 0 makes all blocks.
struct World {
    dir: tempfile::TempDir,
    shared: Shared,
    genesis: Genesis,
    lab: Option<LabSettings>,
}

impl World {
    fn new(lab: Option<LabSettings>) -> Self {
        let genesis = Genesis {
            name: "embedded".to_owned(),
            time_ms: unix_us() / 1_000,
            slot_ms: SLOT_MS,
            schedule: Schedule::RoundRobin,
            authorities: vec![key(100).public()],
            limits: Limits::default(),
            allocations: [(key(200).address(), 1_000)].into(),
        };
        let dir = tempfile::tempdir().unwrap();
        Self { dir, shared: Shared::new().unwrap(), genesis, lab }
    }

    fn in_memory() -> Self {
        Self::new(Some(LabSettings { memory_store: true, ..LabSettings::default() }))
    }

    fn dilated(dilation: u32) -> Self {
        let epoch_us = unix_us();
        let memory_store = true;
        Self::new(Some(LabSettings { dilation, epoch_us, memory_store, ..LabSettings::default() }))
    }

    async fn start(&self, number: u8, bootstrap: &[&Embedded]) -> Embedded {
        let dir = self.dir.path().join(number.to_string());
        std::fs::create_dir_all(&dir).unwrap();
        let settings = Settings {
            name: Some(format!("n{number}")),
            listen: vec!["/memory/0".to_owned()],
            bootstrap: bootstrap.iter().flat_map(|node| node.listen().to_vec()).collect(),
            lab: self.lab.clone(),
            ..Settings::in_dir(dir)
        };
        let authority = (number == 0).then(|| key(100));
        Embedded::start(settings, self.genesis.clone(), key(number), authority, &self.shared)
            .await
            .unwrap()
    }

    fn payment(&self, nonce: u64) -> UnverifiedTx {
        let transfer = Transfer {
            chain: self.genesis.chain(),
            sender: key(200).public(),
            nonce,
            recipient: Address([1; 32]),
            amount: 1,
            fee: 1,
            expiry: None,
            payload: Vec::new(),
        };
        transfer.sign(&key(200)).into()
    }

    fn log(&self, number: u8) -> Vec<Record> {
        let text = std::fs::read_to_string(self.log_path(number)).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'), "the last line is torn");
        text.lines().map(|line| Record::read(line).unwrap()).collect()
    }

    fn log_path(&self, number: u8) -> std::path::PathBuf {
        Path::new(self.dir.path()).join(number.to_string()).join("events.jsonl")
    }
}

async fn wait_until(what: &str, done: impl AsyncFn() -> bool) {
    let waiting = async {
        while !done().await {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, waiting).await.is_ok(), "waited in vain: {what}");
}

async fn wait_for_status(what: &str, node: &Embedded, done: impl Fn(&NodeStatus) -> bool) {
    wait_until(what, async || done(&node.handle().status().await.unwrap())).await;
}

async fn wait_for_block(node: &Embedded, id: TxId) {
    wait_until("a transaction in a block", async || {
        let status = node.handle().transaction(id).await.unwrap().unwrap();
        matches!(status, TxStatus::Included { .. } | TxStatus::Final { .. })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_and_its_block_travel_between_two_nodes_of_one_process() {
    let world = World::in_memory();
    let first = world.start(0, &[]).await;
    let second = world.start(1, &[&first]).await;
    wait_for_status("a peer", &second, |status| status.peers == 1).await;
    let id = second.handle().submit(world.payment(0)).await.unwrap().unwrap().id;
    for node in [&first, &second] {
        wait_for_block(node, id).await;
    }
    let names = [first.peer().to_owned(), second.peer().to_owned()];
    first.stop().await.unwrap();
    second.stop().await.unwrap();
    let [first, second] = [world.log(0), world.log(1)];
    assert!(matches!(first.last().unwrap().event, Event::Stop { .. }));
    // The transaction went one way, and its block the other.
    let came_from = |log: &[Record], what: &str, peer: &str| {
        log.iter().any(|record| {
            matches!(&record.event, Event::Received { id, from, .. } if id == what && from == peer)
        })
    };
    assert!(came_from(&first, &id.to_string(), &names[1]));
    let block = second.iter().find_map(|record| match &record.event {
        Event::Included { id: tx, block, .. } if *tx == id.to_string() => Some(block.clone()),
        _ => None,
    });
    assert!(came_from(&second, &block.unwrap(), &names[0]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_block_that_a_node_stores_is_written_down_once_before_it_is_the_tip() {
    let world = World::in_memory();
    let node = world.start(0, &[]).await;
    wait_for_status("blocks", &node, |status| status.height >= 2).await;
    node.stop().await.unwrap();
    let (mut stored, mut tips) = (Vec::new(), Vec::new());
    for record in world.log(0) {
        match record.event {
            Event::Block { id, height, store_us: Some(_), transactions: 0, slot, .. } => {
                assert!(slot >= height);
                stored.push(id);
            }
            Event::Tip { id, store_us, .. } => {
                assert!(store_us.is_some());
                tips.push(id);
            }
            Event::Block { .. } => panic!("{record:?}"),
            _ => {}
        }
        assert!(stored.len() - tips.len() <= 1);
    }
    assert!(tips.len() >= 2);
    assert_eq!(stored, tips);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dilated_network_takes_longer_and_tells_its_own_time() {
    let dilation = 4;
    let (begin, world) = (Instant::now(), World::dilated(dilation));
    let epoch_us = world.lab.as_ref().unwrap().epoch_us;
    let first = world.start(0, &[]).await;
    let second = world.start(1, &[&first]).await;
    wait_for_status("a block", &second, |status| status.height >= 1).await;
    let (real, real_us) = (begin.elapsed(), unix_us());
    first.stop().await.unwrap();
    second.stop().await.unwrap();
    let log = world.log(1);
    assert!(matches!(log[0].event, Event::Start { dilation: 4, .. }));
    let mut slot_us = 0;
    for record in world.log(0) {
        if let Event::Block { slot, .. } = record.event
            && slot_us == 0
        {
            slot_us = world.genesis.slot_start_ms(slot) * 1_000;
            let t: jiff::Timestamp = record.t.parse().unwrap();
            assert!(t.as_microsecond() as u64 >= slot_us, "made before its slot");
        }
    }
    assert!(real_us - epoch_us >= u64::from(dilation) * (slot_us - epoch_us), "it came too early");
    let tip = log.iter().find(|record| matches!(record.event, Event::Tip { .. })).unwrap();
    let t: jiff::Timestamp = tip.t.parse().unwrap();
    assert!(t.as_microsecond() as u64 - epoch_us <= (real_us - epoch_us) / u64::from(dilation) + 1);
    assert!(Duration::from_micros(tip.mono_us) * dilation <= real);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_node_says_nothing_leaves_no_task_and_gives_its_store_back() {
    let world = World::new(None);
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = alive();
    let node = world.start(0, &[]).await;
    let other = world.start(1, &[&node]).await;
    wait_for_status("a block", &other, |status| status.height >= 1).await;
    let height = other.handle().status().await.unwrap().height;
    node.kill();
    assert_eq!(node.ended().await, Ended::Killed);
    assert!(node.handle().status().await.is_err());
    assert!(!world.log(0).iter().any(|record| matches!(record.event, Event::Stop { .. })));
    wait_for_status("the peer to be gone", &other, |status| status.peers == 0).await;
    // Its store is locked by nobody and has what was committed.
    let again = world.start(0, &[]).await;
    assert!(again.handle().status().await.unwrap().height >= height);
    for node in [again, other] {
        node.kill();
        assert_eq!(node.ended().await, Ended::Killed);
        assert!(node.stop().await.is_err());
    }
    wait_until("all tasks to end", async || alive() <= before).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outside_the_lab_there_is_nothing_to_set_or_probe() {
    let world = World::new(None);
    let node = world.start(1, &[]).await;
    assert_eq!(node.handle().lab_set(&LabChange::default()), Err(LabError::NoLab));
    let request = ProbeRequest { peer: node.peer().to_owned(), rounds: 1, bytes: 0 };
    assert_eq!(node.handle().lab_probe(request).await.unwrap(), Err(LabError::NoLab));
    assert_eq!(node.handle().status().await.unwrap().lag_p99_us, None);
    node.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_skewed_node_believes_in_other_slots_and_logs_the_true_time() {
    let world = World::in_memory();
    let node = world.start(1, &[]).await;
    let slot = node.handle().status().await.unwrap().slot;
    let skewed = LabChange { skew_ms: Some(3_600_000), ..LabChange::default() };
    node.handle().lab_set(&skewed).unwrap();
    assert!(node.handle().status().await.unwrap().slot >= slot + 3_600_000 / SLOT_MS);
    wait_for_status("a measured lag", &node, |status| status.lag_p99_us.is_some()).await;
    let now_us = unix_us();
    node.stop().await.unwrap();
    let log = world.log(1);
    let lag = log.iter().find(|record| matches!(record.event, Event::Lag { .. })).unwrap();
    let t: jiff::Timestamp = lag.t.parse().unwrap();
    assert!(t.as_microsecond() as u64 <= now_us);
}

#[tokio::test]
async fn an_authority_that_the_genesis_does_not_know_is_refused_before_anything_is_written() {
    let world = World::in_memory();
    let dir = world.dir.path().join("none");
    let settings = Settings { listen: Vec::new(), ..Settings::in_dir(&dir) };
    let started =
        Embedded::start(settings, world.genesis.clone(), key(1), Some(key(3)), &world.shared);
    assert!(started.await.unwrap_err().to_string().contains("not among the authorities"));
    assert!(!dir.exists());
}
