//! Reads one table of a scenario key by key: a value of the wrong kind, a key that is missing and one
//! that nobody asked for are told with their place, and reading goes on.

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::problem::{Place, Problems, Wrong};
use super::tree::{Entry, Item, Table, Value};
use super::units;

/// What a value must look like to be read as this.
pub(super) trait FromItem: Sized {
    /// Reads it.
    fn from_item(item: &Item) -> Result<Self, Wrong>;
}

/// A table that is being read.
#[derive(Debug)]
pub(super) struct Section<'a> {
    /// What to call it: `[nodes]`; nothing for the scenario itself.
    title: String,
    place: Place,
    table: &'a Table,
    /// The keys that were asked for.
    known: RefCell<Vec<&'static str>>,
    problems: &'a Problems,
}

impl<'a> Section<'a> {
    pub(super) fn new(
        title: &str,
        place: &Place,
        table: &'a Table,
        problems: &'a Problems,
    ) -> Self {
        let known = RefCell::new(Vec::new());
        Self { title: title.to_owned(), place: place.clone(), table, known, problems }
    }

    /// Where it begins.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// What is told to the author.
    pub(super) fn problems(&self) -> &'a Problems {
        self.problems
    }

    /// The value of a key, as it stands there.
    pub(super) fn item(&self, key: &'static str) -> Option<&'a Item> {
        self.entry(key).map(|entry| &entry.item)
    }

    fn entry(&self, key: &'static str) -> Option<&'a Entry> {
        self.known.borrow_mut().push(key);
        self.table.get(key)
    }

    /// Makes keys known that cannot be read, since what they mean depends on another that is wrong.
    pub(super) fn unread(&self, keys: impl IntoIterator<Item = &'static str>) {
        self.known.borrow_mut().extend(keys);
    }

    /// The value of a key, if it is there and right.
    pub(super) fn get<T: FromItem>(&self, key: &'static str) -> Option<T> {
        self.read(key, T::from_item)
    }

    /// The value of a key as `read` makes it, if it is there and right.
    pub(super) fn read<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&'a Item) -> Result<T, Wrong>,
    ) -> Option<T> {
        let item = self.item(key)?;
        match read(item) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.wrong(key, &item.place, wrong);
                None
            }
        }
    }

    /// A number within bounds.
    pub(super) fn whole(&self, key: &'static str, bounds: RangeInclusive<u64>) -> Option<u64> {
        self.read(key, |item| {
            let value = u64::from_item(item)?;
            within(value, &bounds)
        })
    }

    /// A number within bounds that may have a fraction.
    pub(super) fn number(&self, key: &'static str, bounds: RangeInclusive<f64>) -> Option<f64> {
        self.read(key, |item| within(f64::from_item(item)?, &bounds))
    }

    /// One of several words.
    pub(super) fn word<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        self.read(key, |item| {
            let text = String::from_item(item)?;
            let found = words.iter().find(|(word, _)| *word == text);
            found.map(|(_, value)| *value).ok_or_else(|| {
                let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
                unknown_word(&format!("cannot be `{text}`"), &text, &known)
            })
        })
    }

    /// The dotted name of a key from the top.
    fn path(&self, key: &str) -> String {
        let title = self.title.trim_matches(['[', ']']);
        if title.is_empty() { key.to_owned() } else { format!("{title}.{key}") }
    }

    /// A table within this one.
    pub(super) fn table(&self, key: &'static str) -> Option<Section<'a>> {
        let entry = self.entry(key)?;
        match &entry.item.value {
            Value::Table(table) => {
                let title = format!("[{}]", self.path(key));
                Some(Section::new(&title, &entry.place, table, self.problems))
            }
            _ => {
                self.wrong(key, &entry.item.place, expected("a table", &entry.item));
                None
            }
        }
    }

    /// All the tables of a list, or the one table that stands in its place.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Section<'a>> {
        let Some(entry) = self.entry(key) else { return Vec::new() };
        let listed = matches!(entry.item.value, Value::List(_));
        let path = self.path(key);
        let title = if listed { format!("[[{path}]]") } else { format!("[{path}]") };
        let section = |item: &'a Item| match &item.value {
            Value::Table(table) => {
                let place = if listed { &item.place } else { &entry.place };
                Some(Section::new(&title, place, table, self.problems))
            }
            _ => {
                self.wrong(key, &item.place, expected("a table", item));
                None
            }
        };
        match &entry.item.value {
            Value::List(items) => items.iter().filter_map(section).collect(),
            _ => section(&entry.item).into_iter().collect(),
        }
    }

    /// Tells what is wrong with the value of `key`; the message goes on from the key's name.
    pub(super) fn wrong(&self, key: &str, place: &Place, wrong: Wrong) {
        let message = format!("`{key}` {}", wrong.message);
        self.problems.add(place, Wrong { message, ..wrong });
    }

    /// Tells of something that is wrong with a key's value, or with the section when the key is not
    /// there.
    pub(super) fn problem(&self, key: &'static str, wrong: Wrong) {
        let place = self.table.get(key).map_or(&self.place, |entry| &entry.item.place);
        self.problems.add(place, wrong);
    }

    /// Tells that a key is missing.
    pub(super) fn missing(&self, key: &'static str, example: &str) {
        let title = if self.title.is_empty() { "the scenario" } else { &self.title };
        let wrong = Wrong::new(format!("{title} has no `{key}`")).hint(format!("add {example}"));
        self.problems.add(&self.place, wrong);
    }

    /// Tells of each of `keys` that is there, and that it says nothing about `what`. Where `what` was
    /// chosen by an override, they are what is left of another choice, and are passed over.
    pub(super) fn idle(&self, keys: &[&'static str], choice: &'static str, what: &str) {
        let overridden = self.table.get(choice).is_some_and(|entry| is_set(&entry.item.place));
        for key in keys {
            let Some(entry) = self.entry(key) else { continue };
            if !overridden || is_set(&entry.place) {
                let wrong = Wrong::new(format!("`{key}` says nothing about {what}"));
                self.problems.add(&entry.place, wrong.hint("take it out"));
            } else {
                self.problems.pass_over(&entry.place);
            }
        }
    }

    /// Of keys of which one can be given at most: the one that is.
    pub(super) fn one_of(&self, keys: &[&'static str]) -> Option<&'static str> {
        let mut given = keys.iter().filter(|key| self.entry(key).is_some());
        let first = *given.next()?;
        for second in given {
            let wrong = Wrong::new(format!("`{first}` and `{second}` cannot both be given"));
            let place = self.table.get(second).map_or(&self.place, |entry| &entry.place);
            self.problems.add(place, wrong.hint("keep one of them"));
        }
        Some(first)
    }

    /// The keys that are there.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'a Entry> {
        self.table.entries.iter()
    }

    /// Tells of every key that was not asked for, with the one that was probably meant.
    pub(super) fn finish(self) {
        self.finish_with(std::iter::empty());
    }

    /// The same where `more` keys are known as well.
    pub(super) fn finish_with<'b>(self, more: impl Iterator<Item = &'b str>) {
        let mut known: Vec<&str> = self.known.into_inner();
        known.extend(more);
        known.sort_unstable();
        known.dedup();
        for entry in &self.table.entries {
            if !known.contains(&entry.key.as_str()) {
                let wrong = unknown_key(&entry.key, &self.title, &known);
                self.problems.add(&entry.place, wrong);
            }
        }
    }
}

fn is_set(place: &Place) -> bool {
    matches!(place, Place::Set(_))
}

/// An unknown key, with the nearest known one or else all of them.
pub(super) fn unknown_key(key: &str, title: &str, known: &[&str]) -> Wrong {
    let within = if title.is_empty() { String::new() } else { format!(" in {title}") };
    unknown_word(&format!("unknown key `{key}`{within}"), key, known)
}

/// An unknown word, with the nearest known one or else all of them.
pub(super) fn unknown_word(message: &str, word: &str, known: &[&str]) -> Wrong {
    Wrong::new(message).hint(match nearest(word, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it can be {}", known.join(", ")),
    })
}

/// The known word that `word` resembles most, if any resembles it at all.
fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    /// Below this two words have little more in common than some letters.
    const RESEMBLANCE: f64 = 0.75;
    let score = |key: &&'a str| (strsim::jaro_winkler(&word.to_lowercase(), key), *key);
    let scored = known.iter().map(score).filter(|(score, _)| *score >= RESEMBLANCE);
    scored.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, key)| key)
}

/// A number that must lie within bounds.
pub(super) fn within<T>(value: T, bounds: &RangeInclusive<T>) -> Result<T, Wrong>
where
    T: PartialOrd + std::fmt::Display,
{
    if bounds.contains(&value) {
        return Ok(value);
    }
    let (least, most) = (bounds.start(), bounds.end());
    Err(Wrong::new(format!("is {value}")).hint(format!("it must be {least} to {most}")))
}

/// A value of the wrong kind.
pub(super) fn expected(what: &str, item: &Item) -> Wrong {
    Wrong::new(format!("must be {what}, not {}", item.in_words()))
}

impl FromItem for bool {
    fn from_item(item: &Item) -> Result<Self, Wrong> {
        match item.value {
            Value::Bool(value) => Ok(value),
            _ => Err(expected("true or false", item)),
        }
    }
}

impl FromItem for u64 {
    fn from_item(item: &Item) -> Result<Self, Wrong> {
        match item.value {
            Value::Int(value) => u64::try_from(value)
                .map_err(|_| Wrong::new(format!("is {value}")).hint("it cannot be negative")),
            _ => Err(expected("a whole number", item)),
        }
    }
}

impl FromItem for f64 {
    fn from_item(item: &Item) -> Result<Self, Wrong> {
        match item.value {
            Value::Int(value) => Ok(value as f64),
            Value::Float(value) if value.is_finite() => Ok(value),
            _ => Err(expected("a number", item)),
        }
    }
}

impl FromItem for String {
    fn from_item(item: &Item) -> Result<Self, Wrong> {
        match &item.value {
            Value::Text(text) => Ok(text.clone()),
            _ => Err(expected("text in quotes", item)),
        }
    }
}

impl FromItem for Duration {
    fn from_item(item: &Item) -> Result<Self, Wrong> {
        match &item.value {
            Value::Text(text) => in_quotes(units::time(text)),
            _ => Err(expected("a time such as \"50ms\" or \"2s\"", item)),
        }
    }
}

/// Reads a rate in bytes a second.
pub(super) fn rate(item: &Item) -> Result<u64, Wrong> {
    match &item.value {
        Value::Text(text) => in_quotes(units::rate(text)),
        _ => Err(expected("a rate such as \"50Mbit\"", item)),
    }
}

/// Reads a size in bytes.
pub(super) fn size(item: &Item) -> Result<u64, Wrong> {
    match &item.value {
        Value::Text(text) => in_quotes(units::size(text)),
        Value::Int(_) => u64::from_item(item),
        _ => Err(expected("a size such as 128 or \"16KiB\"", item)),
    }
}

/// Makes a sentence on a value go on from the name of its key.
pub(super) fn in_quotes<T>(read: Result<T, Wrong>) -> Result<T, Wrong> {
    read.map_err(|wrong| Wrong { message: format!("is wrong: {}", wrong.message), ..wrong })
}
