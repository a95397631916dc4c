//! What was measured, for people and for programs.

use hearsay_mempool::Pool;

use crate::measure::{Times, median_and_spread};
use crate::operation::Operation;

/// One operation on one pool.
pub(crate) struct Row {
    pub(crate) operation: Operation,
    pub(crate) size: usize,
    pub(crate) times: Times,
}

fn readable(nanoseconds: f64) -> String {
    match nanoseconds {
        it if it < 10_000.0 => format!("{it:.0} ns"),
        it if it < 10_000_000.0 => format!("{:.1} µs", it / 1_000.0),
        it => format!("{:.1} ms", it / 1_000_000.0),
    }
}

fn cell(times: &[f64]) -> String {
    let (median, spread) = median_and_spread(times);
    format!("{} ± {:.0} %", readable(median), spread / median * 50.0)
}

/// The medians of the largest pool over those of the smallest: warm and cold.
fn ratios(rows: &[Row], operation: Operation) -> Option<(f64, f64)> {
    let mut of = rows.iter().filter(|row| row.operation == operation);
    let (first, last) = (of.next()?, of.next_back()?);
    let median = |times: &[f64]| median_and_spread(times).0;
    Some((
        median(&last.times.warm) / median(&first.times.warm),
        median(&last.times.cold) / median(&first.times.cold),
    ))
}

pub(crate) fn print(rows: &[Row], pools: &[&Pool]) {
    println!("warm: a plain loop over random transactions");
    println!("cold: before every few operations a walk through memory empties the caches");
    println!("each: the median of all rounds, and half of what its middle half spreads\n");
    println!("{:<18} {:>10} {:>20} {:>20}", "operation", "pool", "warm", "cold");
    for operation in Operation::ALL {
        for row in rows.iter().filter(|row| row.operation == operation) {
            let (warm, cold) = (cell(&row.times.warm), cell(&row.times.cold));
            println!("{:<18} {:>10} {warm:>20} {cold:>20}", operation.word(), row.size);
        }
        if let Some((warm, cold)) = ratios(rows, operation) {
            println!("{:<18} {:>10} {warm:>19.2}x {cold:>19.2}x", "", "ratio");
        }
    }
    println!();
    for pool in pools {
        let totals = pool.totals();
        let each = totals.memory as f64 / totals.count as f64;
        let own = totals.bytes as f64 / totals.count as f64;
        println!(
            "{} transactions, {} senders: {each:.0} bytes of memory each, {:.0} beyond the encoding",
            totals.count,
            totals.senders,
            each - own
        );
    }
}

pub(crate) fn print_json(rows: &[Row], pools: &[&Pool]) {
    let row = |row: &Row| {
        let (warm, warm_spread) = median_and_spread(&row.times.warm);
        let (cold, cold_spread) = median_and_spread(&row.times.cold);
        format!(
            "{{\"operation\":\"{}\",\"pool\":{},\"warm_ns\":{warm:.1},\"warm_spread_ns\":{warm_spread:.1},\
             \"cold_ns\":{cold:.1},\"cold_spread_ns\":{cold_spread:.1}}}",
            row.operation.word(),
            row.size
        )
    };
    let ratio = |operation: Operation| {
        let (warm, cold) = ratios(rows, operation)?;
        let word = operation.word();
        Some(format!("{{\"operation\":\"{word}\",\"warm\":{warm:.3},\"cold\":{cold:.3}}}"))
    };
    let memory = |pool: &&Pool| {
        let totals = pool.totals();
        format!(
            "{{\"count\":{},\"memory\":{},\"bytes\":{}}}",
            totals.count, totals.memory, totals.bytes
        )
    };
    println!(
        "{{\"rows\":[{}],\"ratios\":[{}],\"memory\":[{}]}}",
        rows.iter().map(row).collect::<Vec<_>>().join(","),
        Operation::ALL.into_iter().filter_map(ratio).collect::<Vec<_>>().join(","),
        pools.iter().map(memory).collect::<Vec<_>>().join(",")
    );
}
