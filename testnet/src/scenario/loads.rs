//! `[load]`, or several `[[load]]`: what is handed in, when, by whom and where.

use std::ops::RangeInclusive;
use std::time::Duration;

use hearsay_chain::transaction::MAX_PAYLOAD_BYTES;
use hearsay_node::api::Taker;

use super::names::Names;
use super::problem::{Place, Wrong};
use super::section::{FromItem, Section, expected, size, within};
use super::tree::{Item, Value};
use crate::load::{Amounts, Shape};

/// More transactions a second than these come close to what signing on one processor can do.
const MOST_RATE: f64 = 10_000.0;

/// More transactions than these no run has the time for.
const MOST_COUNT: u64 = 10_000_000;

/// More senders than these say nothing that fewer would not.
const MOST_SENDERS: u64 = 10_000;

/// Senders unless asked otherwise.
const SENDERS: u64 = 10;

/// How many transactions of one sender a pool bears to have waiting: its `max_ready_per_sender`,
/// unless it is told otherwise.
const WAITING: u64 = 1_000;

/// A sender's account holds a million million units; even the longest load stays below with this.
const MOST_FEE: u64 = 100_000;

/// One load as it was asked for.
#[derive(Clone, Debug)]
pub(super) struct Load {
    pub(super) from: Duration,
    pub(super) until: Duration,
    pub(super) shape: Shape,
    pub(super) senders: usize,
    /// The nodes it is handed to; none: all that are up throughout.
    pub(super) entries: Option<Vec<usize>>,
    pub(super) payload: Amounts,
    pub(super) fee: Amounts,
    pub(super) via: Option<Taker>,
    pub(super) place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Constant,
    Poisson,
    Burst,
    Ramp,
}

const KINDS: &[(&str, Kind)] = &[
    ("constant", Kind::Constant),
    ("poisson", Kind::Poisson),
    ("burst", Kind::Burst),
    ("ramp", Kind::Ramp),
];

/// Reads one load. `at` is when it begins, if an action begins it; `end` is that of the run.
pub(super) fn read(
    section: Section<'_>,
    names: Names,
    at: Option<Duration>,
    end: Option<Duration>,
) -> Option<Load> {
    let stretch = stretch(&section, at, end);
    let kind = section.item("kind").map_or(Some(Kind::Constant), |_| section.word("kind", KINDS));
    let shape = shape(&section, kind, stretch.map(|(from, until)| until - from));
    let senders = section.whole("senders", 1..=MOST_SENDERS).unwrap_or(SENDERS);
    let entries = match section.item("entry") {
        Some(Item { value: Value::Text(text), .. }) if text == "all" => None,
        Some(item) => names.read("entry", item, section.problems()),
        None => None,
    };
    let payload = amounts(&section, "payload", 0..=MAX_PAYLOAD_BYTES as u64, size);
    let fee = amounts(&section, "fee", 0..=MOST_FEE, u64::from_item);
    let via = section.word("via", &[("here", false), ("auto", true)]);
    let via = via.map(|auto| if auto { Taker::Auto } else { Taker::Here });
    let place = section.place().clone();
    let (from, until) = stretch?;
    let shape = shape?;
    if let Shape::Burst { count, bursts, .. } = shape
        && count.div_ceil(bursts.max(1)).div_ceil(senders) > WAITING
    {
        let least = count.div_ceil(bursts.max(1)).div_ceil(WAITING);
        let wrong = Wrong::new(format!(
            "a burst of {} by {senders} senders: pools keep {WAITING} waiting transactions of each",
            count.div_ceil(bursts.max(1))
        ));
        section.problem("senders", wrong.hint(format!("use {least} senders or more")));
    }
    section.finish();
    Some(Load {
        from,
        until,
        shape,
        senders: usize::try_from(senders).ok()?,
        entries,
        payload: payload.unwrap_or(Amounts::Fixed(128)),
        fee: fee.unwrap_or(Amounts::FEES),
        via,
        place,
    })
}

/// From when to when.
fn stretch(
    section: &Section<'_>,
    at: Option<Duration>,
    end: Option<Duration>,
) -> Option<(Duration, Duration)> {
    let from = match at {
        Some(at) => Some(at),
        None if section.item("from").is_some() => section.get("from"),
        None => Some(Duration::ZERO),
    };
    let key = section.one_of(&["until", "for"]);
    let given = key.map(|key| section.get::<Duration>(key));
    let (from, end) = (from?, end?);
    let until = match (key, given) {
        (Some(_), Some(None)) => return None,
        (Some("for"), Some(Some(length))) => from + length,
        (_, Some(Some(until))) => until,
        _ => end,
    };
    let (which, ends) = (key.unwrap_or("from"), format!("the run ends at {end:?}"));
    if from >= end {
        let wrong = Wrong::new(format!("a load from {from:?} on, but {ends}"));
        section.problem("from", wrong.hint("begin earlier, or raise `duration`"));
        return None;
    }
    if until > end {
        let wrong = Wrong::new(format!("a load until {until:?}, but {ends}"));
        section.problem(which, wrong.hint("end it earlier, or raise `duration`"));
        return None;
    }
    if until <= from {
        let wrong = Wrong::new(format!("a load from {from:?} until {until:?} has no time"));
        section.problem(which, wrong.hint("end it later"));
        return None;
    }
    Some((from, until))
}

fn shape(section: &Section<'_>, kind: Option<Kind>, length: Option<Duration>) -> Option<Shape> {
    let given = section.one_of(&["rate", "count"]);
    let rate = section.number("rate", 0.0..=MOST_RATE);
    let count = section.whole("count", 0..=MOST_COUNT);
    let (to, every) = (section.number("to", 0.0..=MOST_RATE), section.get::<Duration>("every"));
    if given.is_none() {
        section.missing("rate", "rate = 20 (a second), or count = 500 (in all)");
    }
    let (kind, length) = (kind?, length?);
    if kind != Kind::Ramp {
        section.idle(&["to"], "kind", "a load that is no ramp");
    }
    if kind != Kind::Burst {
        section.idle(&["every"], "kind", "a load that is no burst");
    }
    let seconds = length.as_secs_f64();
    let (rate, count) = match given? {
        "rate" => (rate?, None),
        _ => (0.0, Some(count?)),
    };
    Some(match (kind, count) {
        (Kind::Constant, None) => Shape::Constant { rate },
        (Kind::Constant, Some(count)) => Shape::Constant { rate: count as f64 / seconds },
        (Kind::Poisson, None) => Shape::Poisson { rate },
        (Kind::Poisson, Some(count)) => Shape::PoissonCount { count },
        (Kind::Ramp, None) => {
            if section.item("to").is_none() {
                let wrong = Wrong::new("a ramp goes from one rate to another, and `to` is missing");
                section.problem(
                    "rate",
                    wrong.hint("add to = 200, or give `count` in place of `rate`"),
                );
            }
            Shape::Ramp { from: rate, to: to? }
        }
        (Kind::Ramp, Some(count)) => {
            section.idle(&["to"], "kind", "a ramp with `count`, which begins at nothing");
            Shape::Ramp { from: 0.0, to: 2.0 * count as f64 / seconds }
        }
        (Kind::Burst, count) => burst(section, rate, count, every, length)?,
    })
}

fn burst(
    section: &Section<'_>,
    rate: f64,
    count: Option<u64>,
    every: Option<Duration>,
    length: Duration,
) -> Option<Shape> {
    if section.item("every").is_some() && every? < Duration::from_millis(1) {
        let wrong = Wrong::new("bursts every less than a millisecond are no bursts");
        section.problem("every", wrong.hint("give a longer time"));
        return None;
    }
    // Those that begin before the end; one if they are not to be repeated.
    let bursts = every.map_or(1, |every| length.as_nanos().div_ceil(every.as_nanos()));
    let count = count.unwrap_or((rate * length.as_secs_f64() + 1e-6) as u64);
    let bursts = u64::try_from(bursts).ok()?;
    Some(Shape::Burst { count, bursts, every: every.unwrap_or_default() })
}

/// Reads a number that may differ from transaction to transaction.
fn amounts(
    section: &Section<'_>,
    key: &'static str,
    bounds: RangeInclusive<u64>,
    read: fn(&Item) -> Result<u64, Wrong>,
) -> Option<Amounts> {
    let one = |item: &Item| within(read(item)?, &bounds);
    section.read(key, |item| match &item.value {
        Value::Table(table) => {
            let mut ends = (None, None);
            for entry in &table.entries {
                match entry.key.as_str() {
                    "min" => ends.0 = Some(one(&entry.item)?),
                    "max" => ends.1 = Some(one(&entry.item)?),
                    other => {
                        return Err(Wrong::new(format!("has an unknown key `{other}`"))
                            .hint("a range is written { min = 1, max = 100 }"));
                    }
                }
            }
            match ends {
                (Some(min), Some(max)) if min <= max => Ok(Amounts::Uniform { min, max }),
                (Some(min), Some(max)) => Err(Wrong::new(format!("is from {min} to {max}"))
                    .hint("a range is written with its smaller end as `min`")),
                _ => Err(Wrong::new("is half a range").hint("give it both `min` and `max`")),
            }
        }
        Value::List(items) => choice(items, one),
        Value::Int(_) | Value::Text(_) => Ok(Amounts::Fixed(one(item)?)),
        _ => Err(expected(
            "a number, a range such as { min = 1, max = 100 }, or a list of those to choose from",
            item,
        )),
    })
}

fn choice(items: &[Item], one: impl Fn(&Item) -> Result<u64, Wrong>) -> Result<Amounts, Wrong> {
    const FORM: &str = "write [128, 1024], or [{ value = 128, weight = 3 }, { value = 1024 }]";
    let mut choices = Vec::new();
    for item in items {
        let Value::Table(table) = &item.value else {
            choices.push((one(item)?, 1.0));
            continue;
        };
        let (mut value, mut weight) = (None, 1.0);
        for entry in &table.entries {
            match entry.key.as_str() {
                "value" => value = Some(one(&entry.item)?),
                "weight" => weight = within(f64::from_item(&entry.item)?, &(0.0..=1e9))?,
                other => {
                    return Err(Wrong::new(format!("has an unknown key `{other}`")).hint(FORM));
                }
            }
        }
        let none = || Wrong::new("has a choice without a `value`").hint(FORM);
        choices.push((value.ok_or_else(none)?, weight));
    }
    if choices.iter().map(|(_, weight)| weight).sum::<f64>() <= 0.0 {
        return Err(Wrong::new("leaves nothing to choose from").hint(FORM));
    }
    Ok(Amounts::Choice(choices))
}
