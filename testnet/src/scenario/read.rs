//! From a tree to a scenario: every section in turn, as far as each can be read, and then what they
//! come to together.

use std::sync::Arc;
use std::time::Duration;

use super::actions::{self, Placed, What};
use super::asserts::Asserts;
use super::links::Links;
use super::loads::{self, Load};
use super::names::Names;
use super::order::{self, Uptimes};
use super::plan::{Action, LabPlan, LoadPlan, TimedAction};
use super::problem::{Place, Problem, Problems, Wrong};
use super::section::{FromItem, Section};
use super::settings::{Changes, Known, TABLES};
use super::shape::{self, Discovery, Shape};
use super::some_nodes::SomeNodes;
use super::streams::{Purpose, stream};
use super::tree::Table;
use super::{Nodes, Scenario, Source, Transport, nodes};
use crate::load::{Schedule, Spec};

/// A run whose 99th percentile of scheduler lag is above this is not valid, unless asked otherwise:
/// a small part of the delays between cities.
const LAG: Duration = Duration::from_millis(20);

/// A network that runs so much slower than its clocks is no longer worth waiting for.
const MOST_DILATION: u64 = 1_000;

/// The name becomes part of the network's, which has 64 bytes.
const LONGEST_NAME: usize = 48;

/// Reads a tree.
pub(super) fn read(source: Source) -> Result<Scenario, Vec<Problem>> {
    let problems = Problems::new(&source.file);
    let scenario = scenario(&source.tree, &source.file, &problems);
    let (found, idle) = problems.into_sorted();
    match scenario {
        Some(scenario) if found.is_empty() => {
            let mut source = source;
            source.tree.remove(&idle);
            Ok(Scenario { source, ..scenario })
        }
        _ => Err(found),
    }
}

fn scenario(tree: &Table, file: &Arc<str>, problems: &Problems) -> Option<Scenario> {
    let top = Section::new("", &Place::START, tree, problems);
    if top.item("name").is_none() {
        top.missing("name", "name = \"my-scenario\"");
    }
    let name = top.read("name", |item| name(&String::from_item(item)?));
    let description = top.get::<String>("description");
    let seed = top.get::<u64>("seed").unwrap_or(1);
    if top.item("duration").is_none() {
        top.missing("duration", "duration = \"30s\"");
    }
    let duration = top.read("duration", |item| {
        let duration = Duration::from_item(item)?;
        let none = || Wrong::new("is no time at all").hint("give 1s or more");
        (!duration.is_zero()).then_some(duration).ok_or_else(none)
    });
    let settle = top.get::<Duration>("settle");
    let dilation = top.whole("dilation", 1..=MOST_DILATION).unwrap_or(1);
    let lag_p99 = top.table("limits").and_then(|limits| {
        let lag = limits.get::<Duration>("lag_p99");
        limits.finish();
        lag
    });
    let asserts = top.table("assert").map(|section| Asserts::read(&section)).unwrap_or_default();

    let nodes = nodes(&top);
    let names = Names { count: nodes.map(|nodes| nodes.count) };
    let shape = topology(&top, names, seed);
    let links = top.table("links").map_or_else(Links::unshaped, |section| {
        let links = Links::read(&section, names, shape.as_ref());
        section.finish();
        links
    });
    let (some, changes) = settings(&top, tree, names, &links, problems);
    let mut acts: Vec<Placed> = top
        .tables("at")
        .into_iter()
        .flat_map(|section| actions::read(section, names, duration))
        .collect();
    acts.extend(joins(&some, duration, problems));
    acts.sort_by_key(|placed| placed.at);
    let loads: Vec<Load> = top
        .tables("load")
        .into_iter()
        .filter_map(|section| loads::read(section, names, None, duration))
        .collect();
    top.finish();

    let (nodes, shape) = nodes.zip(shape)?;
    let uptimes = order::check(&acts, &shape.topology, nodes.in_process, problems);
    let finds = shape.discovery.is_some();
    // How many others one that finds them is connected to, it knows itself.
    let degrees = if finds { vec![0; nodes.count] } else { shape.topology.degrees() };
    let overrides = changes.merge(&degrees, finds, problems);
    let mut plan = LabPlan {
        edges: shape.topology.edges().filter(|_| !finds).collect(),
        bootstrap: shape.discovery.as_ref().map(|discovery| discovery.bootstrap),
        region_names: links.profile().map(|regions| regions.names.clone()).unwrap_or_default(),
        node_region: links.place(&some, nodes.count, seed),
        one_way_us: links.one_way_us(),
        access: links.access(&some, nodes.count, seed),
        jitter: links.jitter,
        loss: links.loss,
        gossip_loss: links.gossip_loss,
        window: links.window,
        link_rate: links.rate,
        link_seed: stream(seed, Purpose::Links),
        links: links.changes.clone(),
        overrides,
        starts: vec![Duration::ZERO; nodes.count],
        authorities: (0..nodes.authorities).collect(),
        senders: 0,
        loads: Vec::new(),
        actions: Vec::new(),
    };
    schedule(&mut plan, acts, loads, &uptimes, seed, problems);
    if let Some(discovery) = &shape.discovery {
        can_be_found(discovery, nodes, &plan, problems);
    }
    Some(Scenario {
        name: name?,
        description,
        seed,
        duration: duration?,
        settle,
        dilation: u32::try_from(dilation).ok()?,
        nodes,
        lag_p99: lag_p99.unwrap_or(LAG),
        profile: links.profile().map(|regions| regions.profile.to_owned()),
        asserts,
        plan,
        source: Source { file: Arc::clone(file), tree: Table::default() },
    })
}

/// Tells what keeps nodes from finding each other.
fn can_be_found(discovery: &Discovery, nodes: Nodes, plan: &LabPlan, problems: &Problems) {
    let Discovery { bootstrap, place } = discovery;
    if plan.starts.get(*bootstrap).is_some_and(|start| !start.is_zero()) {
        let wrong = Wrong::new(format!("n{bootstrap} joins late, and all others begin with it"));
        problems.add(place, wrong.hint("let it start at once, or name another `bootstrap`"));
    }
    if nodes.transport == Transport::Memory {
        let wrong = Wrong::new(
            "nodes that find each other tell others their addresses, and one in \
                                memory is none that a member may have",
        );
        problems.add(place, wrong.hint("give `transport = \"tcp\"`"));
    }
}

fn name(name: &str) -> Result<String, Wrong> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(fine) {
        return Err(Wrong::new(format!("cannot be {name:?}"))
            .hint(format!("use 1 to {LONGEST_NAME} letters, digits, `-`, `_` and `.`")));
    }
    Ok(name.to_owned())
}

fn nodes(top: &Section<'_>) -> Option<Nodes> {
    if top.item("nodes").is_none() {
        top.missing("nodes", "[nodes] with count = 8");
    }
    let section = top.table("nodes")?;
    let nodes = nodes::read(&section);
    section.finish();
    nodes
}

fn topology(top: &Section<'_>, names: Names, seed: u64) -> Option<Shape> {
    if top.item("topology").is_none() {
        return Some(shape::default(names.count?, seed));
    }
    let section = top.table("topology")?;
    let shape = shape::read(&section, names, seed);
    section.finish();
    shape
}

/// Reads the settings of all nodes and of some.
fn settings(
    top: &Section<'_>,
    tree: &Table,
    names: Names,
    links: &Links,
    problems: &Problems,
) -> (SomeNodes, Changes) {
    let (known, mut changes, mut some) = (Known::new(), Changes::new(), SomeNodes::default());
    for key in TABLES {
        let Some(entry) = top.item(key).and_then(|_| tree.get(key)) else { continue };
        if let Some(value) = known.read(entry, problems) {
            let table = toml::Table::from_iter([(entry.key.clone(), value)]);
            changes.add(None, table, entry.place.clone());
        }
    }
    for section in top.tables("node") {
        some.read(section, names, links.profile(), &known, &mut changes);
    }
    (some, changes)
}

/// The nodes that join late because `[[node]]` says so.
fn joins(some: &SomeNodes, end: Option<Duration>, problems: &Problems) -> Vec<Placed> {
    let join = |(at, nodes, place): &(Duration, Vec<usize>, Place)| {
        if let Some(end) = end.filter(|end| at > end) {
            let wrong =
                Wrong::new(format!("a start at {at:?}, after the end of the run at {end:?}"));
            problems.add(place, wrong.hint("start earlier, or raise `duration`"));
        }
        let what = What::Action(Action::Start(nodes.clone()));
        Placed { at: *at, what, place: place.clone() }
    };
    some.starts.iter().map(join).collect()
}

/// Puts loads and actions into the plan. Loads begin by an action, each with accounts of its own.
fn schedule(
    plan: &mut LabPlan,
    acts: Vec<Placed>,
    loads: Vec<Load>,
    uptimes: &Uptimes,
    seed: u64,
    problems: &Problems,
) {
    let mut timed = Vec::new();
    for load in loads {
        let at = load.from;
        let action = add_load(plan, load, uptimes, seed, problems);
        timed.push(TimedAction { at, action });
    }
    for Placed { at, what, .. } in acts {
        let action = match what {
            What::Action(action) => action,
            What::Load(load) => add_load(plan, *load, uptimes, seed, problems),
        };
        if let Action::Start(nodes) = &action {
            // Who joins at the beginning is there like all others.
            if at.is_zero() {
                continue;
            }
            for &node in nodes {
                plan.starts[node] = at;
            }
        }
        timed.push(TimedAction { at, action });
    }
    timed.sort_by_key(|timed| timed.at);
    plan.actions = timed;
}

fn add_load(
    plan: &mut LabPlan,
    load: Load,
    uptimes: &Uptimes,
    seed: u64,
    problems: &Problems,
) -> Action {
    let Load { from, until, shape, senders, entries, payload, fee, via, place } = load;
    let entries = entries.unwrap_or_else(|| uptimes.throughout(from, until));
    if entries.is_empty() {
        let wrong = Wrong::new("no node is up for the whole of this load");
        problems.add(&place, wrong.hint("name the nodes that are to take it with `entry`"));
    }
    let place = plan.loads.len();
    let arrivals = stream(seed, Purpose::Arrivals(place));
    let spec = Spec {
        schedule: Schedule { shape, duration: until - from, seed: arrivals },
        payload,
        fee,
        via,
        seed: stream(seed, Purpose::Transactions(place)),
    };
    let senders = plan.senders..plan.senders + senders;
    plan.senders = senders.end;
    plan.loads.push(LoadPlan { from, until, senders, entries, spec });
    Action::Load(place)
}
