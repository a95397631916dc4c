//! From events to `events.jsonl`: a thread of its own that loses nothing.
//!
//! Lines go to the file whole, many at a time, so that a reader who follows the file and a process
//! that is killed both see complete lines. The queue is bounded: when the disk cannot keep up,
//! whoever traces waits, and says so once. A full disk is waited for, with what was not written kept
//! and the node told to stand still; any other refusal is fatal to the node.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use thiserror::Error;
use tracing::warn;

use super::disk::write_whole_lines;
use super::event::{Event, Record};
use crate::engine::Time;
use crate::halt::{Cause, Halt};

/// Events that may wait for the disk: some seconds of a busy node's.
const QUEUE: usize = 65_536;

/// Bytes gathered before they are written.
const CHUNK: usize = 64 * 1024;

/// The longest that a line waits to be written, so that whoever follows the file sees the present.
const LINGER: Duration = Duration::from_millis(50);

/// How often a full disk is tried again.
const TRY_AGAIN: Duration = Duration::from_millis(200);

/// How long a node that was told to stop waits for a full disk, before it ends without the rest.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// The log cannot be written.
#[derive(Debug, Error)]
#[error(
    "the propagation log {path} cannot be written ({error}); make room, or choose another place with --events"
)]
pub struct LogError {
    path: String,
    error: io::Error,
}

/// Takes events for the log. Dropping it, or [`Log::close`], writes out what is left.
#[derive(Debug)]
pub struct Log {
    node: String,
    path: PathBuf,
    queue: Option<SyncSender<Record>>,
    thread: Option<JoinHandle<io::Result<()>>>,
    shared: Arc<Shared>,
    stalls: u64,
}

/// What both sides of the queue see.
#[derive(Debug, Default)]
struct Shared {
    halt: Arc<Halt>,
    waiting: AtomicUsize,
    closing: AtomicBool,
}

impl Log {
    /// Opens the file to append to it. A full disk is told to `halt` for as long as it is full.
    ///
    /// # Errors
    /// The file cannot be opened or written.
    pub fn open(path: &Path, node: String, halt: Arc<Halt>) -> Result<Self, LogError> {
        let failed = |error| LogError { path: path.display().to_string(), error };
        let file = open_at_line_start(path).map_err(failed)?;
        let (queue, lines) = sync_channel(QUEUE);
        let shared = Arc::new(Shared { halt, ..Shared::default() });
        let thread = std::thread::Builder::new()
            .name("events".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || write_lines(file, &lines, &shared)
            })
            .map_err(failed)?;
        Ok(Self {
            node,
            path: path.to_owned(),
            queue: Some(queue),
            thread: Some(thread),
            shared,
            stalls: 0,
        })
    }

    /// Writes an event down, waiting if the disk is behind.
    ///
    /// # Errors
    /// The disk has refused.
    pub fn write(&mut self, at: Time, event: Event) -> Result<(), LogError> {
        let record =
            Record { t: rfc3339(at.unix_us), mono_us: at.mono_us, node: self.node.clone(), event };
        let Some(queue) = &self.queue else { return Err(self.ended()) };
        self.shared.waiting.fetch_add(1, Ordering::Relaxed);
        let record = match queue.try_send(record) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Full(record)) => record,
            Err(TrySendError::Disconnected(_)) => return Err(self.ended()),
        };
        self.stalls += 1;
        if self.stalls.is_power_of_two() {
            warn!(
                times = self.stalls,
                "the propagation log cannot keep up with the disk, so the node slows down"
            );
        }
        if queue.send(record).is_err() {
            return Err(self.ended());
        }
        Ok(())
    }

    /// Whether half of the queue is taken: far more than anything that comes in adds at once, so who
    /// heeds it never waits in [`Log::write`].
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        self.shared.waiting.load(Ordering::Relaxed) >= QUEUE / 2
    }

    /// Writes out what is left. A disk that stays full is given up after two seconds.
    ///
    /// # Errors
    /// The disk refused, now or before.
    pub fn close(mut self) -> Result<(), LogError> {
        self.hang_up();
        self.join().map_err(|error| self.error(error))
    }

    fn hang_up(&mut self) {
        self.queue = None;
        self.shared.closing.store(true, Ordering::Release);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }

    /// Why the writing thread has ended.
    fn ended(&mut self) -> LogError {
        let error = self.join().err().unwrap_or_else(|| io::Error::other("it is closed"));
        self.error(error)
    }

    fn join(&mut self) -> io::Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(io::Error::other("its thread panicked")),
            None => Ok(()),
        }
    }

    fn error(&self, error: io::Error) -> LogError {
        LogError { path: self.path.display().to_string(), error }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.hang_up();
        if let Err(error) = self.join() {
            warn!(%error, "the propagation log is not complete");
        }
    }
}

/// Opens a file to append to. A last line that an earlier process was killed in is ended, so that
/// it spoils no line of ours.
fn open_at_line_start(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        if last != [b'\n'] {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

fn write_lines(mut file: File, lines: &Receiver<Record>, shared: &Shared) -> io::Result<()> {
    let mut chunk = Vec::with_capacity(CHUNK + 1024);
    let mut due = Instant::now() + LINGER;
    loop {
        match lines.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(record) => {
                shared.waiting.fetch_sub(1, Ordering::Relaxed);
                if chunk.is_empty() {
                    due = Instant::now() + LINGER;
                }
                serde_json::to_writer(&mut chunk, &record)?;
                chunk.push(b'\n');
                if chunk.len() < CHUNK && Instant::now() < due {
                    continue;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return write_out(&mut file, &mut chunk, shared);
            }
        }
        write_out(&mut file, &mut chunk, shared)?;
        due = Instant::now() + LINGER;
    }
}

/// Writes a chunk of lines, waiting while the disk is full.
fn write_out(file: &mut File, chunk: &mut Vec<u8>, shared: &Shared) -> io::Result<()> {
    let mut give_up = None;
    loop {
        let error = match write_whole_lines(file, chunk) {
            Ok(()) => {
                shared.halt.set(Cause::Log, false);
                return Ok(());
            }
            Err(error) if is_full(&error) => error,
            Err(error) => return Err(error),
        };
        shared.halt.set(Cause::Log, true);
        if shared.closing.load(Ordering::Acquire) {
            let end = *give_up.get_or_insert_with(|| Instant::now() + LAST_WAIT);
            if Instant::now() >= end {
                let queued = shared.waiting.load(Ordering::Relaxed);
                let lost = chunk.iter().filter(|byte| **byte == b'\n').count() + queued;
                let text = format!("{error}; {lost} lines are lost");
                return Err(io::Error::new(error.kind(), text));
            }
        }
        std::thread::park_timeout(TRY_AGAIN);
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// RFC 3339 in UTC with six decimals, from microseconds since the Unix epoch.
fn rfc3339(unix_us: u64) -> String {
    i64::try_from(unix_us)
        .ok()
        .and_then(|us| jiff::Timestamp::from_microsecond(us).ok())
        .map_or_else(|| "9999-12-31T23:59:59.999999Z".to_owned(), |t| format!("{t:.6}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::event::Kind;

    fn event(height: u64) -> Event {
        Event::Final { kind: Kind::Block, id: "ab".to_owned(), height }
    }

    fn read(path: &Path) -> Vec<Record> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn every_event_is_in_the_file_once_the_log_is_closed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.jsonl");
        let mut log = Log::open(&path, "n0".to_owned(), Arc::default()).unwrap();
        for height in 0..10_000 {
            let at = Time { unix_us: 1_790_000_000_000_001 + height, mono_us: height };
            log.write(at, event(height)).unwrap();
        }
        log.close().unwrap();
        let records = read(&path);
        assert_eq!(records.len(), 10_000);
        assert_eq!(records[0].t, "2026-09-21T14:13:20.000001Z");
        assert_eq!(records[9_999].event, event(9_999));
    }

    #[test]
    fn a_line_that_was_cut_by_a_kill_spoils_no_later_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.jsonl");
        std::fs::write(&path, "{\"t\":\"2026-").unwrap();
        let mut log = Log::open(&path, "n0".to_owned(), Arc::default()).unwrap();
        log.write(Time::default(), event(1)).unwrap();
        log.close().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let last: Record = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
        assert_eq!(last.event, event(1));
    }

    #[test]
    fn a_full_disk_is_waited_for_and_halts_the_node_and_ends_it_with_what_was_lost() {
        let halt = Arc::new(Halt::default());
        let mut log =
            Log::open(Path::new("/dev/full"), "n0".to_owned(), Arc::clone(&halt)).unwrap();
        log.write(Time::default(), event(0)).unwrap();
        let start = Instant::now();
        while !halt.is_for(Cause::Log) {
            assert!(start.elapsed() < Duration::from_secs(10), "nobody was told");
            std::thread::yield_now();
        }
        for height in 1..QUEUE as u64 / 2 + 10 {
            log.write(Time::default(), event(height)).unwrap();
        }
        assert!(log.is_crowded());
        let error = log.close().unwrap_err().to_string();
        assert!(error.contains("/dev/full") && error.contains("space"), "{error}");
        assert!(error.contains("32778 lines are lost"), "{error}");
        assert!(halt.is_on());
    }
}
