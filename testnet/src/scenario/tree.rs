//! The text of a scenario as a tree of values, each of which knows its place.

use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Place, Problems, Wrong};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// What a value can be.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Item>),
    Table(Table),
    /// What no scenario uses, as it was written: a date.
    Other(String),
}

/// Keys and values in the order of the text.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) entries: Vec<Entry>,
}

/// One key with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) item: Item,
}

impl Item {
    /// What to call it in a sentence, short.
    pub(super) fn in_words(&self) -> String {
        match &self.value {
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Float(value) => value.to_string(),
            Value::Text(text) => format!("the text {text:?}"),
            Value::List(_) => "a list".to_owned(),
            Value::Table(_) => "a table".to_owned(),
            Value::Other(text) => format!("the date {text}"),
        }
    }

    /// The same as toml's own value, for whoever reads that.
    pub(super) fn to_toml(&self) -> toml::Value {
        match &self.value {
            Value::Bool(value) => (*value).into(),
            Value::Int(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::Text(text) | Value::Other(text) => text.clone().into(),
            Value::List(items) => items.iter().map(Item::to_toml).collect::<Vec<_>>().into(),
            Value::Table(table) => toml::Value::Table(
                table
                    .entries
                    .iter()
                    .map(|entry| (entry.key.clone(), entry.item.to_toml()))
                    .collect(),
            ),
        }
    }
}

impl Table {
    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

/// Reads a text. What is no TOML is told to `problems`.
pub(super) fn parse(text: &str, problems: &Problems) -> Table {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let place = error.span().map_or(Place::START, |span| Place::of(text, span.start));
        let message = error.message().trim().replace('\n', ", ");
        problems.add(&place, Wrong::new(format!("not TOML: {message}")));
    }
    convert_table(table.get_ref(), &|at| Place::of(text, at))
}

/// Reads the value of an override: TOML, or text that was not quoted.
pub(super) fn parse_override(text: &str, set: &Arc<str>) -> Item {
    let place = Place::Set(Arc::clone(set));
    let (value, errors) = DeValue::parse_recoverable(text);
    if errors.is_empty() && !matches!(value.get_ref(), DeValue::Datetime(_)) {
        convert(&value, &|_| place.clone())
    } else {
        Item { place, value: Value::Text(text.to_owned()) }
    }
}

fn convert_table(table: &DeTable<'_>, place: &dyn Fn(usize) -> Place) -> Table {
    let mut keyed: Vec<_> = table.iter().collect();
    keyed.sort_by_key(|(key, _)| key.span().start);
    let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let text: &std::borrow::Cow<'_, str> = key.get_ref();
        Entry { key: text.to_string(), place: place(key.span().start), item: convert(value, place) }
    };
    Table { entries: keyed.into_iter().map(entry).collect() }
}

fn convert(item: &Spanned<DeValue<'_>>, place: &dyn Fn(usize) -> Place) -> Item {
    let value = match item.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Integer(value) => match i64::from_str_radix(value.as_str(), value.radix()) {
            Ok(value) => Value::Int(value),
            // Beyond 64 bits: as good as any number that is too large.
            Err(_) => Value::Float(value.as_str().parse().unwrap_or(f64::INFINITY)),
        },
        DeValue::Float(value) => Value::Float(value.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Datetime(value) => Value::Other(value.to_string()),
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| convert(item, place)).collect())
        }
        DeValue::Table(table) => Value::Table(convert_table(table, place)),
    };
    Item { place: place(item.span().start), value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Table, Vec<String>) {
        let problems = Problems::new(&"a.toml".into());
        let table = parse(text, &problems);
        (table, problems.into_sorted().0.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_value_knows_its_place_and_the_order_is_that_of_the_text() {
        let text = "b = 1\na = [2, 3]\n[[at]]\ntime = \"1s\"\n[[at]]\n  x.y = 1e3\n";
        let (table, problems) = read(text);
        assert_eq!(problems, [""; 0]);
        let keys: Vec<_> = table.entries.iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(keys, ["b", "a", "at"]);
        let at = |line, column| Place::At { line, column };
        assert_eq!(table.entries[0].item.place, at(1, 5));
        let Value::List(items) = &table.entries[1].item.value else { panic!() };
        assert_eq!((&items[1].place, &table.entries[1].place), (&at(2, 9), &at(2, 1)));
        let Value::List(items) = &table.entries[2].item.value else { panic!() };
        assert_eq!((&items[0].place, &items[1].place), (&at(3, 1), &at(5, 1)));
        let Value::Table(second) = &items[1].value else { panic!() };
        assert_eq!(second.entries[0].place, at(6, 3));
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_place_and_all_of_it_at_once() {
        let (_, problems) = read("name = \nseed = 7\nseed = 8\n");
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].starts_with("a.toml:1:"), "{problems:?}");
        assert!(problems[1].starts_with("a.toml:3:1: not TOML: duplicate key"), "{problems:?}");
    }

    #[test]
    fn numbers_are_read_in_every_form_that_toml_has() {
        let (table, _) = read("a = 1_000\nb = 0x10\nc = -2.5\nd = 99999999999999999999\n");
        let numbers: Vec<_> = table.entries.iter().map(|entry| entry.item.in_words()).collect();
        assert_eq!(numbers[..3], ["1000", "16", "-2.5"]);
    }

    #[test]
    fn an_override_is_toml_or_else_text() {
        let set: Arc<str> = "k=v".into();
        for (text, words) in [
            ("4", "4"),
            ("true", "true"),
            ("50ms", "the text \"50ms\""),
            ("lottery", "the text \"lottery\""),
            ("\"quoted\"", "the text \"quoted\""),
            ("< 800", "the text \"< 800\""),
            ("[\"n0\"]", "a list"),
            ("{ min = 1 }", "a table"),
            ("", "the text \"\""),
        ] {
            assert_eq!(parse_override(text, &set).in_words(), words);
        }
    }
}
