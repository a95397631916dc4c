//! `hearsay-testnet local`: starts a testnet, loads it, stops it and reports, all in one command.
//!
//! Whatever happens in between, be it Ctrl-C or a node that dies, the nodes are stopped in order and
//! what is in their logs is reported; a run that was not what was asked for then ends with an error.

mod launch;
mod outcome;
mod settle;
mod talk;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::mpsc;

pub use self::outcome::Fault;

use self::launch::Testnet;
use self::outcome::unix_us;
use self::settle::settle;
use crate::cluster::{ClusterError, Exit, ProgramError};
use crate::interrupts::Interrupts;
use crate::load::Schedule;
use crate::manifest::Measure;
use crate::out_dir::OutDirError;
use crate::output::Format;
use crate::progress::Phase;
use crate::report::ReportError;

/// How long the nodes may take to start and find each other: opening a store and two rounds of mesh
/// keeping take about two seconds; a busy machine with many nodes, some more.
const READY: Duration = Duration::from_secs(60);

/// How long what is under way may take to arrive once the load is over, besides [`SETTLE_SLOTS`].
const SETTLE: Duration = Duration::from_secs(15);

/// The last transactions need a block, which comes with a slot, and if its authority misses it, with
/// the next.
const SETTLE_SLOTS: u32 = 3;

/// The same when somebody waits for the end.
const SETTLE_BRIEFLY: Duration = Duration::from_secs(2);

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The testnet.
    pub spec: crate::cluster::Spec,
    /// The load.
    pub schedule: Schedule,
    /// The folder; none: one named after the time.
    pub out: Option<PathBuf>,
    /// Whether the testnet stays up after the load.
    pub keep: bool,
    /// What is printed on stdout.
    pub format: Format,
}

/// Why a run was not what was asked for.
#[derive(Debug, Error)]
pub enum LocalError {
    /// The folder cannot be had.
    #[error(transparent)]
    OutDir(#[from] OutDirError),
    /// The node's program is not there.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// No network can run like this.
    #[error("no network can run like this: {0}")]
    Genesis(#[from] hearsay_chain::genesis::GenesisError),
    /// The system refused.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The nodes did not start.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// There is no report to make.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// It ran, but not as it should.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Faults(Vec<Fault>),
}

/// Why some work was given up.
#[derive(Debug)]
enum Stopped {
    Interrupted,
    Died(Exit),
}

/// What may end any work early.
#[derive(Debug)]
struct Guard {
    exits: mpsc::Receiver<Exit>,
    interrupts: Interrupts,
}

impl Guard {
    /// Does `work`, unless a node dies or somebody asks for the end.
    async fn guard<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Stopped> {
        tokio::select! {
            biased;
            () = self.interrupts.next() => Err(Stopped::Interrupted),
            Some(exit) = self.exits.recv() => Err(Stopped::Died(exit)),
            done = work => Ok(done),
        }
    }
}

/// Runs a testnet from its start to its end.
///
/// # Errors
/// It could not be started, or what ran was not what was asked for. No process is left either way.
pub async fn run(options: &Options) -> Result<(), LocalError> {
    let interrupts = Interrupts::listen()?;
    let (mut testnet, exits) = Testnet::launch(options)?;
    let mut guard = Guard { exits, interrupts };
    let ran = testnet.work(options, &mut guard).await;
    testnet.stop(&mut guard.interrupts).await;
    if ran && let Err(error) = testnet.report(options).await {
        testnet.fault(Fault::sentence(error.to_string()));
    }
    testnet.into_faults()
}

impl Testnet {
    /// All between start and stop. Returns whether there is something to report.
    async fn work(&mut self, options: &Options, guard: &mut Guard) -> bool {
        match guard.guard(self.cluster.ready(READY)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                self.not_ready(&error);
                return false;
            }
            Err(stopped) => {
                self.stopped(&stopped, "before the load began").await;
                return false;
            }
        }
        let from_us = unix_us();
        // Whoever asked for a network without load to use it need not wait for the load's end.
        let idle = options.keep && options.schedule.count() == 0;
        let loaded = idle || self.load(options, from_us, guard).await;
        if options.keep && loaded {
            self.keep(options, from_us, guard).await;
        }
        true
    }

    /// Hands in the load, and lets it arrive. Returns whether it came to its end.
    async fn load(&mut self, options: &Options, from_us: i64, guard: &mut Guard) -> bool {
        self.progress.phase(Phase::Loading(options.schedule.duration)).await;
        let Some(load) = self.load.take() else { return false };
        let loaded = guard.guard(load.run()).await;
        let until_us = unix_us();
        if let Err(stopped) = &loaded {
            self.stopped(stopped, "during the load").await;
        }
        let within = match loaded {
            Ok(()) => SETTLE + self.slot() * SETTLE_SLOTS,
            Err(Stopped::Interrupted) => SETTLE_BRIEFLY,
            Err(Stopped::Died(_)) => Duration::ZERO,
        };
        self.settle(from_us, until_us, within, guard).await && loaded.is_ok()
    }

    /// Lets what is under way arrive, and notes the measured stretch of time. Returns whether
    /// nothing came in between.
    async fn settle(
        &mut self,
        from_us: i64,
        until_us: i64,
        within: Duration,
        guard: &mut Guard,
    ) -> bool {
        self.progress.phase(Phase::Settling).await;
        let gaps = !self.counts.borrow().all_taken();
        let settling = settle(&self.cluster, self.tail.live(), gaps, within);
        let settled = guard.guard(settling).await;
        if let Err(stopped) = &settled {
            self.stopped(stopped, "before the network was at rest").await;
        }
        let undisturbed = settled.is_ok();
        let rested = settled.ok().flatten();
        let settled_us = rested.unwrap_or_else(unix_us);
        if undisturbed && rested.is_none() && within > SETTLE_BRIEFLY {
            self.progress.note(talk::unsettled(within)).await;
        }
        let settle_us = (settled_us - until_us).max(0);
        self.manifest.measure = Some(Measure { from_us, until_us, settle_us });
        self.write_manifest();
        undisturbed
    }

    /// Reports on the load, if there was one, and then stays up until somebody asks for the end.
    async fn keep(&mut self, options: &Options, from_us: i64, guard: &mut Guard) {
        self.progress.end().await;
        if self.manifest.measure.is_some()
            && let Err(error) = self.report(options).await
        {
            self.fault(Fault::sentence(error.to_string()));
        }
        eprintln!("{}", talk::how_to_use(&self.layout, &self.plan));
        self.resume_progress();
        self.progress.phase(Phase::Kept).await;
        let mut alive = self.cluster.nodes().len();
        while alive > 0 {
            match guard.guard(std::future::pending::<()>()).await {
                Ok(()) | Err(Stopped::Interrupted) => break,
                Err(died @ Stopped::Died(_)) => {
                    alive -= 1;
                    self.stopped(&died, "while the testnet was kept").await;
                }
            }
        }
        let within = if self.dead.is_empty() { SETTLE_BRIEFLY } else { Duration::ZERO };
        self.settle(from_us, unix_us(), within, guard).await;
    }
}
