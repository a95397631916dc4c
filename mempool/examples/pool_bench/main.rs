//! What the pool's operations take, at 10,000, 100,000 and 1,000,000 transactions in one run:
//! `cargo run --release -p hearsay-mempool --example pool_bench`.
//!
//! * `--json`: for programs.
//! * `--per-sender N`: how many each sender has; ten unless told.
//! * `--sizes A,B,C`, `--rounds N`: other pools, more rounds.
//! * `--instructions [--record]`: instructions for each operation, counted by callgrind, beside
//!   those recorded; fails if one is off by more than a twentieth.
//! * `--count OP [--twice]`: one operation a fixed number of times, for a profiler.

mod instructions;
mod measure;
mod operation;
mod random;
mod report;
mod stand;

use std::process::ExitCode;

use measure::{Sweep, Times};
use operation::Operation;
use report::Row;
use stand::Stand;

const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];
const ROUNDS: usize = 9;

/// What follows a word among the arguments.
fn value<'a>(arguments: &'a [String], word: &str) -> Option<&'a str> {
    let at = arguments.iter().position(|it| it == word)?;
    arguments.get(at + 1).map(String::as_str)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| arguments.iter().any(|it| it == word);
    match run(&arguments, has) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String], has: impl Fn(&str) -> bool) -> Result<bool, String> {
    let number = |word: &str, otherwise: usize| match value(arguments, word) {
        Some(text) => match text.parse() {
            Ok(number) if number > 0 => Ok(number),
            _ => Err(format!("{word} takes a number from 1 on, not {text}")),
        },
        None => Ok(otherwise),
    };
    if has("--instructions") {
        return instructions::run(has("--record"));
    }
    if let Some(word) = value(arguments, "--count") {
        let operation = Operation::from_word(word).ok_or_else(|| {
            let words = Operation::ALL.map(Operation::word).join(", ");
            format!("no operation is called {word}; there are {words}")
        })?;
        instructions::perform(operation, has("--twice"));
    }
    let sizes = match value(arguments, "--sizes") {
        Some(text) => text.split(',').map(str::parse).collect::<Result<_, _>>(),
        None => Ok(SIZES.to_vec()),
    };
    let mut sizes: Vec<usize> = sizes.map_err(|_| "--sizes takes numbers, as 1000,2000")?;
    sizes.sort_unstable();
    let (per_sender, rounds) = (number("--per-sender", 10)?, number("--rounds", ROUNDS)?);
    measure(&sizes, per_sender, rounds, has("--json"));
    Ok(true)
}

fn measure(sizes: &[usize], per_sender: usize, rounds: usize, json: bool) {
    let stand = |size: &usize, room: bool| Stand::new(*size, per_sender, room);
    let mut roomy: Vec<Stand> = sizes.iter().map(|size| stand(size, true)).collect();
    let mut full: Vec<Stand> = sizes.iter().map(|size| stand(size, false)).collect();
    let mut sweep = Sweep::new();
    let row =
        |operation| move |size: &usize| Row { operation, size: *size, times: Times::default() };
    let mut rows: Vec<Row> =
        Operation::ALL.into_iter().flat_map(|operation| sizes.iter().map(row(operation))).collect();
    for _ in 0..rounds {
        // Sizes in turn, so that whatever else the machine does meets all of them.
        for (at, row) in rows.iter_mut().enumerate() {
            let stands = if row.operation == Operation::Evict { &mut full } else { &mut roomy };
            row.times.take(&mut stands[at % sizes.len()], row.operation, &mut sweep);
        }
    }
    let pools: Vec<_> = roomy.iter().map(|stand| &stand.pool).collect();
    if json {
        report::print_json(&rows, &pools);
    } else {
        report::print(&rows, &pools);
    }
}
