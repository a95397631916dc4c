//! `[assert]`: what a report must say for a scenario to have gone well.

use std::fmt;

use serde_json::Value as Json;

use super::problem::{Place, Wrong};
use super::section::{Section, expected, unknown_word};
use super::tree::{Item, Table, Value};
use crate::report;

/// Figures are sums and quotients of measurements: what differs by less than this is the same.
const CRUMB: f64 = 1e-9;

/// The assertions of a scenario.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asserts {
    /// Each with the report's field that it is about.
    pub list: Vec<Assertion>,
}

/// One assertion.
#[derive(Clone, Debug, PartialEq)]
pub struct Assertion {
    /// The report's field, dotted: `tx.latency_ms.p99`.
    pub field: String,
    /// What it must be.
    pub check: Check,
}

/// What a field must be.
#[derive(Clone, Debug, PartialEq)]
pub enum Check {
    /// This.
    Is(Json),
    /// Below this.
    Below(f64),
    /// This or below.
    AtMost(f64),
    /// Above this.
    Above(f64),
    /// This or above.
    AtLeast(f64),
    /// Between these two, both included.
    Between(f64, f64),
}

/// Whether one assertion held.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What was asserted: `tx.latency_ms.p99 < 800`.
    pub name: String,
    /// Whether it held.
    pub ok: bool,
    /// What the report says; none when it has no such field.
    pub found: Option<Json>,
}

impl fmt::Display for Outcome {
    /// One line: what was asserted, and if it did not hold, what was found instead.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.found {
            _ if self.ok => Ok(()),
            Some(Json::Null) => f.write_str(", but the report cannot tell"),
            Some(found) => write!(f, ", but it is {found}"),
            None => f.write_str(", but the report has no such field"),
        }
    }
}

impl Assertion {
    /// What a report says of it: its field, what was wanted, and what was found.
    #[must_use]
    pub fn told(&self, outcome: Outcome) -> report::Assert {
        report::Assert {
            name: self.field.clone(),
            ok: outcome.ok,
            wanted: Some(self.check.to_string()),
            found: outcome.found.map(|found| found.to_string()),
        }
    }
}

impl fmt::Display for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.check)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Check::Is(value) => write!(f, "= {value}"),
            Check::Below(bound) => write!(f, "< {bound}"),
            Check::AtMost(bound) => write!(f, "<= {bound}"),
            Check::Above(bound) => write!(f, "> {bound}"),
            Check::AtLeast(bound) => write!(f, ">= {bound}"),
            Check::Between(least, most) => write!(f, "{least}..{most}"),
        }
    }
}

impl Check {
    fn holds(&self, found: &Json) -> bool {
        let number = found.as_f64();
        let is = |test: &dyn Fn(f64) -> bool| number.is_some_and(test);
        match self {
            Check::Is(asked) => match asked.as_f64() {
                Some(asked) => is(&|found| (found - asked).abs() <= CRUMB),
                None => found == asked,
            },
            Check::Below(bound) => is(&|found| found < *bound),
            Check::AtMost(bound) => is(&|found| found <= *bound + CRUMB),
            Check::Above(bound) => is(&|found| found > *bound),
            Check::AtLeast(bound) => is(&|found| found >= *bound - CRUMB),
            Check::Between(least, most) => {
                is(&|found| (*least - CRUMB..=*most + CRUMB).contains(&found))
            }
        }
    }

    /// Reads what stands beside a field.
    fn read(item: &Item) -> Result<Self, Wrong> {
        match &item.value {
            Value::Bool(value) => Ok(Check::Is((*value).into())),
            Value::Int(value) => Ok(Check::Is((*value).into())),
            Value::Float(value) if value.is_finite() => Ok(Check::Is((*value).into())),
            Value::Text(text) => Self::compare(text),
            _ => Err(expected("a number, true, false, or a comparison such as \"< 800\"", item)),
        }
    }

    fn compare(text: &str) -> Result<Self, Wrong> {
        let number = |text: &str| text.trim().replace('_', "").parse().ok().filter(finite);
        let form = || {
            Wrong::new(format!("cannot be compared with `{text}`"))
                .hint("write \"< 800\", \"<= 800\", \"> 3\", \">= 3\", \"= 3\" or \"3..5\"")
        };
        if let Some((least, most)) = text.split_once("..") {
            let (least, most) = number(least).zip(number(most)).ok_or_else(form)?;
            if least > most {
                let wrong = Wrong::new(format!("is to be from {least} to {most}"));
                return Err(wrong.hint("put the smaller number first"));
            }
            return Ok(Check::Between(least, most));
        }
        // The longer signs first, as the shorter ones begin them.
        type Make = fn(f64) -> Check;
        let signs: [(&str, Make); 5] = [
            ("<=", Check::AtMost),
            (">=", Check::AtLeast),
            ("<", Check::Below),
            (">", Check::Above),
            ("=", |number| Check::Is(number.into())),
        ];
        let text = text.trim();
        let read = |(sign, make): &(&str, Make)| {
            Some(make(number(text.strip_prefix(sign)?).filter(finite)?))
        };
        signs.iter().find_map(read).ok_or_else(form)
    }
}

fn finite(number: &f64) -> bool {
    number.is_finite()
}

impl Asserts {
    /// Reads `[assert]`. A field may be one dotted key in quotes, or tables in tables.
    pub(super) fn read(section: &Section<'_>) -> Self {
        let schema = serde_json::to_value(report::empty()).unwrap_or_default();
        let mut list = Vec::new();
        for entry in section.keys() {
            let mut fields = Vec::new();
            flatten(&entry.key, &entry.place, &entry.item, &mut fields);
            for (field, place, item) in fields {
                let check = match Check::read(item) {
                    Ok(check) => check,
                    Err(wrong) => {
                        section.wrong(&field, &item.place, wrong);
                        continue;
                    }
                };
                let meant = match field.as_str() {
                    "coverage" => vec!["tx.coverage".to_owned(), "block.coverage".to_owned()],
                    _ => vec![field],
                };
                for field in meant {
                    match known(&schema, &field).map(|known| fits(known, &check)) {
                        Err(wrong) => section.problems().add(place, wrong),
                        Ok(Err(wrong)) => section.wrong(&field, &item.place, wrong),
                        Ok(Ok(())) => list.push(Assertion { field, check: check.clone() }),
                    }
                }
            }
        }
        Self { list }
    }

    /// Holds the assertions against a report's JSON.
    #[must_use]
    pub fn evaluate(&self, report: &Json) -> Vec<Outcome> {
        let outcome = |assertion: &Assertion| {
            let found = look_up(report, &assertion.field).cloned();
            let ok = found.as_ref().is_some_and(|found| assertion.check.holds(found));
            Outcome { name: assertion.to_string(), ok, found }
        };
        self.list.iter().map(outcome).collect()
    }
}

/// The fields below a key, each with its place and what is asserted of it.
fn flatten<'a>(
    name: &str,
    place: &'a Place,
    item: &'a Item,
    found: &mut Vec<(String, &'a Place, &'a Item)>,
) {
    match &item.value {
        Value::Table(Table { entries }) => {
            for inner in entries {
                flatten(&format!("{name}.{}", inner.key), &inner.place, &inner.item, found);
            }
        }
        _ => found.push((name.to_owned(), place, item)),
    }
}

fn look_up<'a>(report: &'a Json, field: &str) -> Option<&'a Json> {
    field.split('.').try_fold(report, |at, key| at.get(key))
}

/// The figure of this name in an empty report, where only single figures are null.
fn known<'a>(schema: &'a Json, field: &str) -> Result<&'a Json, Wrong> {
    let mut at = schema;
    for key in field.split('.') {
        at = match at {
            Json::Object(fields) => match fields.get(key) {
                Some(inner) => inner,
                None => return Err(unknown_field(schema, field)),
            },
            _ => return Err(unknown_field(schema, field)),
        };
    }
    match at {
        Json::Object(fields) if !fields.is_empty() => {
            let within: Vec<_> = fields.keys().map(String::as_str).collect();
            Err(Wrong::new(format!("`{field}` is several figures"))
                .hint(format!("choose one: {}", within.join(", "))))
        }
        Json::Array(_) | Json::Object(_) => {
            Err(Wrong::new(format!("`{field}` is a list")).hint("assert on a single figure"))
        }
        _ => Ok(at),
    }
}

fn unknown_field(schema: &Json, field: &str) -> Wrong {
    let mut known = vec!["coverage".to_owned()];
    figures(schema, "", &mut known);
    let known: Vec<_> = known.iter().map(String::as_str).collect();
    let wrong = unknown_word(&format!("the report has no field `{field}`"), field, &known);
    match &wrong.hint {
        Some(hint) if hint.starts_with("did you mean") => wrong,
        _ => wrong.hint("its fields are those of report.json, such as `tx.latency_ms.p99`"),
    }
}

fn figures(at: &Json, name: &str, found: &mut Vec<String>) {
    match at {
        Json::Object(fields) => {
            for (key, inner) in fields {
                let dot = if name.is_empty() { "" } else { "." };
                figures(inner, &format!("{name}{dot}{key}"), found);
            }
        }
        Json::Array(_) => {}
        _ => found.push(name.to_owned()),
    }
}

/// A check that a figure of this kind can meet.
fn fits(known: &Json, check: &Check) -> Result<(), Wrong> {
    let truth = matches!(check, Check::Is(Json::Bool(_)));
    match known {
        Json::Bool(_) if !truth => {
            Err(Wrong::new("is true or false, not a number").hint("write true or false"))
        }
        Json::Number(_) if truth => {
            Err(Wrong::new("is a number, not true or false").hint("compare it: \"> 0\""))
        }
        Json::String(_) => Err(Wrong::new("is text").hint("assert on a number")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
