//! Comparison: two or more variants of a scenario, run in turn with the same seeds, and which of
//! their differences are real.
//!
//! ```text
//!  variants ── turns: A B B A A B … ── run ── figures of each ── differences ── text, json, html
//!              (seed 7: A and B, seed 8: B and A, …)              by pairs of one seed
//! ```
//!
//! A machine warms up, slows down and has other things to do. Running the variants in turn, every
//! other time in reverse order, spreads that over all of them alike; giving each pair the same seed
//! makes topology, load and faults the same, so that only the difference that is asked about
//! remains. What is called real is decided by `stats`; what the figures are, by `figures`.

mod figures;
mod stats;
mod text;
mod trade;
mod turns;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::{fs, io};

use serde::{Deserialize, Serialize};

pub use self::figures::{Better, FIGURES, Figure};
pub use self::stats::{Interval, LEAST_PAIRS, RESAMPLES, Verdict};
pub use self::turns::{Options, RunError, Turn, Variant, run};

use crate::page;

/// The version of the fields of `compare.json`. Fields are only added within one.
pub const SCHEMA: u32 = 1;

/// What came of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Runs that were asked for of each variant.
    pub repeats: u32,
    /// The first pair's seed.
    pub seed: u64,
    /// Whether it was given up before all runs were done.
    pub stopped: bool,
    /// The variants; all are compared with the first.
    pub variants: Vec<VariantRuns>,
    /// Each other variant against the first.
    pub against: Vec<Against>,
}

/// One variant and its runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VariantRuns {
    /// What it is called.
    pub name: String,
    /// Its runs, by seed.
    pub runs: Vec<RunFigures>,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunFigures {
    /// Its seed.
    pub seed: u64,
    /// Its place in the order of all runs, from 0.
    pub turn: u32,
    /// Its folder.
    pub dir: String,
    /// Why it does not count, in sentences; empty when it does.
    pub unusable: Vec<String>,
    /// Its figures, in the order of [`FIGURES`]; absent where the report has none.
    pub figures: Vec<Option<f64>>,
}

/// One variant against the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Against {
    /// The first variant's name.
    pub base: String,
    /// The other's.
    pub variant: String,
    /// Pairs of runs with the same seed, both of which count.
    pub pairs: u32,
    /// Pairs that were left out, and why: one sentence each.
    pub left_out: Vec<String>,
    /// The figures that both have.
    pub differences: Vec<Difference>,
}

/// One figure of one variant against that of the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The figure's path in `report.json`.
    pub figure: String,
    /// What it is called.
    pub what: String,
    /// Its unit; empty when it has none.
    pub unit: String,
    /// Which way is better.
    pub better: Better,
    /// Pairs in which both runs have it.
    pub pairs: u32,
    /// The median over the first variant's runs of these pairs.
    pub base: f64,
    /// The median over the other's.
    pub variant: f64,
    /// The median of the pairs' differences, other minus first.
    pub difference: f64,
    /// The same over `base`; absent when that is 0.
    pub relative: Option<f64>,
    /// Where the median of the differences lies with 95 % confidence; absent with fewer than
    /// [`LEAST_PAIRS`] pairs.
    pub interval: Option<Interval>,
    /// Whether the difference is real.
    pub verdict: Verdict,
}

impl Comparison {
    /// Compares the runs of `variants`; the runs of each are in the same order of seeds.
    #[must_use]
    pub fn of(options: Options, variants: Vec<VariantRuns>, stopped: bool) -> Self {
        let mut others = variants.iter();
        let against = others.next().map(|base| others.map(|other| against(base, other)).collect());
        Comparison {
            schema: SCHEMA,
            repeats: options.repeats,
            seed: options.seed,
            stopped,
            against: against.unwrap_or_default(),
            variants,
        }
    }

    /// What each variant pays and gets, side by side: a table for a terminal.
    #[must_use]
    pub fn table(&self) -> String {
        trade::table(self)
    }

    /// Copies against latency, all variants in one picture: SVG.
    #[must_use]
    pub fn picture(&self) -> String {
        trade::picture(self)
    }
}

fn against(base: &VariantRuns, other: &VariantRuns) -> Against {
    let mut pairs = Vec::new();
    let mut left_out = Vec::new();
    for one in &base.runs {
        let Some(two) = other.runs.iter().find(|run| run.seed == one.seed) else { continue };
        let unusable = [(base, one), (other, two)].into_iter();
        let unusable = unusable.filter(|(_, run)| !run.unusable.is_empty());
        let why: Vec<_> = unusable
            .map(|(variant, run)| format!("{}: {}", variant.name, run.unusable.join("; ")))
            .collect();
        if why.is_empty() {
            pairs.push((one, two));
        } else {
            left_out.push(format!("seed {}: {}", one.seed, why.join(", and ")));
        }
    }
    let difference = |(place, figure): (usize, &Figure)| {
        let both =
            pairs.iter().filter_map(|(one, two)| Some((one.figures[place]?, two.figures[place]?)));
        difference(figure, &both.collect::<Vec<_>>())
    };
    Against {
        base: base.name.clone(),
        variant: other.name.clone(),
        pairs: pairs.len() as u32,
        left_out,
        differences: FIGURES.iter().enumerate().filter_map(difference).collect(),
    }
}

/// The difference of one figure over pairs of its values; `None` when there is no pair.
fn difference(figure: &Figure, pairs: &[(f64, f64)]) -> Option<Difference> {
    let base = stats::median(pairs.iter().map(|pair| pair.0).collect())?;
    let variant = stats::median(pairs.iter().map(|pair| pair.1).collect())?;
    let differences: Vec<f64> = pairs.iter().map(|pair| pair.1 - pair.0).collect();
    let interval = stats::interval(&differences);
    let difference = stats::median(differences)?;
    Some(Difference {
        figure: figure.path.to_owned(),
        what: figure.what.to_owned(),
        unit: figure.unit.to_owned(),
        better: figure.better,
        pairs: pairs.len() as u32,
        base,
        variant,
        difference,
        relative: (base != 0.0).then(|| difference / base.abs()),
        interval,
        verdict: stats::verdict(interval),
    })
}

/// Writes `compare.json`, `compare.txt`, `compare.html` and `trade.svg` into `dir`.
///
/// # Errors
/// A file cannot be written.
pub fn write(dir: &Path, comparison: &Comparison) -> io::Result<()> {
    let mut json = serde_json::to_string_pretty(comparison)?;
    json.push('\n');
    fs::write(dir.join("compare.json"), json)?;
    fs::write(dir.join("compare.txt"), comparison.to_text())?;
    fs::write(dir.join("trade.svg"), comparison.picture())?;
    fs::write(dir.join("compare.html"), page::comparison(comparison))
}
