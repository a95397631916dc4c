//! Overrides: one value of a scenario replaced by another.

use std::sync::Arc;

use super::problem::{Place, Wrong};
use super::section::unknown_word;
use super::tree::{Entry, Item, Table, Value};

/// Keys of which one can be given at most. An override takes the others' place.
const ALTERNATIVES: &[(&str, &[&str])] = &[
    ("nodes", &["count", "processes", "in-process"]),
    ("links", &["profile", "delay"]),
    ("load", &["rate", "count"]),
    ("load", &["until", "for"]),
];

/// Splits `gossip.mesh=4,6,8` into its key and its values. Commas within quotes and brackets are
/// not between values.
///
/// # Errors
/// There is no key or no value.
pub(super) fn split(set: &str) -> Result<(&str, Vec<&str>), Wrong> {
    let form = || {
        Wrong::new(format!("`{set}` sets nothing"))
            .hint("write a key and values: gossip.mesh=4,6,8")
    };
    let (key, list) = set.split_once('=').ok_or_else(form)?;
    let (mut depth, mut quote, mut begin) = (0_u32, None, 0);
    let mut values = Vec::new();
    for (at, c) in list.char_indices() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            (_, Some(_)) => {}
            ('"' | '\'', None) => quote = Some(c),
            ('[' | '{', None) => depth += 1,
            (']' | '}', None) => depth = depth.saturating_sub(1),
            (',', None) if depth == 0 => {
                values.push(list[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    values.push(list[begin..].trim());
    if key.trim().is_empty() || values.iter().any(|value| value.is_empty()) {
        return Err(form());
    }
    Ok((key.trim(), values))
}

impl Table {
    /// Replaces the value of a dotted key, or adds it.
    pub(super) fn set(&mut self, key: &str, item: Item) -> Result<(), Wrong> {
        let parts: Vec<_> = key.split('.').map(str::trim).collect();
        if parts.iter().any(|part| part.is_empty()) {
            return Err(
                Wrong::new(format!("`{key}` is no key")).hint("write one such as gossip.mesh")
            );
        }
        self.set_at("", &parts, item)
    }

    fn set_at(&mut self, section: &str, parts: &[&str], item: Item) -> Result<(), Wrong> {
        // A key may hold dots itself, as those of [assert] do: the longest that is there is meant.
        let whole = (1..=parts.len()).rev().map(|length| (length, parts[..length].join(".")));
        let found = whole.clone().find(|(_, key)| self.get(key).is_some());
        let (length, name) = found.unwrap_or_else(|| (1, parts[0].to_owned()));
        let rest = &parts[length..];
        if rest.is_empty() {
            let others = ALTERNATIVES
                .iter()
                .filter(|(of, keys)| *of == section && keys.contains(&name.as_str()));
            for (_, keys) in others {
                self.entries
                    .retain(|entry| entry.key == name || !keys.contains(&entry.key.as_str()));
            }
        }
        let place = item.place.clone();
        let entry = self.entry(&name, &place);
        if rest.is_empty() {
            // The key is as new as its value, so that what is said of either leads to the override.
            (entry.place, entry.item) = (place, item);
            return Ok(());
        }
        let section = if section.is_empty() { &name } else { section };
        match &mut entry.item.value {
            Value::Table(table) => table.set_at(section, rest, item),
            Value::List(items) => set_in_list(&name, items, section, rest, item),
            _ => Err(Wrong::new(format!("`{name}` has no keys within it"))),
        }
    }

    /// The entry of this key, which is made if it is not there.
    fn entry(&mut self, key: &str, place: &Place) -> &mut Entry {
        let at = self.entries.iter().position(|entry| entry.key == key).unwrap_or_else(|| {
            let item = Item { place: place.clone(), value: Value::Table(Table::default()) };
            self.entries.push(Entry { key: key.to_owned(), place: place.clone(), item });
            self.entries.len() - 1
        });
        &mut self.entries[at]
    }

    /// Takes out the keys that stand at these places.
    pub(super) fn remove(&mut self, places: &[Place]) {
        self.entries.retain(|entry| !places.contains(&entry.place));
        for entry in &mut self.entries {
            entry.item.remove(places);
        }
    }
}

impl Item {
    fn remove(&mut self, places: &[Place]) {
        match &mut self.value {
            Value::Table(table) => table.remove(places),
            Value::List(items) => items.iter_mut().for_each(|item| item.remove(places)),
            _ => {}
        }
    }
}

fn set_in_list(
    name: &str,
    items: &mut [Item],
    section: &str,
    parts: &[&str],
    item: Item,
) -> Result<(), Wrong> {
    let [place, rest @ ..] = parts else { return Ok(()) };
    let count = items.len();
    let found = place.parse::<usize>().ok().and_then(|place| items.get_mut(place));
    let Some(found) = found else {
        let known: Vec<_> = (0..count).map(|place| format!("{name}.{place}")).collect();
        let known: Vec<_> = known.iter().map(String::as_str).collect();
        let message = format!("`{name}` is a list of {count}, and `{place}` is not in it");
        let wrong = unknown_word(&message, "", &known);
        return Err(wrong);
    };
    match (&mut found.value, rest) {
        (_, []) => {
            *found = item;
            Ok(())
        }
        (Value::Table(table), rest) => table.set_at(section, rest, item),
        (Value::List(items), rest) => set_in_list(name, items, section, rest, item),
        _ => Err(Wrong::new(format!("`{name}.{place}` has no keys within it"))),
    }
}

/// An override as it was given.
pub(super) fn words(key: &str, value: &str) -> Arc<str> {
    format!("{key}={value}").into()
}
