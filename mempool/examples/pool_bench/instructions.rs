//! Instructions for each operation, which no noise on the machine changes.
//!
//! This program runs itself under callgrind, once for n operations and once for 2n, with the same
//! inputs made beforehand. The difference is what n operations take.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::operation::Operation;
use crate::stand::Stand;

/// The pool that instructions are counted on.
const SIZE: usize = 10_000;
const PER_SENDER: usize = 10;

/// By how much a count may be off.
const WITHIN: f64 = 0.05;

/// Where the counts are kept.
fn record() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/pool_bench/instructions.toml")
}

/// How many units of work make n, and how many operations make a unit.
fn counts(operation: Operation) -> (usize, usize) {
    match operation {
        Operation::Block | Operation::Expire => (4, 100),
        Operation::Best => (2, 1_000),
        Operation::Template => (2, 5_000),
        _ => (40, 20),
    }
}

/// Does an operation n times, or 2n, on a pool that is made for 2n.
pub(crate) fn perform(operation: Operation, twice: bool) {
    let (n, unit) = counts(operation);
    let mut stand = Stand::new(SIZE, PER_SENDER, operation != Operation::Evict);
    let works: Vec<_> = (0..2 * n).map(|_| stand.prepare(operation, unit)).collect();
    for work in works.into_iter().take(if twice { 2 * n } else { n }) {
        stand.perform(work);
    }
    // What is left is not taken apart, since that would be counted too.
    std::process::exit(0);
}

fn collected(operation: Operation, twice: bool) -> Result<u64, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(this)
        .args(["--count", operation.word()])
        .args(twice.then_some("--twice"))
        .output()
        .map_err(|error| format!("valgrind, which counts, cannot be run: {error}"))?;
    let told = String::from_utf8_lossy(&output.stderr);
    let line = told.lines().find_map(|line| line.split_once("Collected : "));
    line.and_then(|(_, count)| count.trim().parse().ok())
        .ok_or_else(|| format!("callgrind told no count:\n{told}"))
}

/// Instructions for one operation: of a block, a walk or a template, for each transaction in it.
fn count(operation: Operation) -> Result<u64, String> {
    let (n, unit) = counts(operation);
    let (once, twice) = (collected(operation, false)?, collected(operation, true)?);
    Ok(twice.saturating_sub(once) / (n * unit) as u64)
}

/// `word = number`, one a line.
fn read() -> BTreeMap<String, u64> {
    let text = std::fs::read_to_string(record()).unwrap_or_default();
    let pair = |line: &str| {
        let (word, number) = line.split_once('=')?;
        Some((word.trim().to_owned(), number.trim().parse().ok()?))
    };
    text.lines().filter_map(pair).collect()
}

/// Counts all, and compares or writes down. Tells whether all is well.
///
/// # Errors
/// If there is nothing that counts.
pub(crate) fn run(write: bool) -> Result<bool, String> {
    let recorded = read();
    let mut text = String::from(
        "# Instructions for each operation on a pool of 10,000, ten of each sender, as callgrind\n\
         # counts them. Written by `pool_bench --instructions --record`.\n",
    );
    let mut well = true;
    println!("{:<18} {:>12} {:>12} {:>8}", "operation", "instructions", "recorded", "off");
    for operation in Operation::ALL {
        let (word, found) = (operation.word(), count(operation)?);
        text.push_str(&format!("{word} = {found}\n"));
        match recorded.get(word) {
            Some(before) => {
                let off = found as f64 / *before as f64 - 1.0;
                println!("{word:<18} {found:>12} {before:>12} {:>+7.1}%", off * 100.0);
                well &= off.abs() <= WITHIN;
            }
            None => {
                println!("{word:<18} {found:>12} {:>12} {:>8}", "none", "");
                well = false;
            }
        }
    }
    if write {
        std::fs::write(record(), text).map_err(|error| error.to_string())?;
        return Ok(true);
    }
    Ok(well)
}
