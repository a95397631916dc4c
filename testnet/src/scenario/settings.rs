//! Settings of nodes, for all or for some: `[discovery]`, `[gossip]`, `[mempool]`, `[members]`, `[peers]`,
//! `[sync]` and `[[node]]`. What they may be, the node's own settings say: each value is read as one of those.

use std::collections::BTreeSet;

use hearsay_node::config::Settings;
use toml::{Table, Value as Toml};

use super::problem::{Place, Problems, Wrong};
use super::section::{expected, unknown_key, unknown_word};
use super::tree::{Entry, Item, Value};

/// The tables of a node's settings that a scenario may have, for all nodes.
pub(super) const TABLES: &[&str] = &["discovery", "gossip", "mempool", "members", "peers", "sync"];

/// Settings that the lab makes for each node, so that no scenario can.
const OF_THE_LAB: &[&str] = &[
    "name",
    "data_dir",
    "genesis",
    "listen",
    "bootstrap",
    "rpc",
    "rpc_hosts",
    "rpc_origins",
    "authority_key",
    "node_key",
    "events",
    "lab",
];

/// The same within `[discovery]`.
const OF_DISCOVERY: &[&str] = &["slots", "book"];

/// Every setting of a node that a scenario may have, with its default.
#[derive(Debug)]
pub(super) struct Known(Table);

/// What a scenario says of the nodes' settings.
#[derive(Debug)]
pub(super) struct Changes {
    /// In the order that they are laid over each other: which nodes, and what.
    layers: Vec<(Option<Vec<usize>>, Table, Place)>,
}

impl Known {
    pub(super) fn new() -> Self {
        // A setting without a default is shown with some value, so that its kind is known.
        let all = Settings { keep_bodies: Some(64), ..Settings::in_dir("") };
        let mut table = Table::try_from(all).expect("settings come from TOML and go back to it");
        table.retain(|key, _| !OF_THE_LAB.contains(&key));
        if let Some(Toml::Table(discovery)) = table.get_mut("discovery") {
            discovery.retain(|key, _| !OF_DISCOVERY.contains(&key));
        }
        Self(table)
    }

    /// Whether a key of `[[node]]` is a setting; if it is one that the lab makes, that is told.
    pub(super) fn has(&self, entry: &Entry, problems: &Problems) -> bool {
        if OF_THE_LAB.contains(&entry.key.as_str()) {
            let wrong = Wrong::new(format!("`{}` is made by the lab for each node", entry.key));
            problems.add(&entry.place, wrong.hint("take it out"));
            return true;
        }
        self.0.contains_key(&entry.key)
    }

    /// The keys of `[[node]]` that are settings, or would be if the lab did not make them.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str).chain(OF_THE_LAB.iter().copied())
    }

    /// Reads the value of a key of `[[node]]`, or a whole table.
    pub(super) fn read(&self, entry: &Entry, problems: &Problems) -> Option<Toml> {
        match (self.0.get(&entry.key)?, &entry.item.value) {
            (Toml::Table(known), Value::Table(found)) => {
                let mut read = Table::new();
                for inner in &found.entries {
                    let Some(default) = known.get(&inner.key) else {
                        let keys: Vec<_> = known.keys().map(String::as_str).collect();
                        let title = format!("[{}]", entry.key);
                        problems.add(&inner.place, unknown_key(&inner.key, &title, &keys));
                        continue;
                    };
                    let wrap = |value| {
                        Table::from_iter([(
                            entry.key.clone(),
                            Toml::Table(Table::from_iter([(inner.key.clone(), value)])),
                        )])
                    };
                    if let Some(value) = leaf(inner, default, wrap, problems) {
                        read.insert(inner.key.clone(), value);
                    }
                }
                Some(Toml::Table(read))
            }
            (Toml::Table(_), _) => {
                let wrong = expected("a table", &entry.item);
                problems.add(
                    &entry.item.place,
                    Wrong { message: format!("`{}` {}", entry.key, wrong.message), ..wrong },
                );
                None
            }
            (default, _) => {
                let wrap = |value| Table::from_iter([(entry.key.clone(), value)]);
                leaf(entry, default, wrap, problems)
            }
        }
    }
}

/// Reads one setting: a node that is given it and nothing else must understand it.
fn leaf(
    entry: &Entry,
    default: &Toml,
    wrap: impl FnOnce(Toml) -> Table,
    problems: &Problems,
) -> Option<Toml> {
    let value = entry.item.to_toml();
    let wrong = match wrap(value.clone()).try_into::<Settings>() {
        Ok(_) => return Some(value),
        Err(error) => kind(&entry.item, default).unwrap_or_else(|| in_our_words(error.message())),
    };
    let message = format!("`{}` {}", entry.key, wrong.message);
    problems.add(&entry.item.place, Wrong { message, ..wrong });
    None
}

/// What is wrong with a value, from what serde says of it. Of a word it says which ones it knows, in
/// backquotes: ``unknown variant `a`, expected `b` or `c` ``.
fn in_our_words(message: &str) -> Wrong {
    let first = message.lines().next().unwrap_or_default();
    let mut quoted = first.split('`').skip(1).step_by(2);
    match quoted.next().filter(|_| first.starts_with("unknown variant")) {
        Some(word) => {
            unknown_word(&format!("cannot be `{word}`"), word, &quoted.collect::<Vec<_>>())
        }
        None => Wrong::new(format!("is wrong: {first}")),
    }
}

/// What is wrong with the kind of a value, in the words of the scenario's own keys.
fn kind(item: &Item, default: &Toml) -> Option<Wrong> {
    match (default, &item.value) {
        (Toml::Integer(_), Value::Int(value)) if *value < 0 => {
            Some(Wrong::new(format!("is {value}")).hint("it cannot be negative"))
        }
        (Toml::Integer(_), Value::Int(_)) => None,
        (Toml::Integer(_), _) => Some(expected("a whole number", item)),
        (Toml::Boolean(_), _) => Some(expected("true or false", item)),
        (Toml::String(_), Value::Text(_)) => None,
        (Toml::String(_), _) => Some(expected("text in quotes", item)),
        _ => None,
    }
}

impl Changes {
    pub(super) fn new() -> Self {
        Self { layers: Vec::new() }
    }

    /// Adds a layer over those before it, for all nodes or for some.
    pub(super) fn add(&mut self, nodes: Option<Vec<usize>>, table: Table, place: Place) {
        self.layers.push((nodes, table, place));
    }

    /// The settings of each node, checked as the node itself will check them. `degrees` are the
    /// connections that each must be able to have; `finds` is whether they find each other.
    pub(super) fn merge(self, degrees: &[usize], finds: bool, problems: &Problems) -> Vec<Table> {
        // What is wrong for all nodes is told once.
        let mut told = BTreeSet::new();
        let merged = |(node, &degree): (usize, &usize)| {
            let mut table = Table::new();
            let mut last = &Place::START;
            for (nodes, layer, place) in &self.layers {
                if nodes.as_ref().is_none_or(|nodes| nodes.contains(&node)) {
                    table = over(table, layer.clone());
                    last = place;
                }
            }
            mesh_marks(&mut table);
            room(&mut table, degree);
            let met = if finds || !table.contains_key("discovery") {
                check(&table, node, degree)
            } else {
                Err(Wrong::new(
                    "[discovery] says nothing about nodes that are told whom to connect to",
                )
                .hint("give `discovery = true` in place of a `kind` in [topology]"))
            };
            if let Err(wrong) = met
                && told.insert(last.clone())
            {
                problems.add(last, wrong);
            }
            table
        };
        degrees.iter().enumerate().map(merged).collect()
    }
}

fn check(table: &Table, node: usize, degree: usize) -> Result<(), Wrong> {
    let settings: Settings =
        table.clone().try_into().map_err(|error: toml::de::Error| Wrong::new(error.message()))?;
    settings.check().map_err(|error| Wrong::new(error.to_string()))?;
    let peers = settings.peers;
    for (key, most) in
        [("peers.max_inbound", peers.max_inbound), ("peers.max_outbound", peers.max_outbound)]
    {
        if (most as usize) < degree {
            return Err(Wrong::new(format!(
                "{key} is {most}, but the topology connects n{node} with {degree} others"
            ))
            .hint(format!("raise it to {degree}, or leave it out")));
        }
    }
    Ok(())
}

/// `upper` laid over `lower`, table by table.
fn over(mut lower: Table, upper: Table) -> Table {
    for (key, value) in upper {
        let joined = match (lower.remove(&key), value) {
            (Some(Toml::Table(lower)), Toml::Table(upper)) => Toml::Table(over(lower, upper)),
            (_, value) => value,
        };
        lower.insert(key, joined);
    }
    lower
}

/// A mesh of another size has its marks around it where they are not given: one below, and twice as
/// many. At the default of 6 these are the defaults, 5 and 12; so `gossip.mesh` can be varied alone.
fn mesh_marks(table: &mut Table) {
    let Some(Toml::Table(gossip)) = table.get_mut("gossip") else { return };
    let Some(mesh) = gossip.get("mesh").and_then(Toml::as_integer) else { return };
    let (low, high) = ((mesh - 1).max(1), mesh.saturating_mul(2));
    gossip.entry("mesh_low").or_insert(low.into());
    gossip.entry("mesh_high").or_insert(high.into());
}

/// A node that the topology connects with more others than a node has room for by default gets the
/// room, unless the scenario says how much it has.
fn room(table: &mut Table, degree: usize) {
    let default = hearsay_node::config::Peers::default();
    let needed = Toml::Integer(i64::try_from(degree).unwrap_or(i64::MAX));
    let least = [("max_inbound", default.max_inbound), ("max_outbound", default.max_outbound)];
    for (key, room) in least.into_iter().filter(|(_, room)| degree > *room as usize) {
        let _ = room;
        let peers = table.entry("peers").or_insert_with(|| Toml::Table(Table::new()));
        if let Toml::Table(peers) = peers {
            peers.entry(key).or_insert(needed.clone());
        }
    }
}
