//! Running the variants in turn.

use std::path::{Path, PathBuf};

use super::{Comparison, RunFigures, VariantRuns, figures};
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
    /// The first pair's seed; the next one's is one more.
    pub seed: u64,
}

/// One run that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Its place in the order of all runs, from 0.
    pub nth: u32,
    /// Runs in all.
    pub of: u32,
    /// The variant's name.
    pub name: String,
    /// The seed to run it with.
    pub seed: u64,
    /// The folder to run it in, which does not exist yet.
    pub dir: PathBuf,
}

/// Why a run gave no report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// It failed: its pair is left out, and the comparison goes on.
    #[error("{0}")]
    Failed(String),
    /// The user wants no more: what was run so far is compared.
    #[error("interrupted")]
    Stopped,
}

impl From<String> for RunError {
    fn from(what: String) -> Self {
        RunError::Failed(what)
    }
}

/// Runs the variants in turn (A B B A …), all of one round with the same seed, in folders below
/// `out`, and compares them. `run` is given the scenario as it is in the variant, and the turn, whose
/// seed it is to use.
pub fn run<S>(
    variants: &[Variant<S>],
    options: Options,
    out: &Path,
    mut run: impl FnMut(&S, &Turn) -> Result<Report, RunError>,
) -> Comparison {
    let mut done: Vec<Vec<RunFigures>> = variants.iter().map(|_| Vec::new()).collect();
    let mut stopped = false;
    for (place, turn) in turns(variants, options, out) {
        let result = run(&variants[place].scenario, &turn);
        if result == Err(RunError::Stopped) {
            stopped = true;
            break;
        }
        done[place].push(reduce(&turn, result));
    }
    let named = variants.iter().zip(done);
    let variants =
        named.map(|(variant, runs)| VariantRuns { name: variant.name.clone(), runs }).collect();
    Comparison::of(options, variants, stopped)
}

/// The runs in their order, each with its variant's place.
fn turns<S>(variants: &[Variant<S>], options: Options, out: &Path) -> Vec<(usize, Turn)> {
    let many = variants.len();
    let forth_and_back = (0..options.repeats).flat_map(|repeat| {
        let forth = repeat % 2 == 0;
        (0..many).map(move |place| (repeat, if forth { place } else { many - 1 - place }))
    });
    let turn = |(nth, (repeat, place)): (usize, (u32, usize))| {
        let (name, seed) = (variants[place].name.clone(), options.seed + u64::from(repeat));
        let dir = out.join(format!("{nth:03}-{}-seed-{seed}", slug(&name)));
        let (nth, of) = (nth as u32, options.repeats * many as u32);
        (place, Turn { nth, of, name, seed, dir })
    };
    forth_and_back.enumerate().map(turn).collect()
}

/// A name that every file system takes.
fn slug(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-=".contains(c) { c } else { '_' };
    name.chars().map(plain).collect()
}

/// Keeps of a report what is compared; a report with all it holds is large.
fn reduce(turn: &Turn, result: Result<Report, RunError>) -> RunFigures {
    let (unusable, figures) = match &result {
        Ok(report) => {
            let mut reasons = report.invalid_reasons.clone();
            if !report.valid && reasons.is_empty() {
                reasons.push("it is not valid".to_owned());
            }
            (reasons, figures::of(report))
        }
        Err(error) => (vec![format!("it failed: {error}")], vec![None; figures::FIGURES.len()]),
    };
    let dir = turn.dir.display().to_string();
    RunFigures { seed: turn.seed, turn: turn.nth, dir, unusable, figures }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(names: &[&str], repeats: u32) -> Vec<(String, u64)> {
        let variant = |name: &&str| Variant { name: (*name).to_owned(), scenario: () };
        let variants: Vec<_> = names.iter().map(variant).collect();
        let options = Options { repeats, seed: 7 };
        let turns = turns(&variants, options, Path::new("out"));
        turns.into_iter().map(|(_, turn)| (turn.name, turn.seed)).collect()
    }

    #[test]
    fn each_round_has_one_seed_and_every_other_round_is_in_reverse_order() {
        let found = order(&["a", "b"], 3);
        let expected = [("a", 7), ("b", 7), ("b", 8), ("a", 8), ("a", 9), ("b", 9)];
        assert_eq!(found, expected.map(|(name, seed)| (name.to_owned(), seed)));
        let three: Vec<_> = order(&["a", "b", "c"], 2).into_iter().map(|turn| turn.0).collect();
        assert_eq!(three.concat(), "abccba");
    }

    #[test]
    fn each_run_has_a_folder_of_its_own_that_any_file_system_takes() {
        let variants = [Variant { name: "a/b.toml --set x=1".to_owned(), scenario: () }];
        let options = Options { repeats: 1, seed: 7 };
        let turn = &turns(&variants, options, Path::new("out"))[0].1;
        assert_eq!(turn.dir, Path::new("out/000-a_b.toml_--set_x=1-seed-7"));
    }
}
