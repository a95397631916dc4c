//! Nodes by name: `n3`, `n2-n5`, `*`.

use std::collections::BTreeSet;

use super::problem::{Problems, Wrong};
use super::section::expected;
use super::tree::{Item, Value};

/// The names of a network's nodes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    /// How many there are; none when that could not be read, which was told by then.
    pub(super) count: Option<usize>,
}

impl Names {
    /// The nodes that a name or a list of names means, in rising order. Whatever is wrong with one
    /// of them is told at its own place.
    pub(super) fn read(self, key: &str, item: &Item, problems: &Problems) -> Option<Vec<usize>> {
        let items = match &item.value {
            Value::Text(_) => std::slice::from_ref(item),
            Value::List(items) => items.as_slice(),
            _ => {
                let wrong = expected("names such as [\"n0\", \"n2-n5\"]", item);
                let message = format!("`{key}` {}", wrong.message);
                problems.add(&item.place, Wrong { message, ..wrong });
                return None;
            }
        };
        if items.is_empty() {
            let wrong = Wrong::new(format!("`{key}` names nobody"));
            problems.add(&item.place, wrong.hint("name a node, such as \"n0\", or \"*\" for all"));
        }
        let mut nodes = BTreeSet::new();
        for item in items {
            match self.nodes(key, item) {
                Ok(named) => {
                    let twice = named.iter().find(|node| nodes.contains(*node));
                    if let Some(twice) = twice {
                        let wrong = Wrong::new(format!("`{key}` names n{twice} twice"));
                        problems.add(&item.place, wrong.hint("name it once"));
                    }
                    nodes.extend(named);
                }
                Err(wrong) => problems.add(&item.place, wrong),
            }
        }
        (!nodes.is_empty()).then(|| nodes.into_iter().collect())
    }

    /// The one node that a name means.
    pub(super) fn one(self, item: &Item) -> Result<usize, Wrong> {
        match &item.value {
            Value::Text(name) => self.node(name),
            _ => Err(expected("a node's name such as \"n0\"", item)),
        }
    }

    fn nodes(self, key: &str, item: &Item) -> Result<Vec<usize>, Wrong> {
        let Value::Text(name) = &item.value else {
            let wrong = expected("a node's name such as \"n0\"", item);
            return Err(Wrong { message: format!("each of `{key}` {}", wrong.message), ..wrong });
        };
        if name == "*" {
            return Ok((0..self.count.unwrap_or_default()).collect());
        }
        let Some((first, last)) = name.split_once('-') else { return Ok(vec![self.node(name)?]) };
        let (first, last) = (self.node(first)?, self.node(last)?);
        if first > last {
            return Err(Wrong::new(format!("`{name}` runs backwards"))
                .hint(format!("write `n{last}-n{first}`")));
        }
        Ok((first..=last).collect())
    }

    fn node(self, name: &str) -> Result<usize, Wrong> {
        let digits = name.strip_prefix('n').filter(|digits| {
            digits.bytes().all(|digit| digit.is_ascii_digit())
                && (*digits == "0" || !digits.starts_with('0'))
        });
        let number = digits.and_then(|digits| digits.parse::<usize>().ok());
        let are = match self.count {
            Some(1) => "the only node is n0".to_owned(),
            Some(count) => format!("the nodes are n0 to n{}", count.saturating_sub(1)),
            None => "nodes are called n0, n1 and so on".to_owned(),
        };
        match number {
            Some(number) if self.count.is_none_or(|count| number < count) => Ok(number),
            Some(number) => Err(Wrong::new(format!("there is no node n{number}")).hint(are)),
            None => Err(Wrong::new(format!("`{name}` is no node's name")).hint(are)),
        }
    }
}

/// Nodes in a sentence: `n0, n1 and n2`.
pub(super) fn listed(nodes: &[usize]) -> String {
    /// More than these nobody reads.
    const SHOWN: usize = 6;
    let shown: Vec<_> = nodes.iter().take(SHOWN).map(|node| format!("n{node}")).collect();
    if nodes.len() > SHOWN {
        return format!("{} and {} more", shown.join(", "), nodes.len() - SHOWN);
    }
    match shown.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => "nobody".to_owned(),
    }
}
