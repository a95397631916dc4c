//! Threads that check signatures.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use tokio::sync::mpsc;

use crate::engine::{Done, JobId, Work, run_all};

/// Signatures that one thread takes at once. A batch of 128 costs half of single checks, and a
/// larger one hardly less.
const BATCH: u64 = 128;

/// Results that may wait for the engine. It starts no more works than this, so that a thread never
/// waits for long.
pub(crate) const QUEUE: usize = 16_384;

/// Works that wait. What somebody waits for goes before what belongs to catching up, but only every
/// second time where there is both: else a flood of the one would end the other.
/// The engine bounds both: the first by the jobs it starts, the second by the bodies it holds.
#[derive(Debug, Default)]
struct Waiting {
    urgent: VecDeque<(JobId, Work)>,
    bulk: VecDeque<(JobId, Work)>,
    /// Whether the last ones taken were urgent.
    was_urgent: bool,
    closed: bool,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

/// Takes works and gives back what came of them, in any order. The threads end when this is
/// dropped.
#[derive(Debug)]
pub(crate) struct Checkers {
    queue: Arc<Queue>,
}

impl Checkers {
    /// Starts a thread for each processor. Results go to `results`, which must be read.
    pub(crate) fn start(results: &mpsc::Sender<(JobId, Done)>) -> std::io::Result<Self> {
        let checkers = Self { queue: Arc::default() };
        let threads = thread::available_parallelism().map_or(1, usize::from);
        for number in 0..threads {
            let (queue, results) = (Arc::clone(&checkers.queue), results.clone());
            thread::Builder::new()
                .name(format!("check-{number}"))
                .spawn(move || check(&queue, &results))?;
        }
        Ok(checkers)
    }

    /// Has signatures checked.
    pub(crate) fn check(&self, job: JobId, work: Work) {
        let mut waiting = self.queue.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = if work.is_bulk() { &mut waiting.bulk } else { &mut waiting.urgent };
        lane.push_back((job, work));
        drop(waiting);
        self.queue.changed.notify_one();
    }
}

impl Drop for Checkers {
    fn drop(&mut self) {
        self.queue.waiting.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.queue.changed.notify_all();
    }
}

fn check(queue: &Queue, results: &mpsc::Sender<(JobId, Done)>) {
    while let Some((jobs, works)) = take(queue) {
        for (job, done) in jobs.into_iter().zip(run_all(works)) {
            if results.blocking_send((job, done)).is_err() {
                return;
            }
        }
    }
}

/// Waits for a work, and takes what else is urgent up to a batch; none when the node is stopping.
fn take(queue: &Queue) -> Option<(Vec<JobId>, Vec<Work>)> {
    let mut waiting = queue.waiting.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if waiting.closed {
            return None;
        }
        if let Some(works) = waiting.take() {
            return Some(works.into_iter().unzip());
        }
        waiting = queue.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
    }
}

impl Waiting {
    fn take(&mut self) -> Option<Vec<(JobId, Work)>> {
        let (mut works, mut signatures) = (Vec::new(), 0);
        let bulk_is_due = self.was_urgent && !self.bulk.is_empty();
        while !bulk_is_due
            && signatures < BATCH
            && let Some((job, work)) = self.urgent.pop_front()
        {
            signatures += work.signatures();
            works.push((job, work));
        }
        self.was_urgent = !works.is_empty();
        if works.is_empty() {
            works.extend(self.bulk.pop_front());
        }
        Some(works).filter(|works| !works.is_empty())
    }
}

#[cfg(test)]
mod tests {
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

    fn names(works: &[(JobId, Work)]) -> Vec<u64> {
        works.iter().map(|(job, _)| job.0).collect()
    }

    #[test]
    fn a_transaction_never_waits_behind_the_blocks_of_catching_up() {
        let mut waiting = Waiting::default();
        waiting.bulk.push_back((JobId(1), bodies()));
        waiting.bulk.push_back((JobId(2), bodies()));
        waiting.urgent.extend((10..12).map(|nonce| (JobId(nonce), transaction(nonce))));
        assert_eq!(names(&waiting.take().unwrap()), [10, 11]);
        assert_eq!(names(&waiting.take().unwrap()), [1], "one piece of it at a time");
        assert_eq!(names(&waiting.take().unwrap()), [2]);
        assert!(waiting.take().is_none());
    }

    #[test]
    fn a_flood_of_transactions_leaves_every_second_turn_to_catching_up() {
        let mut waiting = Waiting::default();
        waiting.bulk.extend((0..3).map(|number| (JobId(number), bodies())));
        waiting.urgent.extend((10..2_000).map(|nonce| (JobId(nonce), transaction(nonce))));
        let firsts: Vec<u64> = (0..6).map(|_| names(&waiting.take().unwrap())[0]).collect();
        assert_eq!(firsts, [10, 0, 138, 1, 266, 2]);
    }

    #[test]
    fn one_thread_takes_a_batch_and_leaves_the_rest_to_the_others() {
        let mut waiting = Waiting::default();
        waiting.urgent.extend((0..200).map(|nonce| (JobId(nonce), transaction(nonce))));
        assert_eq!(waiting.take().unwrap().len() as u64, BATCH);
        assert_eq!(waiting.take().unwrap().len(), 72);
    }

    #[tokio::test]
    async fn what_goes_in_comes_out_checked_and_the_threads_end() {
        let (results, mut checked) = mpsc::channel(QUEUE);
        let checkers = Checkers::start(&results).unwrap();
        drop(results);
        for nonce in 0..300 {
            checkers.check(JobId(nonce), transaction(nonce));
        }
        let mut seen = std::collections::BTreeSet::new();
        while seen.len() < 300 {
            let (job, done) = checked.recv().await.unwrap();
            assert!(matches!(done, Done::Tx(Ok(_))));
            seen.insert(job);
        }
        drop(checkers);
        assert!(checked.recv().await.is_none(), "the last thread has dropped its end");
    }
}
