//! The trade that all variants offer, side by side: what each pays in copies and bytes, and how soon its
//! transactions are everywhere. As a table, and as a picture of copies against latency.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::stats::median;
use super::{Comparison, FIGURES, VariantRuns};

/// Columns of the table: the figure's path, its heading, and its decimals.
const COLUMNS: [(&str, &str, usize); 5] = [
    ("tx.coverage", "coverage", 4),
    ("tx.copies_per_node", "copies", 3),
    ("tx.latency_ms.p50", "p50, ms", 1),
    ("tx.latency_ms.p99", "p99, ms", 1),
    ("wire.ratio", "wire", 2),
];

/// The picture's size and margins in pixels; it is wider where names need it.
const WIDTH: f64 = 860.0;
const PLOT: f64 = 520.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 58.0;
const TOP: f64 = 18.0;
const BOTTOM: f64 = 46.0;

/// The distance of two lines of the legend, and of a number from its point.
const LINE: f64 = 18.0;
const NEAR: f64 = 11.0;

/// Where the legend begins, right of the plot, and what a character of it takes at most: common fonts
/// have digits and letters of about half their size, which is 12.
const LEGEND: f64 = PLOT + 24.0;
const CHARACTER: f64 = 7.5;

/// One variant: medians over its runs.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    /// What sets it apart from the others.
    name: String,
    /// Runs that count, and all.
    valid: (usize, usize),
    /// In the order of [`COLUMNS`].
    figures: [Option<f64>; 5],
}

impl Row {
    /// Over the runs that count; over all if none does, which the table then says.
    fn of(variant: &VariantRuns, name: String) -> Self {
        let valid = variant.runs.iter().filter(|run| run.unusable.is_empty()).count();
        let figures = COLUMNS.map(|(path, ..)| {
            let place = FIGURES.iter().position(|figure| figure.path == path)?;
            let runs = variant.runs.iter().filter(|run| valid == 0 || run.unusable.is_empty());
            median(runs.filter_map(|run| *run.figures.get(place)?).collect())
        });
        Self { name, valid: (valid, variant.runs.len()), figures }
    }

    fn is_invalid(&self) -> bool {
        self.valid.0 == 0
    }

    /// Its line in the legend.
    fn legend(&self, number: i32) -> String {
        let note = if self.is_invalid() { " (no run counts)" } else { "" };
        format!("{number} {}{note}", self.name)
    }

    /// Copies and the 99th percentile, if both are there.
    fn point(&self) -> Option<(f64, f64)> {
        Some((self.figures[1]?, self.figures[3]?))
    }
}

/// The names without the words that all of them have, and without the tables that settings are in,
/// unless that makes two of them the same.
fn names(variants: &[VariantRuns]) -> Vec<String> {
    let names = words_apart(variants);
    let short: Vec<_> = names.iter().map(|name| without_tables(name)).collect();
    let distinct = |names: &[String]| names.iter().collect::<BTreeSet<_>>().len();
    if distinct(&short) == distinct(&names) { short } else { names }
}

/// `gossip.mesh=2` is `mesh=2`.
fn without_tables(name: &str) -> String {
    let word = |word: &str| match word.split_once('=') {
        Some((key, value)) => {
            let key = key.rsplit_once('.').map_or(key, |(_, last)| last);
            format!("{key}={value}")
        }
        None => word.to_owned(),
    };
    name.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn words_apart(variants: &[VariantRuns]) -> Vec<String> {
    let common = |word: &str| variants.iter().all(|it| it.name.split(' ').any(|one| one == word));
    let short = |it: &VariantRuns| {
        let apart: Vec<_> = it.name.split(' ').filter(|word| !common(word)).collect();
        if apart.is_empty() { it.name.clone() } else { apart.join(" ") }
    };
    variants.iter().map(short).collect()
}

fn rows(comparison: &Comparison) -> Vec<Row> {
    let names = names(&comparison.variants);
    comparison.variants.iter().zip(names).map(|(variant, name)| Row::of(variant, name)).collect()
}

/// The table, for a terminal.
pub(super) fn table(comparison: &Comparison) -> String {
    let rows = rows(comparison);
    let widest = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0).max(7);
    let mut text = format!("{:>3} {:<widest$}", "", "variant");
    for (_, heading, _) in COLUMNS {
        let _ = write!(text, "{heading:>11}");
    }
    text += "  runs that count\n";
    for (row, number) in rows.iter().zip(1..) {
        let _ = write!(text, "{number:>3} {:<widest$}", row.name);
        for (figure, (_, _, decimals)) in row.figures.iter().zip(COLUMNS) {
            let cell = figure.map_or_else(|| "-".to_owned(), |it| format!("{it:.decimals$}"));
            let _ = write!(text, "{cell:>11}");
        }
        let (valid, all) = row.valid;
        let _ = writeln!(text, "  {valid} of {all}");
    }
    text
}

/// Copies of a transaction against the 99th percentile of its latency (on a logarithmic scale), a
/// number for each variant. What counts for nothing is hollow.
pub(super) fn picture(comparison: &Comparison) -> String {
    let rows = rows(comparison);
    let points: Vec<_> = rows.iter().filter_map(Row::point).collect();
    let most = |value: fn(&(f64, f64)) -> f64| points.iter().map(value).fold(0.0, f64::max);
    let least = points.iter().map(|point| point.1).fold(f64::INFINITY, f64::min).max(0.001);
    let (copies, slowest) =
        (most(|it| it.0).max(1.0) * 1.08, most(|it| it.1).max(least * 1.5) * 1.2);
    let fastest = least / 1.2;
    let longest =
        rows.iter().zip(1..).map(|(row, number)| row.legend(number).chars().count()).max();
    let width = WIDTH.max(LEGEND + CHARACTER * longest.unwrap_or(0) as f64);
    let height = HEIGHT.max(TOP + LINE * (rows.len() as f64 + 1.0));
    let (right, floor) = (PLOT, height - BOTTOM);
    let x = |value: f64| LEFT + (right - LEFT) * value / copies;
    let y = |value: f64| floor - (floor - TOP) * (value / fastest).ln() / (slowest / fastest).ln();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"copies against latency\" font-family=\"system-ui, sans-serif\" font-size=\"12\" \
         fill=\"#808080\">\n"
    );
    for value in (0..).map(f64::from).take_while(|value| *value <= copies) {
        let at = x(value);
        let _ = writeln!(
            svg,
            "<path d=\"M{at:.1} {TOP}V{floor:.1}\" stroke=\"#80808040\"/>\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{value}</text>",
            floor + 16.0
        );
    }
    for value in marks(fastest, slowest) {
        let at = y(value);
        let _ = writeln!(
            svg,
            "<path d=\"M{LEFT} {at:.1}H{right:.1}\" stroke=\"#80808040\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
            LEFT - 6.0,
            at + 4.0
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">copies of a transaction a node</text>\
         <text transform=\"translate(13 {:.1}) rotate(-90)\" text-anchor=\"middle\">latency, 99 %, ms</text>",
        f64::midpoint(LEFT, right),
        height - 8.0,
        f64::midpoint(TOP, floor)
    );
    let mut taken: Vec<(f64, f64)> = Vec::new();
    for (row, number) in rows.iter().zip(1..) {
        let line = TOP + LINE * f64::from(number);
        let (name, legend) = (escape(&row.name), escape(&row.legend(number)));
        let _ = writeln!(svg, "<text x=\"{LEGEND:.1}\" y=\"{line:.1}\">{legend}</text>");
        let Some((one, other)) = row.point() else { continue };
        let (at, of) = (x(one), y(other));
        let fill = if row.is_invalid() { "none" } else { "#2f7ed8" };
        let (beside, below) = place(&mut taken, at, of);
        let _ = writeln!(
            svg,
            "<circle cx=\"{at:.1}\" cy=\"{of:.1}\" r=\"4\" fill=\"{fill}\" stroke=\"#2f7ed8\">\
             <title>{name}: {one:.3} copies, {other:.1} ms</title></circle>\
             <text x=\"{beside:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{number}</text>",
            below + 4.0
        );
    }
    svg + "</svg>\n"
}

/// A place for a point's number where no other number is yet.
fn place(taken: &mut Vec<(f64, f64)>, x: f64, y: f64) -> (f64, f64) {
    let around = (1..=8).flat_map(|ring| {
        let far = NEAR * f64::from(ring);
        [(far, 0.0), (0.0, -far), (-far, 0.0), (0.0, far), (far, -far), (-far, -far), (far, far)]
    });
    let places = around.map(|(right, down)| (x + right, y + down));
    let free = |at: &(f64, f64)| {
        taken.iter().all(|it| (it.0 - at.0).abs() > 15.0 || (it.1 - at.1).abs() > NEAR)
    };
    let found = places.clone().find(free).unwrap_or((x + NEAR, y));
    taken.push(found);
    found
}

/// Round numbers between two on a logarithmic scale: 1, 2 and 5 of each power of ten.
fn marks(least: f64, most: f64) -> impl Iterator<Item = f64> {
    let from = least.log10().floor() as i32;
    (from..=most.log10().ceil() as i32)
        .flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(power)))
        .filter(move |value| (least..=most).contains(value))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::{Options, RunFigures};
    use super::*;

    fn variant(name: &str, runs: &[(f64, f64, bool)]) -> VariantRuns {
        let run = |(turn, (copies, p99, valid)): (usize, &(f64, f64, bool))| {
            let mut figures = vec![None; FIGURES.len()];
            for (path, value) in [("tx.copies_per_node", copies), ("tx.latency_ms.p99", p99)] {
                let place = FIGURES.iter().position(|it| it.path == path).unwrap();
                figures[place] = Some(*value);
            }
            let unusable = if *valid { vec![] } else { vec!["it was late".to_owned()] };
            RunFigures { seed: 1, turn: turn as u32, dir: String::new(), unusable, figures }
        };
        VariantRuns { name: name.to_owned(), runs: runs.iter().enumerate().map(run).collect() }
    }

    fn three() -> Comparison {
        let variants = vec![
            variant("spread mesh=2 lazy=true", &[(1.3, 800.0, true), (1.5, 820.0, true)]),
            variant("spread mesh=6 lazy=true", &[(4.9, 180.0, true), (9.0, 900.0, false)]),
            variant("spread mesh=8 lazy=true", &[(5.2, 190.0, false)]),
        ];
        Comparison::of(Options { repeats: 2, seed: 1 }, variants, false)
    }

    #[test]
    fn the_table_has_a_line_for_each_variant_named_by_what_sets_it_apart() {
        let table = table(&three());
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 4, "{table}");
        assert!(lines[1].contains("mesh=2 ") && !table.contains("lazy"), "{table}");
        assert!(lines[1].contains("1.400") && lines[1].ends_with("2 of 2"), "{table}");
    }

    #[test]
    fn settings_are_named_without_their_tables_unless_two_would_be_the_same() {
        let named = |of: &[&str]| names(&of.iter().map(|it| variant(it, &[])).collect::<Vec<_>>());
        let short = named(&["a gossip.mesh=2 gossip.rate=1.5", "a gossip.mesh=6 gossip.rate=2.5"]);
        assert_eq!(short, ["mesh=2 rate=1.5", "mesh=6 rate=2.5"]);
        let clash = named(&["a load.rate=2", "a gossip.rate=2"]);
        assert_eq!(clash, ["load.rate=2", "gossip.rate=2"]);
        assert_eq!(named(&["one.toml", "two.toml"]), ["one.toml", "two.toml"]);
    }

    #[test]
    fn the_picture_is_as_wide_as_its_longest_name_needs() {
        let width = |name: &str| {
            let runs = vec![variant(name, &[(1.0, 9.0, true)]), variant("b", &[(2.0, 9.0, true)])];
            let picture = picture(&Comparison::of(Options { repeats: 1, seed: 1 }, runs, false));
            let (_, after) = picture.split_once("viewBox=\"0 0 ").expect("a size");
            after.split(' ').next().and_then(|width| width.parse::<f64>().ok()).expect("a width")
        };
        assert!((width("a") - WIDTH).abs() < 1e-9);
        // Its number, a space and ninety characters.
        let wide = width(&"x".repeat(90));
        assert!((wide - (LEGEND + CHARACTER * 92.0)).abs() < 1e-9, "{wide}");
    }

    #[test]
    fn runs_that_do_not_count_are_left_out_and_shown_only_where_there_are_no_others() {
        let table = table(&three());
        assert!(table.lines().nth(2).unwrap().contains("180.0"), "{table}");
        let third = table.lines().nth(3).unwrap();
        assert!(third.contains("190.0") && third.ends_with("0 of 1"), "{table}");
        let picture = picture(&three());
        assert_eq!(picture.matches("fill=\"none\"").count(), 1);
        assert_eq!(picture.matches("no run counts").count(), 1);
    }

    #[test]
    fn numbers_of_points_at_one_place_do_not_lie_on_each_other() {
        let mut taken = Vec::new();
        let places: Vec<_> = (0..12).map(|_| place(&mut taken, 100.0, 100.0)).collect();
        for (at, one) in places.iter().enumerate() {
            for other in &places[at + 1..] {
                assert!((one.0 - other.0).abs() > 15.0 || (one.1 - other.1).abs() > NEAR);
            }
        }
    }

    #[test]
    fn names_cannot_break_the_picture_and_an_empty_comparison_has_one() {
        let mut odd = three();
        odd.variants[0].name = "a<b&c".to_owned();
        assert!(picture(&odd).contains("a&lt;b&amp;c"));
        assert!(
            picture(&Comparison::of(Options { repeats: 0, seed: 1 }, vec![], true))
                .ends_with("</svg>\n")
        );
    }
}
