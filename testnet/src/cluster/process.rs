//! One node's process: started in a group of its own, watched, told to stop, and never left behind.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::duty::{Beat, Duty};

/// Orders that may wait for a process; each is carried out at once.
const ORDERS: usize = 16;

#[derive(Clone, Copy, Debug)]
enum Order {
    /// It ends a duty cycle, if there is one.
    Signal(Signal),
    /// Run for a share of the time only; none: all the time again.
    Starve(Option<Duty>),
    Kill,
}

/// A process that runs, or has run. A task watches it; when that task goes, by a panic or because
/// the runtime ends, the process is killed.
#[derive(Debug)]
pub(super) struct Process {
    pid: u32,
    orders: mpsc::Sender<Order>,
    ended: watch::Receiver<Option<ExitStatus>>,
}

impl Process {
    /// Starts `command`, and calls `at_end` when it has ended.
    ///
    /// It gets a process group of its own, so that Ctrl-C on the terminal reaches only us, who stop
    /// all nodes in order. Its stdin is a pipe that we keep open: when we end in any way, it closes.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn start(
        mut command: Command,
        at_end: impl FnOnce(ExitStatus) + Send + 'static,
    ) -> io::Result<Self> {
        command.process_group(0).stdin(Stdio::piped());
        let child = tokio::process::Command::from(command).kill_on_drop(true).spawn()?;
        let pid = child.id().unwrap_or_default();
        let (orders, queue) = mpsc::channel(ORDERS);
        let (end, ended) = watch::channel(None);
        tokio::spawn(async move {
            if let Ok(status) = watch(child, queue).await {
                end.send_replace(Some(status));
                at_end(status);
            }
        });
        Ok(Self { pid, orders, ended })
    }

    /// Its number.
    #[must_use]
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Tells it to stop in order; one that stands still goes on, as it could not stop otherwise.
    pub(super) fn stop(&self) {
        self.signal(Signal::TERM);
        self.signal(Signal::CONT);
    }

    /// Lets it stand still.
    pub(super) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(super) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Lets it run for a share of the time only; none: all the time again.
    pub(super) fn starve(&self, duty: Option<Duty>) {
        let _ = self.orders.try_send(Order::Starve(duty));
    }

    fn signal(&self, signal: Signal) {
        // Full: it was told often enough. Closed: it has ended.
        let _ = self.orders.try_send(Order::Signal(signal));
    }

    /// Kills it.
    pub(super) fn kill(&self) {
        let _ = self.orders.try_send(Order::Kill);
    }

    /// Waits for its end.
    pub(super) async fn ended(&self) -> Option<ExitStatus> {
        let mut ended = self.ended.clone();
        // The task gone without an end is an end as well.
        ended.wait_for(Option::is_some).await.ok().and_then(|status| *status)
    }
}

/// Waits for the end of `child` and carries orders out meanwhile. Only here, where it is known that
/// the process was not waited for yet, does its number certainly mean that process.
///
/// Nobody is left standing still: if this task goes, the process is killed; if all of this process goes,
/// and be it by a kill -9, the system itself ends a stopped process whose group has nobody to wake it
/// (POSIX: `SIGHUP` and `SIGCONT` to an orphaned group), and one that runs finds its stdin closed.
async fn watch(mut child: Child, mut orders: mpsc::Receiver<Order>) -> io::Result<ExitStatus> {
    // Waiting for a child closes its stdin, unless it was taken out before.
    let _stdin = child.stdin.take();
    let mut beat: Option<Beat> = None;
    loop {
        let next = beat.as_ref().map(Beat::next);
        let order = tokio::select! {
            status = child.wait() => return status,
            Some(order) = orders.recv() => order,
            () = turn(next) => {
                if let Some(beat) = &mut beat {
                    let halts = beat.turn(Instant::now());
                    signal(&child, if halts { Signal::STOP } else { Signal::CONT });
                }
                continue;
            }
        };
        let halted = beat.take().is_some_and(|beat| beat.halts());
        match order {
            Order::Signal(told) => signal(&child, told),
            Order::Starve(duty) => {
                if halted {
                    signal(&child, Signal::CONT);
                }
                beat = duty.map(|duty| Beat::new(duty, Instant::now()));
            }
            Order::Kill => child.start_kill()?,
        }
    }
}

async fn turn(next: Option<Instant>) {
    match next {
        Some(next) => sleep_until(next).await,
        None => std::future::pending().await,
    }
}

fn signal(child: &Child, signal: Signal) {
    let raw = child.id().and_then(|pid| i32::try_from(pid).ok());
    if let Some(pid) = raw.and_then(Pid::from_raw) {
        // Fails only if it has ended.
        let _ = kill_process(pid, signal);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn shell(script: &str) -> (Process, mpsc::Receiver<ExitStatus>) {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(Stdio::null()).stderr(Stdio::null());
        let (exits, ends) = mpsc::channel(1);
        let at_end = move |status| exits.try_send(status).unwrap();
        (Process::start(command, at_end).unwrap(), ends)
    }

    #[tokio::test]
    async fn an_end_is_noticed_and_told_with_its_status() {
        let (process, mut exits) = shell("exit 7");
        let status = exits.recv().await.unwrap();
        assert_eq!(status.code(), Some(7));
        assert_eq!(process.ended().await, Some(status));
    }

    #[tokio::test]
    async fn a_process_stops_when_told_and_is_killed_if_it_does_not() {
        let (process, _exits) = shell("read line");
        process.stop();
        assert_eq!(process.ended().await.unwrap().signal(), Some(Signal::TERM.as_raw()));
        let (process, _exits) = shell("trap '' TERM; read line; read line");
        process.stop();
        process.kill();
        let signal = process.ended().await.unwrap().signal();
        assert!(signal == Some(Signal::KILL.as_raw()) || signal == Some(Signal::TERM.as_raw()));
    }

    #[tokio::test]
    async fn a_starved_process_gets_on_and_stops_when_told() {
        // It counts to a number that takes it some turns, and says so by its end.
        let (process, mut exits) =
            shell("n=0; while [ $n -lt 100000 ]; do n=$((n+1)); done; exit 7");
        process.starve(Duty::of(0.1));
        assert_eq!(exits.recv().await.unwrap().code(), Some(7));
        for told in [None, Duty::of(0.02)] {
            let (process, _exits) = shell("read line");
            process.starve(Duty::of(0.02));
            process.starve(told);
            process.stop();
            let signal = process.ended().await.unwrap().signal();
            assert_eq!(signal, Some(Signal::TERM.as_raw()));
        }
    }

    #[tokio::test]
    async fn a_process_that_stands_still_can_still_be_stopped() {
        let (process, _exits) = shell("read line");
        process.pause();
        process.stop();
        assert_eq!(process.ended().await.unwrap().signal(), Some(Signal::TERM.as_raw()));
    }
}
