//! `[nodes]`: how many, who proposes blocks and when, and what they are made of.

use std::time::Duration;

use hearsay_chain::genesis::{DEFAULT_PER_MILLE, Schedule};

use super::problem::Wrong;
use super::section::{FromItem, Section, within};
use super::{Nodes, StoreKind, Transport};

/// More processes than these are beyond what one machine can run and measure.
const MOST_PROCESSES: u64 = 200;

/// More nodes than these in one process are beyond what any dilation makes measurable.
const MOST_IN_PROCESS: u64 = 2_000;

/// Authorities unless asked otherwise, or as many as there are nodes: the least number of which one
/// may fail and the others still make blocks final.
const AUTHORITIES: usize = 4;

const SLOT: Duration = Duration::from_secs(1);

/// What any network bears.
const SLOTS: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(10)..=Duration::from_secs(3_600);

/// Reads `[nodes]`; nothing if its number is not told.
pub(super) fn read(section: &Section<'_>) -> Option<Nodes> {
    let count = count(section);
    let authorities = section.item("authorities").map(|_| section.whole("authorities", 1..=1_024));
    let slot = section.read("slot", |item| {
        let slot = Duration::from_item(item)?;
        if SLOTS.contains(&slot) {
            return Ok(slot);
        }
        Err(Wrong::new(format!("is {slot:?}")).hint("a slot lasts 10ms to 1h"))
    });
    let (in_process, schedule) = (count.is_some_and(|(_, inside)| inside), schedule(section));
    let store =
        section.word("store", &[("memory", StoreKind::Memory), ("rocksdb", StoreKind::RocksDb)]);
    let carriers = [("tcp", Transport::Tcp), ("memory", Transport::Memory)];
    let transport = section.word("transport", &carriers).unwrap_or(Transport::Tcp);
    if transport == Transport::Memory && count.is_some() && !in_process {
        let wrong = Wrong::new("`transport = \"memory\"` joins nodes of one process only");
        section.problem("transport", wrong.hint("give `in-process` in place of `count`"));
    }
    let (count, _) = count?;
    let authorities = match authorities {
        Some(asked) => usize::try_from(asked?).ok()?,
        None => AUTHORITIES.min(count),
    };
    if authorities > count {
        let wrong = Wrong::new(format!("{authorities} authorities among {count} nodes"));
        section.problem("authorities", wrong.hint(format!("at most {count} can be authorities")));
    }
    Some(Nodes {
        count,
        in_process,
        authorities,
        slot: slot.unwrap_or(SLOT),
        schedule,
        // A node in memory forgets; one process of many nodes has no use for many databases.
        store: store.unwrap_or(if in_process { StoreKind::Memory } else { StoreKind::RocksDb }),
        transport,
    })
}

/// How many, and whether in one process.
fn count(section: &Section<'_>) -> Option<(usize, bool)> {
    let Some(key) = section.one_of(&["count", "processes", "in-process"]) else {
        section.missing("count", "count = 8");
        return None;
    };
    let in_process = key == "in-process";
    let most = if in_process { MOST_IN_PROCESS } else { MOST_PROCESSES };
    let count = section.read(key, |item| {
        let count = u64::from_item(item)?;
        if count == 0 {
            return Err(Wrong::new("is 0").hint("a network has at least one node"));
        }
        within(count, &(1..=most)).map_err(|wrong| match in_process {
            false if count <= MOST_IN_PROCESS => Wrong::new(format!("is {count}")).hint(format!(
                "it must be 1 to {most}; more nodes fit with `in-process = {count}`"
            )),
            _ => wrong,
        })
    })?;
    Some((usize::try_from(count).ok()?, in_process))
}

fn schedule(section: &Section<'_>) -> Schedule {
    let lottery = section.word("schedule", &[("round-robin", false), ("lottery", true)]);
    if lottery != Some(true) {
        section.idle(&["chance"], "schedule", "a round-robin schedule");
        return Schedule::RoundRobin;
    }
    let chance = section.number("chance", 0.001..=1.0);
    // Drawn in thousandths.
    let per_mille = chance.map_or(DEFAULT_PER_MILLE, |chance| (chance * 1_000.0).round() as u16);
    Schedule::Lottery { per_mille }
}
