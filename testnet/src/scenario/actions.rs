//! `[[at]]`: what is done to the network, and when.

use std::time::Duration;

use super::links::delay;
use super::loads::{self, Load};
use super::names::Names;
use super::plan::{Action, Heal, Slow};
use super::problem::{Place, Problems, Wrong};
use super::section::{FromItem, Section, expected, in_quotes, rate};
use super::tree::{Item, Value};
use super::units;

/// No clock in use is off by more than this, and what is beyond it is a slip.
const MOST_SKEW_US: i64 = 3_600_000_000;

/// A process that runs for a smaller share of the time than this stands still: of a period of 100 ms this
/// is 2 ms, and the timers that end them are a millisecond fine.
const LEAST_SHARE: f64 = 0.02;

/// What is done, where that stands, and when.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) at: Duration,
    pub(super) what: What,
    pub(super) place: Place,
}

/// What is done.
#[derive(Clone, Debug)]
pub(super) enum What {
    Action(Action),
    Load(Box<Load>),
}

/// Every action, with the key that asks for it.
const ACTIONS: &str =
    "kill, restart, leave, pause, resume, start, cut, heal, slow, starve, skew or load";

/// Two groups of nodes.
type Groups = (Vec<usize>, Vec<usize>);

/// Reads one `[[at]]` with all its actions.
pub(super) fn read(section: Section<'_>, names: Names, end: Option<Duration>) -> Vec<Placed> {
    if section.item("time").is_none() {
        section.missing("time", "time = \"10s\"");
    }
    let at = section.get::<Duration>("time");
    if let (Some(at), Some(end)) = (at, end)
        && at > end
    {
        let wrong = Wrong::new(format!("an action at {at:?}, after the end of the run at {end:?}"));
        section.problem("time", wrong.hint("act earlier, or raise `duration`"));
    }
    let mut done = Vec::new();
    let mut asked = false;
    type Make = fn(Vec<usize>) -> Action;
    let plain: [(&'static str, Make); 6] = [
        ("kill", Action::Kill),
        ("restart", Action::Restart),
        ("leave", Action::Leave),
        ("pause", Action::Pause),
        ("resume", Action::Resume),
        ("start", Action::Start),
    ];
    let problems = section.problems();
    for (key, make) in plain {
        let Some(item) = section.item(key) else { continue };
        asked = true;
        if let Some(nodes) = names.read(key, item, problems) {
            done.push((item.place.clone(), What::Action(make(nodes))));
        }
    }
    let one_way = section.get::<bool>("one-way").unwrap_or_default();
    if let Some(item) = section.item("cut") {
        asked = true;
        if let Some((from, to)) = groups("cut", item, names, problems) {
            let action = Action::Cut { from, to, one_way };
            done.push((item.place.clone(), What::Action(action)));
        }
    } else if section.item("one-way").is_some() {
        let wrong = Wrong::new("`one-way` says nothing without a `cut`");
        section.problem("one-way", wrong.hint("take it out"));
    }
    if let Some(item) = section.item("heal") {
        asked = true;
        let healed = match item.value {
            Value::Bool(true) => Some(Heal::All),
            Value::List(_) => {
                groups("heal", item, names, problems).map(|(from, to)| Heal::Between { from, to })
            }
            _ => {
                let form = "true, or two groups such as [[\"n0\"], [\"*\"]]";
                section.wrong("heal", &item.place, expected(form, item));
                None
            }
        };
        let action = |healed| (item.place.clone(), What::Action(Action::Heal(healed)));
        done.extend(healed.map(action));
    }
    if let (Some(inner), Some(item)) = (section.table("slow"), section.item("slow")) {
        done.extend(slow(inner, names).map(|slow| (item.place.clone(), What::Action(slow))));
    }
    if let (Some(inner), Some(item)) = (section.table("starve"), section.item("starve")) {
        done.extend(starve(inner, names).map(|it| (item.place.clone(), What::Action(it))));
    }
    if let (Some(inner), Some(item)) = (section.table("skew"), section.item("skew")) {
        done.extend(skew(inner, names).map(|skew| (item.place.clone(), What::Action(skew))));
    }
    if let (Some(inner), Some(item)) = (section.table("load"), section.item("load")) {
        let load = loads::read(inner, names, Some(at.unwrap_or_default()), end);
        done.extend(load.map(|load| (item.place.clone(), What::Load(Box::new(load)))));
    }
    asked |= ["slow", "starve", "skew", "load"].iter().any(|key| section.item(key).is_some());
    if !asked && section.keys().all(|entry| entry.key == "time") {
        section.problem("time", Wrong::new("[[at]] does nothing").hint(format!("add {ACTIONS}")));
    }
    section.finish();
    let Some(at) = at else { return Vec::new() };
    done.sort_by(|(a, _), (b, _)| a.cmp(b));
    done.into_iter().map(|(place, what)| Placed { at, what, place }).collect()
}

/// Reads two groups of nodes, of which the second may be `["*"]`, everyone else.
fn groups(key: &str, item: &Item, names: Names, problems: &Problems) -> Option<Groups> {
    let form = "write two groups, such as [[\"n0\", \"n1\"], [\"*\"]]: `*` is everyone else";
    let told = |place: &Place, message: String| {
        problems.add(place, Wrong::new(message).hint(form));
        None
    };
    let Value::List(halves) = &item.value else {
        return told(&item.place, format!("`{key}` cannot be {}", item.in_words()));
    };
    let [first, second] = halves.as_slice() else {
        return told(&item.place, format!("`{key}` has {} groups", halves.len()));
    };
    let rest = |item: &Item| match &item.value {
        Value::List(items) => matches!(items.as_slice(),
            [Item { value: Value::Text(text), .. }] if text == "*"),
        Value::Text(text) => text == "*",
        _ => false,
    };
    if rest(first) && rest(second) {
        return told(&item.place, format!("`{key}` has everyone on both sides"));
    }
    let read = |item: &Item| names.read(key, item, problems);
    let others = |of: &[usize]| {
        (0..names.count.unwrap_or_default()).filter(|node| !of.contains(node)).collect::<Vec<_>>()
    };
    let (from, to) = if rest(first) {
        let to = read(second)?;
        (others(&to), to)
    } else {
        let from = read(first)?;
        let to = if rest(second) { others(&from) } else { read(second)? };
        (from, to)
    };
    if from.is_empty() || to.is_empty() {
        return told(&item.place, format!("`{key}` names everyone, so there is nobody else"));
    }
    if let Some(both) = from.iter().find(|node| to.contains(node)) {
        return told(&item.place, format!("`{key}` has n{both} on both sides"));
    }
    Some((from, to))
}

fn nodes(section: &Section<'_>, names: Names) -> Option<Vec<usize>> {
    match section.item("nodes") {
        Some(item) => names.read("nodes", item, section.problems()),
        None => {
            section.missing("nodes", "nodes = [\"n0\"]");
            None
        }
    }
}

fn slow(section: Section<'_>, names: Names) -> Option<Action> {
    let nodes = nodes(&section, names);
    let slow = Slow {
        factor: section.number("factor", 1.0..=1e6),
        up: section.read("uplink", rate),
        down: section.read("downlink", rate),
        delay: section.read("delay", delay),
    };
    let given = ["factor", "uplink", "downlink", "delay"].map(|key| section.item(key).is_some());
    section.one_of(&["factor", "uplink"]);
    section.one_of(&["factor", "downlink"]);
    if !given.contains(&true) {
        let wrong = Wrong::new("`slow` does not say how slow");
        section.problem("nodes", wrong.hint("add factor = 10, `uplink`, `downlink` or `delay`"));
    }
    section.finish();
    Some(Action::Slow { nodes: nodes?, slow })
}

fn starve(section: Section<'_>, names: Names) -> Option<Action> {
    let nodes = nodes(&section, names);
    if section.item("share").is_none() {
        section.missing("share", "share = 0.1");
    }
    let share = section.number("share", LEAST_SHARE..=1.0);
    section.finish();
    Some(Action::Starve { nodes: nodes?, share: share? })
}

fn skew(section: Section<'_>, names: Names) -> Option<Action> {
    let nodes = nodes(&section, names);
    if section.item("by").is_none() {
        section.missing("by", "by = \"250ms\"");
    }
    let by = section.read("by", |item| {
        let us = in_quotes(units::signed_us(&String::from_item(item)?))?;
        if us.abs() > MOST_SKEW_US {
            return Err(Wrong::new("is more than an hour").hint("give -1h to 1h"));
        }
        Ok(us)
    });
    section.finish();
    Some(Action::Skew { nodes: nodes?, ms: by? / 1_000 })
}
