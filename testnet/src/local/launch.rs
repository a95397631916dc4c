//! From what is asked for to running processes.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use super::{Fault, LocalError, Options, talk};
use crate::cluster::{Cluster, Exit, Layout, Node, Plan, hold, node_program};
use crate::load::{self, Counts, Load};
use crate::manifest::{self, AccessRates, MANIFEST, Machine, Manifest, ManifestLoad, ManifestNode};
use crate::out_dir;
use crate::progress::{Label, Polls, Progress, Sources, Tail};

/// The name of a testnet that is described by flags.
const SCENARIO: &str = "local";

/// A testnet whose processes run.
#[derive(Debug)]
pub(super) struct Testnet {
    pub(super) layout: Layout,
    pub(super) plan: Plan,
    pub(super) cluster: Cluster,
    pub(super) manifest: Manifest,
    /// Signed and waiting; none once it was begun.
    pub(super) load: Option<Load>,
    pub(super) counts: watch::Receiver<Counts>,
    pub(super) tail: Tail,
    pub(super) progress: Progress,
    pub(super) faults: Vec<Fault>,
    /// Nodes whose process has ended by itself.
    pub(super) dead: BTreeSet<String>,
    /// Whether the report was printed.
    pub(super) reported: bool,
}

impl Testnet {
    /// Makes the folder, writes the files and starts the processes.
    pub(super) fn launch(options: &Options) -> Result<(Self, mpsc::Receiver<Exit>), LocalError> {
        // All that can be refused is looked at before anything is written.
        let program = node_program()?;
        let now = Timestamp::now();
        let (ports, held) = hold(options.spec.nodes)?;
        let time_ms = u64::try_from(now.as_millisecond()).unwrap_or_default();
        let plan = Plan::new(&options.spec, time_ms, &ports)?;
        let layout = Layout::at(out_dir::prepare(options.out.as_deref(), now)?);
        layout.write(&plan)?;
        eprintln!("{}", talk::beginning(options, &layout));
        let (cluster, exits) = Cluster::start(&program, &layout, &plan, held)?;
        let manifest = manifest(options, now, &plan, &cluster);
        manifest.write(layout.dir()).map_err(|error| {
            std::io::Error::new(error.kind(), format!("cannot write {MANIFEST}: {error}"))
        })?;
        let spec = load::Spec::plain(options.schedule, options.spec.payload, options.spec.seed);
        let entries = cluster.nodes().iter().map(|node| node.client.clone()).collect();
        let load = Load::prepare(&spec, plan.genesis.chain(), &plan.senders, entries);
        let counts = load.counts();
        let names = plan.nodes.iter().map(|node| node.name.clone());
        let tail = Tail::start(names.map(|name| (name.clone(), layout.events(&name))).collect());
        let progress = progress(&cluster, &tail, &counts);
        let testnet = Self {
            layout,
            plan,
            cluster,
            manifest,
            load: Some(load),
            counts,
            tail,
            progress,
            faults: Vec::new(),
            dead: BTreeSet::new(),
            reported: false,
        };
        Ok((testnet, exits))
    }

    /// Shows progress again after it was ended.
    pub(super) fn resume_progress(&mut self) {
        self.progress = progress(&self.cluster, &self.tail, &self.counts);
    }

    /// The length of a slot.
    pub(super) fn slot(&self) -> Duration {
        Duration::from_millis(self.plan.genesis.slot_ms)
    }
}

fn progress(cluster: &Cluster, tail: &Tail, counts: &watch::Receiver<Counts>) -> Progress {
    let label = |node: &Node| Label {
        name: node.plan.name.clone(),
        authority: node.plan.authority.is_some(),
    };
    Progress::start(Sources {
        labels: cluster.nodes().iter().map(label).collect(),
        polls: Polls::start(cluster.nodes().iter().map(|node| node.client.clone())),
        live: tail.live(),
        load: counts.clone(),
    })
}

fn manifest(options: &Options, now: Timestamp, plan: &Plan, cluster: &Cluster) -> Manifest {
    let name = |node: usize| plan.nodes[node].name.clone();
    let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let node = |node: &Node| ManifestNode {
        name: node.plan.name.clone(),
        peer: node.plan.peer().to_string(),
        address: node.plan.address(),
        rpc: node.plan.rpc(),
        dir: node.plan.name.clone(),
        pid: node.process.pid(),
        authority: node.plan.authority.as_ref().map(|key| key.public().to_string()),
        region: None,
        access: AccessRates::default(),
        died: None,
    };
    Manifest {
        schema: manifest::SCHEMA,
        scenario: SCENARIO.to_owned(),
        seed: options.spec.seed,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        created: now.to_string(),
        genesis: plan.genesis.id().to_string(),
        slot_ms: plan.genesis.slot_ms,
        machine: Machine::this(),
        nodes: cluster.nodes().iter().map(node).collect(),
        description: None,
        mode: "processes".to_owned(),
        dilation: 1,
        lag_limit_us: None,
        asserts: std::collections::BTreeMap::new(),
        shape: None,
        calibration: Vec::new(),
        actions: Vec::new(),
        pauses: Vec::new(),
        cuts: Vec::new(),
        edges: plan.topology.edges().map(|(a, b)| [name(a), name(b)]).collect(),
        load: ManifestLoad {
            rate: options.schedule.rate(),
            duration_ms: millis(options.schedule.duration),
            senders: options.spec.senders as u64,
            payload: options.spec.payload as u64,
            outcome: Counts::default(),
        },
        measure: None,
        faults: Vec::new(),
    }
}
