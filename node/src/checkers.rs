//! Threads that check signatures.

use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::mpsc;

use crate::engine::{Done, JobId, Work, run_all};

/// The most checks that one thread takes at once. A batch of 128 costs half of single checks, and a
/// larger one hardly less.
const BATCH: usize = 128;

/// Works that may wait. The engine starts no more than this many, so sending never waits.
pub(crate) const QUEUE: usize = 16_384;

/// Takes works and gives back what came of them, in any order. The threads end when this is
/// dropped.
#[derive(Debug)]
pub(crate) struct Checkers {
    works: SyncSender<(JobId, Work)>,
}

impl Checkers {
    /// Starts a thread for each processor. Results go to `results`, which must be read.
    pub(crate) fn start(results: &mpsc::Sender<(JobId, Done)>) -> std::io::Result<Self> {
        let (works, queue) = sync_channel(QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        let threads = thread::available_parallelism().map_or(1, usize::from);
        for number in 0..threads {
            let (queue, results) = (Arc::clone(&queue), results.clone());
            thread::Builder::new()
                .name(format!("check-{number}"))
                .spawn(move || check(&queue, &results))?;
        }
        Ok(Self { works })
    }

    /// Has signatures checked.
    pub(crate) fn check(&self, job: JobId, work: Work) {
        // The threads live as long as this does, so there is always somebody to take it.
        let _ = self.works.send((job, work));
    }
}

fn check(queue: &Mutex<Receiver<(JobId, Work)>>, results: &mpsc::Sender<(JobId, Done)>) {
    loop {
        let (jobs, works) = match take(queue) {
            Some(batch) => batch,
            None => return,
        };
        for (job, done) in jobs.into_iter().zip(run_all(works)) {
            if results.blocking_send((job, done)).is_err() {
                return;
            }
        }
    }
}

/// Waits for one work and takes what else is there; none when the node is stopping.
fn take(queue: &Mutex<Receiver<(JobId, Work)>>) -> Option<(Vec<JobId>, Vec<Work>)> {
    let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    let (job, work) = queue.recv().ok()?;
    let (mut jobs, mut works) = (vec![job], vec![work]);
    while works.len() < BATCH {
        match queue.try_recv() {
            Ok((job, work)) => {
                jobs.push(job);
                works.push(work);
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
        }
    }
    Some((jobs, works))
}
