//! Threads that check signatures, for one node or for all nodes of a process.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::{io, thread};

use tokio::sync::mpsc;

use crate::engine::{Done, JobId, Work, run_all};

/// Signatures that one thread takes at once. A batch of 128 costs half of single checks, and a
/// larger one hardly less.
const BATCH: u64 = 128;

/// Results that may wait for the engine. It starts no more works than this, so that a thread never
/// waits for long.
pub(crate) const QUEUE: usize = 16_384;

/// Where results of a node go.
type Results = mpsc::Sender<(JobId, Done)>;

/// A work that a thread has taken, and whose it is.
type Taken = (Results, JobId, Work);

/// What one node wants checked.
#[derive(Debug)]
struct Client {
    urgent: VecDeque<(JobId, Work)>,
    bulk: VecDeque<(JobId, Work)>,
    results: Results,
}

/// Works that wait, blocks before transactions. What somebody waits for goes before what belongs to catching up, but only every
/// second time where there is both: else a flood of the one would end the other. Nodes that share the
/// threads take turns, work by work.
/// The engine bounds both: the first by the jobs it starts, the second by the bodies it holds.
#[derive(Debug, Default)]
struct Waiting {
    clients: BTreeMap<u64, Client>,
    next_client: u64,
    /// The clients that have urgent works, each once, the one whose turn it is first.
    urgent: VecDeque<u64>,
    /// Those that have others.
    bulk: VecDeque<u64>,
    /// Whether the last ones taken were urgent.
    was_urgent: bool,
    closed: bool,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

/// One thread for each processor. They end when the last node that uses them, and this, are gone.
#[derive(Clone, Debug)]
pub(crate) struct CheckerThreads(Arc<Threads>);

#[derive(Debug)]
struct Threads {
    queue: Arc<Queue>,
}

/// Takes works of one node and gives back what came of them, in any order. What waits when this is
/// dropped is not done.
#[derive(Debug)]
pub(crate) struct Checkers {
    threads: CheckerThreads,
    client: u64,
}

impl CheckerThreads {
    /// Starts the threads.
    pub(crate) fn start() -> io::Result<Self> {
        let threads = Threads { queue: Arc::default() };
        let count = thread::available_parallelism().map_or(1, usize::from);
        for number in 0..count {
            let queue = Arc::clone(&threads.queue);
            thread::Builder::new().name(format!("check-{number}")).spawn(move || check(&queue))?;
        }
        Ok(Self(Arc::new(threads)))
    }

    /// Lets another node use the threads. Results go to `results`, which must be read.
    pub(crate) fn join(&self, results: Results) -> Checkers {
        let mut waiting = self.0.queue.lock();
        let client = waiting.join(results);
        drop(waiting);
        Checkers { threads: self.clone(), client }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.changed.notify_all();
    }
}

impl Checkers {
    /// Has signatures checked.
    pub(crate) fn check(&self, job: JobId, work: Work) {
        let queue = &self.threads.0.queue;
        queue.lock().put(self.client, job, work);
        queue.changed.notify_one();
    }
}

impl Drop for Checkers {
    fn drop(&mut self) {
        let mut waiting = self.threads.0.queue.lock();
        waiting.clients.remove(&self.client);
        // Its turns go with it: one that is nobody's would be taken for work.
        let gone = self.client;
        waiting.urgent.retain(|client| *client != gone);
        waiting.bulk.retain(|client| *client != gone);
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a work, and takes what else is urgent up to a batch; none when the threads are to
    /// end.
    fn take(&self) -> Option<Vec<Taken>> {
        let mut waiting = self.lock();
        loop {
            if waiting.closed {
                return None;
            }
            if let Some(taken) = waiting.take() {
                return Some(taken);
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn check(queue: &Queue) {
    while let Some(taken) = queue.take() {
        let (mut owners, mut works) = (Vec::new(), Vec::new());
        for (results, job, work) in taken {
            owners.push((results, job));
            works.push(work);
        }
        for ((results, job), done) in owners.into_iter().zip(run_all(works)) {
            // The node may be gone; the others are not.
            let _ = results.blocking_send((job, done));
        }
    }
}

impl Waiting {
    fn join(&mut self, results: Results) -> u64 {
        let client = self.next_client;
        self.next_client += 1;
        let (urgent, bulk) = (VecDeque::new(), VecDeque::new());
        self.clients.insert(client, Client { urgent, bulk, results });
        client
    }

    fn put(&mut self, number: u64, job: JobId, work: Work) {
        let Some(client) = self.clients.get_mut(&number) else { return };
        let (works, turns) = if work.is_bulk() {
            (&mut client.bulk, &mut self.bulk)
        } else {
            (&mut client.urgent, &mut self.urgent)
        };
        if works.is_empty() {
            turns.push_back(number);
        }
        // Blocks are few, everybody waits for them, and what they hold need not be relayed any more.
        let at = match &work {
            Work::Tx(_) => works.len(),
            _ => works.iter().take_while(|(_, work)| !matches!(work, Work::Tx(_))).count(),
        };
        works.insert(at, (job, work));
    }

    /// The next work of whoever's turn it is.
    fn next(&mut self, urgent: bool) -> Option<Taken> {
        let turns = if urgent { &mut self.urgent } else { &mut self.bulk };
        loop {
            let number = turns.pop_front()?;
            // Nodes that are gone have no turn any more.
            let Some(client) = self.clients.get_mut(&number) else { continue };
            let works = if urgent { &mut client.urgent } else { &mut client.bulk };
            let Some((job, work)) = works.pop_front() else { continue };
            if !works.is_empty() {
                turns.push_back(number);
            }
            return Some((client.results.clone(), job, work));
        }
    }

    fn take(&mut self) -> Option<Vec<Taken>> {
        let (mut taken, mut signatures) = (Vec::new(), 0);
        let bulk_is_due = self.was_urgent && !self.bulk.is_empty();
        while !bulk_is_due
            && signatures < BATCH
            && let Some(work) = self.next(true)
        {
            signatures += work.2.signatures();
            taken.push(work);
        }
        self.was_urgent = !taken.is_empty();
        if taken.is_empty() {
            taken.extend(self.next(false));
        }
        Some(taken).filter(|taken| !taken.is_empty())
    }
}

#[cfg(test)]
#[path = "checkers_tests.rs"]
mod tests;
