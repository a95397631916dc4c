use std::collections::BTreeSet;

use hearsay_chain::genesis::{Genesis, Limits, Rules, Schedule};
use hearsay_chain::transaction::Transfer;
use hearsay_chain::{Address, Keypair, UnverifiedTx};

use super::*;

fn transaction(nonce: u64) -> Work {
    let key = Keypair::from_seed(&[1; 32]);
    let transfer = Transfer {
        chain: hearsay_chain::ChainId([1; 8]),
        sender: key.public(),
        nonce,
        recipient: Address([1; 32]),
        amount: 1,
        fee: 1,
        expiry: None,
        payload: Vec::new(),
    };
    Work::Tx(UnverifiedTx::from(transfer.sign(&key)))
}

fn bodies() -> Work {
    let genesis = Genesis {
        name: "checkers".to_owned(),
        time_ms: 0,
        slot_ms: 1_000,
        schedule: Schedule::RoundRobin,
        authorities: vec![Keypair::from_seed(&[1; 32]).public()],
        limits: Limits::default(),
        allocations: [].into(),
    };
    Work::Bodies(Rules::new(genesis), Vec::new())
}

/// A queue with so many nodes, whose numbers are 0, 1, …
fn with_nodes(nodes: usize) -> Waiting {
    let mut waiting = Waiting::default();
    for _ in 0..nodes {
        waiting.join(mpsc::channel(1).0);
    }
    waiting
}

fn put_all(waiting: &mut Waiting, node: u64, jobs: impl IntoIterator<Item = u64>) {
    jobs.into_iter().for_each(|job| waiting.put(node, JobId(job), transaction(job)));
}

fn names(taken: &[Taken]) -> Vec<u64> {
    taken.iter().map(|(_, job, _)| job.0).collect()
}

#[test]
fn a_block_never_waits_behind_transactions_and_blocks_keep_their_order() {
    let mut waiting = with_nodes(1);
    put_all(&mut waiting, 0, 0..100);
    for job in [200, 201] {
        waiting.put(0, JobId(job), Work::Blocks(Vec::new()));
    }
    assert_eq!(names(&waiting.take().unwrap())[..4], [200, 201, 0, 1]);
}

#[test]
fn a_transaction_never_waits_behind_the_blocks_of_catching_up() {
    let mut waiting = with_nodes(1);
    waiting.put(0, JobId(1), bodies());
    waiting.put(0, JobId(2), bodies());
    put_all(&mut waiting, 0, 10..12);
    assert_eq!(names(&waiting.take().unwrap()), [10, 11]);
    assert_eq!(names(&waiting.take().unwrap()), [1], "one piece of it at a time");
    assert_eq!(names(&waiting.take().unwrap()), [2]);
    assert!(waiting.take().is_none());
}

#[test]
fn a_flood_of_transactions_leaves_every_second_turn_to_catching_up() {
    let mut waiting = with_nodes(1);
    (0..3).for_each(|number| waiting.put(0, JobId(number), bodies()));
    put_all(&mut waiting, 0, 10..2_000);
    let firsts: Vec<u64> = (0..6).map(|_| names(&waiting.take().unwrap())[0]).collect();
    assert_eq!(firsts, [10, 0, 138, 1, 266, 2]);
}

#[test]
fn one_thread_takes_a_batch_and_leaves_the_rest_to_the_others() {
    let mut waiting = with_nodes(1);
    put_all(&mut waiting, 0, 0..200);
    assert_eq!(waiting.take().unwrap().len() as u64, BATCH);
    assert_eq!(waiting.take().unwrap().len(), 72);
}

#[test]
fn a_node_with_much_to_check_takes_turns_with_one_that_has_little() {
    let mut waiting = with_nodes(3);
    put_all(&mut waiting, 0, 0..1_000);
    put_all(&mut waiting, 1, [5_000]);
    put_all(&mut waiting, 2, [6_000, 6_001]);
    assert_eq!(names(&waiting.take().unwrap())[..6], [0, 5_000, 6_000, 1, 6_001, 2]);
    (0..2).for_each(|number| waiting.put(1, JobId(number), bodies()));
    waiting.put(2, JobId(9), bodies());
    let bulk: Vec<u64> = (0..6).map(|_| names(&waiting.take().unwrap())[0]).collect();
    assert_eq!([bulk[0], bulk[2], bulk[4]], [0, 9, 1], "{bulk:?}");
}

#[test]
fn what_a_node_left_behind_is_not_checked_for_anybody() {
    let mut waiting = with_nodes(2);
    put_all(&mut waiting, 0, 0..10);
    put_all(&mut waiting, 1, [20]);
    waiting.clients.remove(&0);
    assert_eq!(names(&waiting.take().unwrap()), [20]);
    assert!(waiting.take().is_none());
    waiting.put(0, JobId(30), transaction(30));
    assert!(waiting.take().is_none());
}

#[tokio::test]
async fn what_goes_in_comes_out_checked_at_the_node_it_is_of_and_the_threads_end() {
    let threads = CheckerThreads::start().unwrap();
    let queue = Arc::downgrade(&threads.0.queue);
    let mut nodes = Vec::new();
    for _ in 0..2 {
        let (results, checked) = mpsc::channel(QUEUE);
        nodes.push((threads.join(results), checked));
    }
    drop(threads);
    for job in 0..300 {
        nodes[(job % 2) as usize].0.check(JobId(job), transaction(job));
    }
    for (number, (checkers, mut checked)) in nodes.into_iter().enumerate() {
        let mut seen = BTreeSet::new();
        while seen.len() < 150 {
            let (job, done) = checked.recv().await.unwrap();
            assert!(matches!(done, Done::Tx(Ok(_))));
            assert_eq!(job.0 % 2, number as u64);
            seen.insert(job);
        }
        drop(checkers);
        assert!(checked.recv().await.is_none(), "nobody has this node's end any more");
    }
    // The last thread drops its end of the queue.
    let ended = async {
        while queue.strong_count() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), ended).await.unwrap();
}
