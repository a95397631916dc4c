//! A comparison for people.

use crate::report::fold;

use super::{Against, Better, Comparison, Difference, Interval, LEAST_PAIRS, Verdict};

/// The longest line of words; those of the table are of its own width.
const COLUMNS: usize = 100;

/// Of so many figures without a difference, one is called different by chance.
const BY_CHANCE: usize = 20;

impl Comparison {
    /// As text for a terminal.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        if self.stopped {
            text += "interrupted: only what was run until then is compared\n\n";
        }
        for against in &self.against {
            text += &against.to_text();
            text.push('\n');
        }
        text += &self.table();
        text
    }

    /// What it comes to, in sentences: what is real first.
    #[must_use]
    pub fn sentences(&self) -> Vec<(Verdict, String)> {
        let mut sentences = Vec::new();
        if self.stopped {
            let stopped = "It was interrupted: only what was run until then is compared.";
            sentences.push((Verdict::TooFew, stopped.to_owned()));
        }
        for against in &self.against {
            sentences.extend(against.sentences());
        }
        sentences
    }
}

impl Against {
    fn to_text(&self) -> String {
        let Against { base, variant, pairs, left_out, .. } = self;
        let mut text =
            format!("{variant} (B) against {base} (A): {pairs} pairs of runs with the same seed\n");
        for why in left_out {
            text += &fold(&format!("  left out: {why}"), COLUMNS);
            text.push('\n');
        }
        text.push('\n');
        text += &row("", ["A", "B", "B - A", "relative", "95 % interval"].map(str::to_owned), "");
        for one in &self.differences {
            let name = match &*one.unit {
                "" => one.what.clone(),
                unit => format!("{}, {unit}", one.what),
            };
            let relative = one.relative.map(|share| format!("{:+.1} %", share * 100.0));
            let cells = [
                digits(one.base),
                digits(one.variant),
                signed(one.difference),
                relative.unwrap_or_else(|| "-".to_owned()),
                one.interval.map_or_else(|| "-".to_owned(), |interval| words(&interval)),
            ];
            text += &row(&name, cells, one.words());
        }
        text.push('\n');
        for (verdict, sentence) in self.sentences() {
            if verdict != Verdict::Real {
                text += &fold(&sentence, COLUMNS);
                text.push('\n');
            }
        }
        text
    }

    fn sentences(&self) -> Vec<(Verdict, String)> {
        let with = |verdict| self.differences.iter().filter(move |one| one.verdict == verdict);
        let (base, variant) = (&self.base, &self.variant);
        if self.pairs == 0 {
            let none = match self.left_out.len() {
                0 => format!(
                    "No pair of {base} and {variant} was run, so there is nothing to compare."
                ),
                1 => format!(
                    "The only pair of {base} and {variant} was left out, so there is nothing to compare."
                ),
                all => format!(
                    "All {all} pairs of {base} and {variant} were left out, so there is nothing to compare."
                ),
            };
            return vec![(Verdict::TooFew, none)];
        }
        let mut sentences: Vec<_> = with(Verdict::Real)
            .map(|one| {
                let interval = one.interval.map_or(String::new(), |interval| words(&interval));
                let unit = if one.unit.is_empty() { "" } else { " " };
                let sentence = format!(
                    "{variant} is {} than {base}: {}, {}{unit}{} (95 % interval {interval}).",
                    one.words(),
                    one.what,
                    signed(one.difference),
                    one.unit,
                );
                (Verdict::Real, sentence)
            })
            .collect();
        let names = |verdict| with(verdict).map(|one| &*one.what).collect::<Vec<_>>().join(", ");
        let noise = names(Verdict::WithinNoise);
        if !noise.is_empty() {
            let sentence = format!("Within noise, {variant} against {base}: {noise}.");
            sentences.push((Verdict::WithinNoise, sentence));
        }
        if with(Verdict::TooFew).next().is_some() {
            let pairs = self.pairs;
            let sentence = format!(
                "Fewer than {LEAST_PAIRS} pairs ({pairs}) are too few to tell a difference from noise: {}.",
                names(Verdict::TooFew)
            );
            sentences.push((Verdict::TooFew, sentence));
        } else if !self.differences.is_empty() {
            let chance = format!(
                "Where nothing differs, about one figure in {BY_CHANCE} is called different all the \
                 same; repeat what matters with other seeds."
            );
            sentences.push((Verdict::WithinNoise, chance));
        }
        sentences
    }
}

/// One line of the table: a name, five figures, and what is to be made of them.
fn row(
    name: &str,
    [base, variant, difference, relative, interval]: [String; 5],
    verdict: &str,
) -> String {
    let line = format!(
        "{name:<30}{base:>9}{variant:>9}{difference:>10}{relative:>10}{interval:>20}  {verdict}"
    );
    line.trim_end().to_owned() + "\n"
}

impl Difference {
    fn words(&self) -> &'static str {
        let lower = self.difference < 0.0;
        match (self.verdict, self.better) {
            (Verdict::TooFew, _) => "too few pairs",
            (Verdict::WithinNoise, _) if self.difference == 0.0 => "within noise: the same",
            (Verdict::WithinNoise, _) => "within noise",
            (Verdict::Real, Better::Lower) => {
                if lower {
                    "better"
                } else {
                    "worse"
                }
            }
            (Verdict::Real, Better::Higher) => {
                if lower {
                    "worse"
                } else {
                    "better"
                }
            }
        }
    }
}

fn words(interval: &Interval) -> String {
    format!("{} to {}", signed(interval.low), signed(interval.high))
}

fn signed(value: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else {
        format!("{}{}", if value > 0.0 { "+" } else { "-" }, digits(value.abs()))
    }
}

/// Four digits that mean something, or the whole number where it has more.
fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        0.0 => 0,
        size if size >= 1000.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 10.0 => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}
