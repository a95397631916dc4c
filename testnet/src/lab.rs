//! A testnet as it lives: its nodes, links, loads and files, and what can be done to them.
//!
//! ```text
//!            scenario ── plan ──┐
//!  run, up ──────────────► Lab ─┼─ cluster   nodes: started, killed, paused
//!  timed actions, verbs ──►     ├─ links     what each is told of its links
//!                               ├─ loads     transactions, each at its time
//!                               └─ manifest  what was done, for the report
//! ```
//!
//! Whoever drives it ([`run`](crate::run) to the end of a scenario, [`up`](crate::up) until told to
//! stop) has the same [`Lab`]: a timed action of a scenario and a verb on the command line do the
//! same thing.

mod act;
mod answer;
mod calibrate;
mod clock;
mod fault;
pub mod links;
mod live;
mod loads;
mod ready;
mod record;
mod settle;
mod talk;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hearsay_chain::genesis::GenesisError;
use hearsay_node::embed::Shared;
use hearsay_node::lab::{LabSettings, LinkSettings};
use jiff::Timestamp;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

pub use self::clock::Clock;
pub use self::fault::Fault;
pub use self::live::{Ends, Stopped};
pub use self::settle::make_report;
pub use self::talk::ours;

pub(crate) use self::settle::SETTLE_BRIEFLY;
pub(crate) use self::talk::{afterwards, beginning, how_to_use, quoted};

use self::links::Links;
use self::live::Timeline;
use self::loads::Loads;
use crate::cluster::{
    Cluster, ClusterError, Exit, Held, Layout, Maker, Plan, ProgramError, hold, node_program,
};
use crate::control::Reply;
use crate::load::Journal;
use crate::manifest::Manifest;
use crate::out_dir::OutDirError;
use crate::progress::{Label, Polls, Progress, Sources, Tail};
use crate::report::ReportError;
use crate::scenario::{LabPlan, Scenario, StoreKind};

/// How long the nodes may take to start and find each other: opening a store and two rounds of mesh
/// keeping take about two seconds; a busy machine with many nodes, some more.
const READY: Duration = Duration::from_secs(60);

/// Why a testnet did not come up, or has no report.
#[derive(Debug, Error)]
pub enum LabError {
    /// The folder cannot be had.
    #[error(transparent)]
    OutDir(#[from] OutDirError),
    /// The node's program is not there.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// No network can run like this.
    #[error("no network can run like this: {0}")]
    Genesis(#[from] GenesisError),
    /// The system refused.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The nodes did not start.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// There is no report to make.
    #[error(transparent)]
    Report(#[from] ReportError),
}

/// A testnet.
#[derive(Debug)]
pub struct Lab {
    /// What was asked for.
    pub scenario: Scenario,
    /// What that comes to.
    pub plan: LabPlan,
    /// Its files.
    pub layout: Layout,
    network: Plan,
    cluster: Cluster,
    /// The ports of nodes that have yet to be started.
    held: Held,
    links: Links,
    clock: Clock,
    /// How far each node's clock is off, in milliseconds.
    skews: Vec<i64>,
    /// Nodes that could not be told of a change.
    untold: BTreeSet<usize>,
    program: PathBuf,
    shared: Option<Shared>,
    exits: mpsc::UnboundedSender<Exit>,
    loads: Loads,
    journal: Arc<Journal>,
    manifest: Manifest,
    tail: Tail,
    progress: Option<Progress>,
    faults: Vec<Fault>,
    up_since: Instant,
    /// Whoever asked for the end, and waits for it.
    pub(crate) farewell: Option<oneshot::Sender<Reply>>,
}

impl Lab {
    /// Writes the files of a new testnet, into the folder that `place` makes. Nothing runs yet. The
    /// channel tells of each node that ends.
    ///
    /// # Errors
    /// Anything that can be refused; then nothing was written.
    pub fn prepare(
        scenario: Scenario,
        place: impl FnOnce(Timestamp) -> Result<PathBuf, OutDirError>,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Exit>), LabError> {
        let now = Timestamp::now();
        let made = Made::of(scenario, now)?;
        let layout = Layout::at(place(now)?.canonicalize()?);
        layout.write(&made.network, made.plan.senders)?;
        std::fs::write(layout.scenario(), made.scenario.to_toml())?;
        made.lab(layout, now, None)
    }

    /// Takes up the stopped testnet in `dir`, with its keys, its genesis and its chains.
    ///
    /// # Errors
    /// There is none, or it cannot be taken up.
    pub fn take_up(
        dir: &Path,
        scenario: Scenario,
        before: Manifest,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Exit>), LabError> {
        let now = Timestamp::now();
        let mut made = Made::of(scenario, now)?;
        let layout = Layout::at(dir.canonicalize()?);
        // The genesis names the moment of the first slot, so it is what it was.
        made.network.genesis =
            hearsay_node::genesis_file::read(&layout.genesis()).map_err(io::Error::other)?;
        made.lab(layout, now, Some(before))
    }

    /// Starts the nodes that are there from the beginning, and waits until they are connected and
    /// their links are as asked.
    ///
    /// # Errors
    /// A node that does not start, or is not ready in time. Those that run still do.
    pub async fn start(&mut self) -> Result<(), ClusterError> {
        // Until the probes are through.
        self.links.even_out(self.plan.shaped());
        let mut first: Vec<usize> = (0..self.plan.nodes())
            .filter(|node| self.plan.starts.get(*node).is_none_or(Duration::is_zero))
            .collect();
        // The one whose address the others are given is there before them.
        first.sort_by_key(|node| self.plan.bootstrap != Some(*node));
        for node in first {
            self.start_node(node).await?;
            if self.plan.bootstrap == Some(node) {
                self.cluster.answers(node, self.clock.real(READY)).await?;
            }
        }
        self.tell_progress();
        self.write_manifest();
        Ok(())
    }

    async fn start_node(&mut self, node: usize) -> Result<(), ClusterError> {
        let maker = Maker {
            layout: &self.layout,
            genesis: &self.network.genesis,
            program: &self.program,
            shared: self.shared.as_ref(),
            exits: &self.exits,
        };
        let told = self.links.told(node, |other| self.network.nodes[other].peer().to_string());
        let lab = LabSettings {
            dilation: self.scenario.dilation,
            epoch_us: u64::try_from(self.clock.epoch_us()).unwrap_or_default(),
            skew_ms: self.skews[node],
            memory_store: self.scenario.nodes.store == StoreKind::Memory,
            seed: self.plan.link_seed,
            window: self.plan.window,
            gossip_loss: self.plan.gossip_loss,
            access: told.access.unwrap_or_default(),
            default: LinkSettings::default(),
            peers: told.peers,
        };
        self.held.release(node);
        self.cluster.seat(node).start(&maker, lab).await?;
        self.manifest.nodes[node].pid = self.cluster.seats()[node].pid().unwrap_or_default();
        Ok(())
    }

    /// Shows progress on stderr from now on.
    fn tell_progress(&mut self) {
        let label = |seat: &crate::cluster::Seat| Label {
            name: seat.plan.name.clone(),
            authority: seat.plan.authority.is_some(),
        };
        self.progress = Some(Progress::start(Sources {
            labels: self.cluster.seats().iter().map(label).collect(),
            polls: Polls::start(self.cluster.seats().iter().map(|seat| seat.client.clone())),
            live: self.tail.live(),
            load: self.loads.watch(),
        }));
    }

    /// Says something that stays on the screen.
    pub async fn note(&self, note: String) {
        match &self.progress {
            Some(progress) => progress.note(note).await,
            None => eprintln!("{note}"),
        }
    }

    /// What the nodes' clocks say now, in microseconds since the Unix epoch.
    pub(crate) fn now_us(&self) -> i64 {
        self.clock.now_us()
    }

    /// The scenario's actions, from now on.
    pub(crate) fn timeline(&self) -> Timeline {
        Timeline::new(&self.plan.actions, self.scenario.dilation)
    }

    /// No actions.
    pub(crate) fn no_timeline(&self) -> Timeline {
        Timeline::new(&[], self.scenario.dilation)
    }

    /// What went wrong so far.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The length of a slot, in the nodes' time.
    fn slot(&self) -> Duration {
        Duration::from_millis(self.network.genesis.slot_ms)
    }

    fn name(&self, node: usize) -> String {
        self.network.nodes[node].name.clone()
    }

    fn names(&self, nodes: &[usize]) -> Vec<String> {
        nodes.iter().map(|node| self.name(*node)).collect()
    }
}

/// A testnet whose files are not written yet.
struct Made {
    scenario: Scenario,
    plan: LabPlan,
    network: Plan,
    cluster: Cluster,
    held: Held,
    program: PathBuf,
    shared: Option<Shared>,
}

impl Made {
    fn of(scenario: Scenario, now: Timestamp) -> Result<Self, LabError> {
        let in_process = scenario.nodes.in_process;
        let program = if in_process { PathBuf::new() } else { node_program()? };
        let shared = in_process.then(Shared::new).transpose()?;
        let plan = scenario.layout();
        let (ports, held) = hold(plan.nodes())?;
        let time_ms = u64::try_from(now.as_millisecond()).unwrap_or_default();
        let network = Plan::new(&scenario, &plan, time_ms, &ports)?;
        let cluster = Cluster::new(&network)?;
        Ok(Self { scenario, plan, network, cluster, held, program, shared })
    }

    fn lab(
        self,
        layout: Layout,
        now: Timestamp,
        before: Option<Manifest>,
    ) -> Result<(Lab, mpsc::UnboundedReceiver<Exit>), LabError> {
        let Made { scenario, mut plan, network, cluster, held, program, shared } = self;
        // What the scenario had planned was done the first time.
        let resumed = before.is_some();
        if resumed {
            plan.actions.clear();
            plan.starts.fill(Duration::ZERO);
        }
        let manifest = record::manifest(&scenario, &plan, &network, now, before.as_ref());
        manifest.write(layout.dir())?;
        let spare = before.map_or(plan.senders, |before| before.next_spare.max(plan.senders));
        let clients = cluster.seats().iter().map(|seat| seat.client.clone()).collect();
        let clock = Clock::new(now.as_microsecond(), scenario.dilation);
        let journal = Arc::new(Journal::open(&layout.submitted(), clock)?);
        let mut loads = Loads::new(
            network.genesis.chain(),
            network.senders.clone(),
            spare,
            clients,
            Arc::clone(&journal),
            scenario.dilation,
        );
        for load in plan.loads.iter().filter(|_| !resumed) {
            loads.prepare(&load.spec, load.senders.clone(), &load.entries);
        }
        let logs = network.nodes.iter().map(|node| node.name.clone());
        let tail = Tail::start(logs.map(|name| (name.clone(), layout.events(&name))).collect());
        let (exits, ends) = mpsc::unbounded_channel();
        let lab = Lab {
            links: Links::new(links::given(&plan), plan.pairs()),
            clock,
            skews: vec![0; plan.nodes()],
            untold: BTreeSet::new(),
            scenario,
            plan,
            layout,
            network,
            cluster,
            held,
            program,
            shared,
            exits,
            loads,
            journal,
            manifest,
            tail,
            progress: None,
            faults: Vec::new(),
            up_since: Instant::now(),
            farewell: None,
        };
        Ok((lab, ends))
    }
}
