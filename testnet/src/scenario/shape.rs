//! `[topology]`: who is connected to whom.

use super::names::{Names, listed};
use super::problem::{Place, Wrong};
use super::section::{Section, expected};
use super::streams::{Purpose, stream};
use super::tree::{Item, Value};
use crate::topology::Topology;

/// Up to so many nodes everyone is connected to everyone, unless asked otherwise.
const FULL_UP_TO: usize = 8;

/// How many others each node is connected to in a larger network, unless asked otherwise: the size
/// that gossip aims at for its mesh.
const DEGREE: usize = 6;

/// Rewired edges of a small world, unless asked otherwise: paths are about as short as those of a
/// random graph by then, while neighbours still know each other (Watts and Strogatz 1998, figure 2).
const REWIRE: f64 = 0.1;

/// Who is connected to whom.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) topology: Topology,
    /// Whether some of it was drawn, so that an author cannot know each edge.
    pub(super) drawn: bool,
    /// Where nodes find each other; then the topology is full, since any two may meet.
    pub(super) discovery: Option<Discovery>,
}

/// Nodes that find each other from one address.
#[derive(Clone, Debug)]
pub(super) struct Discovery {
    /// The node whose address all others are given.
    pub(super) bootstrap: usize,
    /// Where that is asked for.
    pub(super) place: Place,
}

/// The most nodes that may find each other: each is told how its link to every other one behaves, which
/// is a table of a quarter of a million links at 500, rewritten with each cut.
const MOST_DISCOVERED: usize = 500;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Line,
    Ring,
    Star,
    Bridge,
    Random,
    SmallWorld,
    Full,
    Edges,
}

const KINDS: &[(&str, Kind)] = &[
    ("line", Kind::Line),
    ("ring", Kind::Ring),
    ("star", Kind::Star),
    ("bridge", Kind::Bridge),
    ("random", Kind::Random),
    ("small-world", Kind::SmallWorld),
    ("full", Kind::Full),
    ("edges", Kind::Edges),
];

/// The keys that shape a topology, with the kinds they say something about.
const KEYS: &[(&str, &[Kind])] = &[
    ("degree", &[Kind::Random, Kind::SmallWorld, Kind::Bridge]),
    ("rewire", &[Kind::SmallWorld]),
    ("size", &[Kind::Bridge]),
    ("hub", &[Kind::Star]),
    ("edges", &[Kind::Edges]),
];

/// What a network of `nodes` gets without a `[topology]`.
pub(super) fn default(nodes: usize, seed: u64) -> Shape {
    let drawn = nodes > FULL_UP_TO;
    let topology = match drawn {
        true => Topology::random(nodes, DEGREE, stream(seed, Purpose::Topology)),
        false => Topology::full(nodes),
    };
    Shape { topology, drawn, discovery: None }
}

/// Reads `[topology]`; nothing if it makes none.
pub(super) fn read(section: &Section<'_>, names: Names, seed: u64) -> Option<Shape> {
    if section.get::<bool>("discovery") == Some(true) {
        return found(section, names);
    }
    section.idle(&["bootstrap"], "discovery", "nodes that are told whom to connect to");
    let kind = section.item("kind").is_some().then(|| section.word("kind", KINDS));
    let listed = section.item("edges").is_some();
    let (kind, name) = match kind {
        // What it was meant to be is not known, so its keys cannot be judged.
        Some(None) => {
            section.unread(KEYS.iter().map(|(key, _)| *key));
            return None;
        }
        Some(Some(kind)) => (kind, KINDS.iter().find(|(_, known)| *known == kind)?.0),
        None if listed => (Kind::Edges, "edges"),
        None => {
            section.missing("kind", "kind = \"random\"");
            section.unread(KEYS.iter().map(|(key, _)| *key));
            return None;
        }
    };
    for (key, _) in KEYS.iter().filter(|(_, kinds)| !kinds.contains(&kind)) {
        section.idle(&[key], "kind", &format!("kind = \"{name}\""));
    }
    let topology = topology(section, kind, names, stream(seed, Purpose::Topology));
    let drawn = matches!(kind, Kind::Random | Kind::SmallWorld | Kind::Bridge);
    Some(Shape { topology: topology?, drawn, discovery: None })
}

/// Reads a `[topology]` whose nodes find each other.
fn found(section: &Section<'_>, names: Names) -> Option<Shape> {
    let of_kinds = KEYS.iter().map(|(key, _)| *key);
    for key in std::iter::once("kind").chain(of_kinds) {
        let what =
            "nodes that find each other (`discovery = true`) and choose their own connections";
        section.idle(&[key], "discovery", what);
    }
    let bootstrap = section.read("bootstrap", |item| names.one(item).map_err(of_a_key));
    let nodes = names.count?;
    if nodes > MOST_DISCOVERED {
        let wrong = Wrong::new(format!("{nodes} nodes that find each other"));
        let advice = format!("at most {MOST_DISCOVERED}; give a larger network a `kind`");
        section.problem("discovery", wrong.hint(advice));
        return None;
    }
    let place = section.item("discovery").map_or(section.place(), |item| &item.place).clone();
    let discovery = Discovery { bootstrap: bootstrap.unwrap_or_default(), place };
    Some(Shape { topology: Topology::full(nodes), drawn: false, discovery: Some(discovery) })
}

fn topology(section: &Section<'_>, kind: Kind, names: Names, seed: u64) -> Option<Topology> {
    match kind {
        Kind::Line => Some(Topology::line(names.count?)),
        Kind::Full => Some(Topology::full(names.count?)),
        Kind::Ring => {
            let nodes = names.count?;
            if nodes < 3 {
                let wrong = Wrong::new(format!("{nodes} nodes make no ring"));
                section.problem("kind", wrong.hint("a ring has three or more; use a line"));
            }
            Some(Topology::ring(nodes))
        }
        Kind::Star => {
            let hub = section.read("hub", |item| names.one(item).map_err(of_a_key));
            Some(Topology::star(names.count?, hub.unwrap_or_default()))
        }
        Kind::Bridge => bridge(section, names.count, seed),
        Kind::Random => {
            let degree = section.whole("degree", 1..=u64::MAX);
            let nodes = names.count?;
            let degree = match degree {
                Some(degree) => fitting(section, degree, nodes)?,
                None => DEGREE.min(nodes.saturating_sub(1)),
            };
            Some(Topology::random(nodes, degree, seed))
        }
        Kind::SmallWorld => {
            let degree = section.whole("degree", 2..=u64::MAX);
            let rewire = section.number("rewire", 0.0..=1.0).unwrap_or(REWIRE);
            let nodes = names.count?;
            let degree = match degree {
                Some(degree) => fitting(section, degree, nodes)?,
                None => DEGREE.min(nodes.saturating_sub(1)) / 2 * 2,
            };
            if degree % 2 == 1 || degree == 0 {
                let wrong = Wrong::new(format!("a small world cannot have the degree {degree}"));
                let advice = "it begins as a ring in which each node knows as many others on either \
                              side; give an even number";
                section.problem("degree", wrong.hint(advice));
                return None;
            }
            Some(Topology::small_world(nodes, degree, rewire, seed))
        }
        Kind::Edges => edges(section, names),
    }
}

fn bridge(section: &Section<'_>, nodes: Option<usize>, seed: u64) -> Option<Topology> {
    let size = section.get::<u64>("size");
    let degree = section.whole("degree", 1..=u64::MAX);
    let nodes = nodes?;
    if nodes < 2 {
        let wrong = Wrong::new("one node makes no bridge");
        section.problem("kind", wrong.hint("a bridge joins two clusters; run two nodes or more"));
        return None;
    }
    let size = size.map_or(nodes / 2, |size| usize::try_from(size).unwrap_or(usize::MAX));
    if !(1..nodes).contains(&size) {
        let wrong = Wrong::new(format!("a first cluster of {size} leaves {nodes} nodes no second"));
        section.problem("size", wrong.hint(format!("`size` must be 1 to {}", nodes - 1)));
        return None;
    }
    let larger = size.max(nodes - size);
    let degree = match degree {
        Some(degree) => fitting(section, degree, larger)?,
        None => larger,
    };
    Some(Topology::bridge(nodes, size, degree, seed))
}

/// A degree that nodes among `nodes` can have.
fn fitting(section: &Section<'_>, degree: u64, nodes: usize) -> Option<usize> {
    let most = nodes.saturating_sub(1);
    let degree = usize::try_from(degree).unwrap_or(usize::MAX);
    if degree > most {
        let wrong = Wrong::new(format!("a degree of {degree} among {nodes} nodes"));
        section.problem("degree", wrong.hint(format!("each can know {most} others at most")));
        return None;
    }
    if degree == 1 && nodes > 2 {
        let wrong = Wrong::new("a degree of 1 cannot connect more than two nodes");
        section.problem("degree", wrong.hint("give 2 or more"));
        return None;
    }
    Some(degree)
}

fn edges(section: &Section<'_>, names: Names) -> Option<Topology> {
    let problems = section.problems();
    let Some(item) = section.item("edges") else {
        section.missing("edges", "edges = [[\"n0\", \"n1\"]]");
        return None;
    };
    let Value::List(items) = &item.value else {
        let wrong = expected("a list such as [[\"n0\", \"n1\"]]", item);
        section.wrong("edges", &item.place, wrong);
        return None;
    };
    let mut topology = Topology::empty(names.count.unwrap_or_default());
    let mut good = names.count.is_some();
    for item in items {
        let added = edge(item, names).and_then(|(a, b)| {
            if a == b {
                return Err(Wrong::new(format!("n{a} is connected to itself"))
                    .hint("an edge has two ends; take it out"));
            }
            if names.count.is_some() && !topology.add(a, b) {
                return Err(Wrong::new(format!("n{a} and n{b} are connected twice"))
                    .hint("an edge has no direction; keep one of them"));
            }
            Ok(())
        });
        if let Err(wrong) = added {
            good = false;
            problems.add(&item.place, wrong);
        }
    }
    let lost = topology.unreachable();
    if good && !lost.is_empty() {
        let wrong = Wrong::new(format!("{} cannot be reached from n0", listed(&lost)));
        section.problem("edges", wrong.hint("add an edge that joins the parts"));
        good = false;
    }
    good.then_some(topology)
}

/// The two ends of an edge.
pub(super) fn edge(item: &Item, names: Names) -> Result<(usize, usize), Wrong> {
    match &item.value {
        Value::List(ends) => match ends.as_slice() {
            [a, b] => Ok((names.one(a)?, names.one(b)?)),
            _ => Err(Wrong::new(format!("an edge with {} ends", ends.len()))
                .hint("write the names of two nodes, such as [\"n0\", \"n1\"]")),
        },
        _ => Err(Wrong::new(format!("an edge cannot be {}", item.in_words()))
            .hint("write the names of two nodes, such as [\"n0\", \"n1\"]")),
    }
}

/// Makes a sentence on a node go on from the name of its key.
pub(super) fn of_a_key(wrong: Wrong) -> Wrong {
    if wrong.message.starts_with("must be") {
        return wrong;
    }
    Wrong { message: format!("is wrong: {}", wrong.message), ..wrong }
}
