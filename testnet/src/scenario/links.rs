//! `[links]`: how far nodes are from each other, how fast their links are, and how often they lose
//! something.

use std::collections::BTreeMap;
use std::time::Duration;

use super::names::Names;
use super::plan::{Access, LinkChange};
use super::problem::Wrong;
use super::section::{FromItem, Section, expected, rate, unknown_word, within};
use super::shape::{Shape, edge, of_a_key};
use super::some_nodes::SomeNodes;
use super::streams::{Purpose, stream};
use super::tree::{Item, Value};
use crate::regions::{PROFILES, Regions, deal};

/// No two places on earth are further apart than this takes, by far. The handshakes of a connection are
/// five such ways, and must come to their end within ten seconds.
pub(crate) const LONGEST_DELAY: Duration = Duration::from_millis(1_500);

/// Beyond this no stream gets anywhere.
const MOST_LOSS: f64 = 0.5;

/// With more, next to nothing is left of gossip.
const MOST_GOSSIP_LOSS: f64 = 0.9;

/// `[links]`.
#[derive(Debug)]
pub(super) struct Links {
    /// The regions; none: every link has the same delay.
    regions: Option<&'static Regions>,
    delay: Duration,
    placement: Placement,
    pub(super) jitter: f64,
    pub(super) loss: f64,
    /// The share of frames of gossip that their receiver throws away.
    pub(super) gossip_loss: f64,
    pub(super) window: bool,
    pub(super) rate: Option<u64>,
    access: Vec<(Access, f64)>,
    pub(super) changes: BTreeMap<(usize, usize), LinkChange>,
}

/// Which node is in which region.
#[derive(Debug)]
enum Placement {
    /// As many in each as these say, in proportion.
    Weights(Vec<f64>),
    /// Each in the region that stands in its place; the list is gone through again and again.
    Listed(Vec<usize>),
}

impl Links {
    /// What holds without `[links]`: plain sockets.
    pub(super) fn unshaped() -> Self {
        Self {
            regions: None,
            delay: Duration::ZERO,
            placement: Placement::Weights(vec![1.0]),
            jitter: 0.0,
            loss: 0.0,
            gossip_loss: 0.0,
            window: true,
            rate: None,
            access: vec![(Access::default(), 1.0)],
            changes: BTreeMap::new(),
        }
    }

    /// Reads `[links]`.
    pub(super) fn read(section: &Section<'_>, names: Names, shape: Option<&Shape>) -> Self {
        section.one_of(&["profile", "delay"]);
        let regions = section.read("profile", profile);
        let placement = match regions {
            Some(regions) => section.read("placement", |item| placement(item, regions)),
            None if section.item("profile").is_none() => {
                section.idle(&["placement"], "delay", "links without a `profile`");
                None
            }
            None => {
                section.unread(["placement"]);
                None
            }
        };
        let weights = regions.map_or_else(|| vec![1.0], |regions| regions.weights.clone());
        Self {
            regions,
            delay: section.read("delay", delay).unwrap_or_default(),
            placement: placement.unwrap_or(Placement::Weights(weights)),
            jitter: section.read("jitter", jitter).unwrap_or_default(),
            loss: section.number("loss", 0.0..=MOST_LOSS).unwrap_or_default(),
            gossip_loss: section.number("gossip_loss", 0.0..=MOST_GOSSIP_LOSS).unwrap_or_default(),
            window: section.get("window").unwrap_or(true),
            rate: section.read("rate", rate),
            access: access(section),
            changes: changes(section, names, shape),
        }
    }

    /// The names of the regions.
    pub(super) fn profile(&self) -> Option<&'static Regions> {
        self.regions
    }

    /// The delays between the regions, in microseconds.
    pub(super) fn one_way_us(&self) -> Vec<Vec<u64>> {
        let one = || vec![vec![u64::try_from(self.delay.as_micros()).unwrap_or(u64::MAX)]];
        self.regions.map_or_else(one, |regions| regions.one_way_us.clone())
    }

    /// The region of each node.
    pub(super) fn place(&self, nodes: &SomeNodes, count: usize, seed: u64) -> Vec<usize> {
        let mut placed = match &self.placement {
            Placement::Weights(weights) => deal(count, weights, stream(seed, Purpose::Regions)),
            Placement::Listed(listed) => listed.iter().copied().cycle().take(count).collect(),
        };
        for (&node, &region) in &nodes.regions {
            placed[node] = region;
        }
        placed
    }

    /// The capacity of each node's own link.
    pub(super) fn access(&self, nodes: &SomeNodes, count: usize, seed: u64) -> Vec<Access> {
        let weights: Vec<_> = self.access.iter().map(|(_, weight)| *weight).collect();
        let dealt = deal(count, &weights, stream(seed, Purpose::Access));
        let mut dealt: Vec<_> = dealt.into_iter().map(|group| self.access[group].0).collect();
        for (&node, own) in &nodes.access {
            dealt[node].up = own.up.or(dealt[node].up);
            dealt[node].down = own.down.or(dealt[node].down);
        }
        dealt
    }
}

fn profile(item: &Item) -> Result<&'static Regions, Wrong> {
    let name = String::from_item(item)?;
    Regions::named(&name)
        .ok_or_else(|| unknown_word(&format!("cannot be `{name}`"), &name, PROFILES))
}

pub(super) fn region(item: &Item, regions: &Regions) -> Result<usize, Wrong> {
    let name = String::from_item(item)?;
    let known: Vec<_> = regions.names.iter().map(String::as_str).collect();
    let message = format!("cannot be `{name}`, which is no region of {}", regions.profile);
    regions.place(&name).ok_or_else(|| unknown_word(&message, &name, &known))
}

fn placement(item: &Item, regions: &Regions) -> Result<Placement, Wrong> {
    match &item.value {
        Value::Text(text) if text == "weights" => Ok(Placement::Weights(regions.weights.clone())),
        Value::Text(text) if text == "even" => {
            Ok(Placement::Listed((0..regions.names.len()).collect()))
        }
        Value::List(items) if !items.is_empty() => {
            let places = items.iter().map(|item| region(item, regions));
            Ok(Placement::Listed(places.collect::<Result<_, _>>()?))
        }
        Value::Table(table) => {
            let mut weights = vec![0.0; regions.names.len()];
            for entry in &table.entries {
                let name =
                    Item { place: entry.place.clone(), value: Value::Text(entry.key.clone()) };
                weights[region(&name, regions)?] =
                    within(f64::from_item(&entry.item)?, &(0.0..=1e9))?;
            }
            if weights.iter().sum::<f64>() <= 0.0 {
                return Err(Wrong::new("gives no region any weight")
                    .hint("give one, such as { london = 2, tokyo = 1 }"));
            }
            Ok(Placement::Weights(weights))
        }
        _ => Err(expected(
            "\"weights\", \"even\", a list of regions in the order of the nodes, or weights such as \
             { london = 2, tokyo = 1 }",
            item,
        )),
    }
}

pub(super) fn delay(item: &Item) -> Result<Duration, Wrong> {
    let delay = Duration::from_item(item)?;
    if delay > LONGEST_DELAY {
        return Err(Wrong::new(format!("is {delay:?}")).hint("a link takes 1500ms at most"));
    }
    Ok(delay)
}

fn jitter(item: &Item) -> Result<f64, Wrong> {
    if let Value::Text(_) = item.value {
        return Err(expected("a share of the delay such as 0.05", item));
    }
    within(f64::from_item(item)?, &(0.0..=1.0))
}

/// Reads `uplink` and `downlink`.
pub(super) fn own_link(section: &Section<'_>) -> Access {
    Access { up: section.read("uplink", rate), down: section.read("downlink", rate) }
}

/// What links nodes have of their own, each with its weight.
fn access(section: &Section<'_>) -> Vec<(Access, f64)> {
    if section.item("access").is_none() {
        return vec![(own_link(section), 1.0)];
    }
    section.one_of(&["access", "uplink"]);
    section.one_of(&["access", "downlink"]);
    let mut groups = Vec::new();
    for group in section.tables("access") {
        let weight = group.number("weight", 0.0..=1e9);
        if group.item("weight").is_none() {
            group.missing("weight", "weight = 20");
        }
        groups.push((own_link(&group), weight.unwrap_or(1.0)));
        group.finish();
    }
    if groups.iter().map(|(_, weight)| weight).sum::<f64>() <= 0.0 {
        let wrong = Wrong::new("`access` gives no group any weight");
        section.problem("access", wrong.hint("give each group a `weight`"));
    }
    groups
}

/// Reads `[[links.edge]]`.
fn changes(
    section: &Section<'_>,
    names: Names,
    shape: Option<&Shape>,
) -> BTreeMap<(usize, usize), LinkChange> {
    let mut changes = BTreeMap::new();
    for each in section.tables("edge") {
        let change = LinkChange {
            delay: each.read("delay", delay),
            jitter: each.read("jitter", jitter),
            rate: each.read("rate", rate),
            loss: each.read("loss", |item| within(f64::from_item(item)?, &(0.0..=MOST_LOSS))),
        };
        if change == LinkChange::default() {
            let wrong = Wrong::new("[[links.edge]] changes nothing");
            each.problem("between", wrong.hint("give it a `delay`, `jitter`, `rate` or `loss`"));
        }
        let ways = ways(&each, names);
        if let (Some(&(a, b)), Some(shape)) = (ways.first(), shape) {
            if a == b {
                let wrong = Wrong::new(format!("no link leads from n{a} to itself"));
                each.problem("between", wrong.hint("name two nodes"));
            } else if !shape.drawn && !shape.topology.joins(a, b) {
                let wrong = Wrong::new(format!("n{a} and n{b} are not connected"));
                each.problem("between", wrong.hint("the [topology] has no such link to change"));
            }
        }
        for way in ways {
            if changes.insert(way, change).is_some() {
                let wrong =
                    Wrong::new(format!("the link from n{} to n{} is there twice", way.0, way.1));
                each.problem("between", wrong.hint("keep one [[links.edge]] for it"));
            }
        }
        each.finish();
    }
    changes
}

/// The directions that a `[[links.edge]]` is about.
fn ways(each: &Section<'_>, names: Names) -> Vec<(usize, usize)> {
    let directed = each.item("from").is_some() || each.item("to").is_some();
    if each.item("between").is_none() && !directed {
        each.missing("between", "between = [\"n0\", \"n1\"]");
        return Vec::new();
    }
    if each.item("between").is_some() {
        each.one_of(&["between", "from"]);
        each.one_of(&["between", "to"]);
        let both = each.read("between", |item| edge(item, names).map_err(of_a_key));
        return both.map_or_else(Vec::new, |(a, b)| vec![(a, b), (b, a)]);
    }
    let end = |key| {
        if each.item(key).is_none() {
            each.missing(key, &format!("{key} = \"n0\""));
        }
        each.read(key, |item| names.one(item).map_err(of_a_key))
    };
    let (from, to) = (end("from"), end("to"));
    from.zip(to).into_iter().collect()
}
