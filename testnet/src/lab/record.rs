//! What is written down of a testnet for its report.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::{Fault, Lab};
use crate::cluster::Plan;
use crate::load::Counts;
use crate::manifest::{
    self, AccessRates, CutSpan, Died, Done, Machine, Manifest, ManifestLoad, ManifestNode, OddLink,
    Pause, Shape, Starved,
};
use crate::scenario::{LabPlan, Scenario};

/// The manifest of a testnet that has not been started; of one that goes on, with what was done to it
/// before.
pub(super) fn manifest(
    scenario: &Scenario,
    plan: &LabPlan,
    network: &Plan,
    now: Timestamp,
    before: Option<&Manifest>,
) -> Manifest {
    // A testnet that was killed left them open.
    let before = before.cloned().map(|mut before| {
        close_all(&mut before, now.as_microsecond());
        before
    });
    let before = before.as_ref();
    let name = |node: usize| network.nodes[node].name.clone();
    let asserts = scenario.asserts.list.iter();
    Manifest {
        schema: manifest::SCHEMA,
        scenario: scenario.name.clone(),
        seed: scenario.seed,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        created: before.map_or_else(|| now.to_string(), |before| before.created.clone()),
        genesis: network.genesis.id().to_string(),
        slot_ms: network.genesis.slot_ms,
        machine: Machine::this(),
        description: scenario.description.clone(),
        mode: if scenario.nodes.in_process { "in-process" } else { "processes" }.to_owned(),
        dilation: scenario.dilation,
        lag_limit_us: Some(micros(scenario.lag_p99)),
        asserts: asserts.map(|assert| (assert.field.clone(), assert.check.to_string())).collect(),
        nodes: (0..plan.nodes()).map(|node| manifest_node(plan, network, node)).collect(),
        edges: plan.edges.iter().map(|&(a, b)| [name(a), name(b)]).collect(),
        fanout: fanout(plan),
        shape: plan.shaped().then(|| shape(scenario, plan, name)),
        calibration: Vec::new(),
        actions: before.map_or_else(Vec::new, |before| before.actions.clone()),
        pauses: before.map_or_else(Vec::new, |before| before.pauses.clone()),
        starved: before.map_or_else(Vec::new, |before| before.starved.clone()),
        cuts: before.map_or_else(Vec::new, |before| before.cuts.clone()),
        load: load(scenario, plan),
        next_spare: before.map_or(0, |before| before.next_spare),
        measure: None,
        faults: Vec::new(),
    }
}

/// To how many of all others each node pushes, if the scenario is that of the textbook.
fn fanout(plan: &LabPlan) -> Option<u64> {
    let nodes = plan.nodes();
    let full = plan.bootstrap.is_none() && plan.edges.len() == nodes * nodes.saturating_sub(1) / 2;
    let of_one = |table: &toml::Table| {
        let gossip = table.get("gossip")?.as_table()?;
        let floods = gossip.get("mode")?.as_str()? == "flood";
        let one_mesh = gossip.get("flood_publish")?.as_bool() == Some(false);
        let mesh = u64::try_from(gossip.get("mesh")?.as_integer()?).ok()?;
        (floods && one_mesh).then_some(mesh)
    };
    let first = of_one(plan.overrides.first()?)?;
    (full && plan.overrides.iter().all(|table| of_one(table) == Some(first))).then_some(first)
}

fn manifest_node(plan: &LabPlan, network: &Plan, number: usize) -> ManifestNode {
    let node = &network.nodes[number];
    let access = plan.access.get(number).copied().unwrap_or_default();
    ManifestNode {
        name: node.name.clone(),
        peer: node.peer().to_string(),
        address: node.address(),
        rpc: node.url().unwrap_or_default(),
        dir: node.name.clone(),
        pid: 0,
        authority: node.authority.as_ref().map(|key| key.public().to_string()),
        region: plan.region(number).map(str::to_owned),
        access: AccessRates { up: access.up, down: access.down },
        died: None,
        cpu_s: None,
    }
}

fn shape(scenario: &Scenario, plan: &LabPlan, name: impl Fn(usize) -> String) -> Shape {
    let odd = |&(from, to): &(usize, usize)| {
        let link = plan.link(from, to);
        OddLink { from: name(from), to: name(to), delay_us: micros(link.delay), rate: link.rate }
    };
    Shape {
        profile: scenario.profile.clone(),
        jitter: plan.jitter,
        loss: plan.loss,
        window: plan.window,
        link_rate: plan.link_rate,
        // One delay for all is one region without a name.
        regions: match plan.region_names.as_slice() {
            [] => vec![String::new()],
            names => names.to_owned(),
        },
        one_way_us: plan.one_way_us.clone(),
        node_region: plan.node_region.clone(),
        links: plan.links.keys().map(odd).collect(),
    }
}

/// The loads of the scenario, summed up.
fn load(scenario: &Scenario, plan: &LabPlan) -> ManifestLoad {
    let loads = plan.loads.iter();
    let count: u64 = loads.clone().map(|load| load.spec.schedule.count()).sum();
    let seconds = scenario.duration.as_secs_f64();
    ManifestLoad {
        rate: if seconds > 0.0 { count as f64 / seconds } else { 0.0 },
        duration_ms: micros(scenario.duration) / 1_000,
        senders: plan.senders as u64,
        payload: loads.map(|load| load.spec.payload.max()).max().unwrap_or(0),
        outcome: Counts::default(),
    }
}

/// Pauses, cuts and starving that are open end here.
fn close_all(manifest: &mut Manifest, now_us: i64) {
    let pauses = manifest.pauses.iter_mut().map(|pause| &mut pause.until_us);
    let cuts = manifest.cuts.iter_mut().map(|cut| &mut cut.until_us);
    let starved = manifest.starved.iter_mut().map(|starved| &mut starved.until_us);
    pauses.chain(cuts).chain(starved).for_each(|until_us| {
        until_us.get_or_insert(now_us);
    });
}

/// Processor time of a process so far, its own and the system's on its behalf, in seconds.
fn cpu_seconds(pid: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything; what is wanted comes after it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl Lab {
    /// Writes down what was run, as far as it is known.
    pub fn write_manifest(&mut self) {
        self.manifest.load.outcome = self.loads.total();
        if let Err(error) = self.journal.flush() {
            self.faults
                .push(Fault::sentence(format!("what was handed in is not written: {error}")));
        }
        self.manifest.next_spare = self.loads.next_spare();
        self.manifest.faults = self.faults.iter().map(|fault| fault.what.clone()).collect();
        if let Err(error) = self.manifest.write(self.layout.dir()) {
            self.faults.push(Fault::sentence(format!("the manifest cannot be written: {error}")));
        }
    }

    /// Notes a fault.
    pub fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    pub(super) fn record_done(&mut self, what: String, nodes: &[usize]) {
        let done = Done { at_us: self.clock.now_us(), what, nodes: self.names(nodes) };
        self.manifest.actions.push(done);
    }

    pub(super) fn record_death(&mut self, node: usize, how: String) {
        self.record_fed(node);
        self.manifest.nodes[node].died = Some(Died { at_us: self.clock.now_us(), status: how });
    }

    pub(super) fn record_pause(&mut self, node: usize) {
        let pause = Pause { node: self.name(node), from_us: self.clock.now_us(), until_us: None };
        self.manifest.pauses.push(pause);
    }

    pub(super) fn record_starved(&mut self, node: usize, share: f64) {
        let (node, from_us) = (self.name(node), self.clock.now_us());
        self.manifest.starved.push(Starved { node, share, from_us, until_us: None });
    }

    /// The node is not starved any more.
    pub(super) fn record_fed(&mut self, node: usize) {
        let (name, now) = (self.name(node), self.clock.now_us());
        let open = self.manifest.starved.iter_mut().filter(|starved| starved.node == name);
        open.for_each(|starved| {
            starved.until_us.get_or_insert(now);
        });
    }

    /// The node goes on, or was ended while it stood still or was starved.
    pub(super) fn record_resume(&mut self, node: usize) {
        self.record_fed(node);
        let (name, now) = (self.name(node), self.clock.now_us());
        let open = self.manifest.pauses.iter_mut().filter(|pause| pause.node == name);
        open.filter(|pause| pause.until_us.is_none()).for_each(|pause| pause.until_us = Some(now));
    }

    /// Closes what is still open, and notes what each process has cost.
    pub(super) fn record_end(&mut self) {
        let now = self.clock.now_us();
        close_all(&mut self.manifest, now);
        for (node, seat) in self.manifest.nodes.iter_mut().zip(self.cluster.seats()) {
            if let Some(cpu_s) = seat.pid().and_then(cpu_seconds) {
                node.cpu_s = Some(cpu_s);
            }
        }
    }

    /// Writes the cut links down as they are now: a node that sends, and whom it does not reach.
    pub(super) fn record_cuts(&mut self) {
        let now = self.clock.now_us();
        let mut cut: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (from, to) in self.links.cut_ways() {
            cut.entry(from).or_default().push(to);
        }
        let current: Vec<_> =
            cut.iter().map(|(from, to)| (vec![self.name(*from)], self.names(to))).collect();
        for span in self.manifest.cuts.iter_mut().filter(|span| span.until_us.is_none()) {
            if !current.iter().any(|(from, to)| *from == span.from && *to == span.to) {
                span.until_us = Some(now);
            }
        }
        for (from, to) in current {
            let open =
                |span: &CutSpan| span.until_us.is_none() && span.from == from && span.to == to;
            if !self.manifest.cuts.iter().any(open) {
                self.manifest.cuts.push(CutSpan { from_us: now, until_us: None, from, to });
            }
        }
    }
}
