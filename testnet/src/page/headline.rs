//! What a page says first, as text that needs no script. Each figure carries its path in the report
//! and its exact value, so that a program can read it back.

use super::fill::text;
use crate::compare::{Comparison, Verdict};
use crate::report::{Report, Spread};

/// The title, the verdict and how it was run.
pub(super) fn head(report: &Report) -> String {
    let name = report.scenario.as_deref().unwrap_or("no scenario");
    let mut head = format!("<h1>{}</h1>\n", text(name));
    if let Some(description) = &report.description {
        head += &format!("<p class=\"lead\">{}</p>\n", text(description));
    }
    let (class, verdict) = if report.valid { ("good", "valid") } else { ("bad", "not valid") };
    head += &format!(
        "<p><span class=\"verdict {class}\" data-figure=\"valid\" data-value=\"{}\">{verdict}</span></p>\n",
        report.valid
    );
    head += "<ul class=\"facts\">\n";
    let seed = report.seed.map_or_else(|| "none".to_owned(), |seed| seed.to_string());
    let mut nodes = report.nodes.to_string();
    match report.mode.as_deref() {
        Some("in-process") => nodes += " in one process",
        Some("processes") => nodes += ", a process each",
        _ => {}
    }
    let mut facts = vec![
        ("nodes", nodes),
        ("seed", seed),
        ("measured over", format!("{:.3} s", report.window.length_us() as f64 / 1e6)),
        ("links", report.links.clone()),
        ("times", report.clock.clone()),
    ];
    if report.dilation > 1 {
        let slower = format!("{} times slower than real time, told undilated", report.dilation);
        facts.push(("ran", slower));
    }
    for (what, value) in facts {
        head += &format!("<li>{what} <b>{}</b></li>\n", text(&value));
    }
    head += "</ul>\n";
    if !report.valid {
        let reasons = report.invalid_reasons.iter();
        let reasons: String =
            reasons.map(|reason| format!("<li>{}</li>\n", text(reason))).collect();
        head += &format!(
            "<div class=\"alarm\" role=\"note\"><b class=\"bad\">These figures are not to be relied on</b>\
             <ul>{reasons}</ul></div>\n"
        );
    }
    head
}

/// One figure of a kind of message: its path below the kind, what it is called, its unit and value.
type Line = (&'static str, &'static str, &'static str, fn(&Spread) -> Option<f64>);

const LINES: [Line; 13] = [
    ("published", "published", "", |spread| Some(spread.published as f64)),
    ("coverage", "coverage", "%", |spread| spread.coverage),
    ("latency_ms.p50", "latency, median", "ms", |spread| spread.latency_ms.p50),
    ("latency_ms.p90", "latency, 90 %", "ms", |spread| spread.latency_ms.p90),
    ("latency_ms.p99", "latency, 99 %", "ms", |spread| spread.latency_ms.p99),
    ("latency_ms.max", "latency, greatest", "ms", |spread| spread.latency_ms.max),
    ("to_share_ms.100.p50", "time to all nodes, median", "ms", |spread| spread.to_share_ms.all.p50),
    ("to_share_ms.100.p99", "time to all nodes, 99 %", "ms", |spread| spread.to_share_ms.all.p99),
    ("stretch.connections.p50", "stretch over connections, median", "", |spread| {
        spread.stretch.connections.p50
    }),
    ("stretch.full.p50", "stretch over all, median", "", |spread| spread.stretch.full.p50),
    ("copies_per_node", "copies per delivery", "", |spread| spread.copies_per_node),
    ("wire_ratio", "wire ratio", "", |spread| spread.wire_ratio),
    ("hops.max", "hops, most", "", |spread| spread.hops.max.map(f64::from)),
];

/// Places in [`LINES`] that are shown large.
const LARGE: [usize; 6] = [1, 2, 4, 6, 8, 10];

/// The figures of both kinds.
pub(super) fn figures(report: &Report) -> String {
    let kinds =
        [("tx", "transactions", &report.tx.spread), ("block", "blocks", &report.block.spread)];
    let shown: Vec<_> = kinds.iter().filter(|(.., spread)| spread.published > 0).collect();
    let Some((kind, name, spread)) = shown.first() else {
        return "<p>No message was published within the window.</p>".to_owned();
    };
    let mut html = String::from("<div class=\"figures\">\n");
    for (path, what, unit, value) in LARGE.map(|line| LINES[line]) {
        let value = value(spread);
        html += &format!(
            "<div><b data-figure=\"{kind}.{path}\" data-value=\"{}\">{}</b><span>{what}, {name}</span>{}</div>\n",
            exact(value),
            shown_as(value, unit),
            remark(path)
        );
    }
    html += "</div>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"headline figures\">\
             <table><thead><tr><th></th>";
    for (_, name, _) in &shown {
        html += &format!("<th scope=\"col\">{name}</th>");
    }
    html += "</tr></thead><tbody>\n";
    for (path, what, unit, value) in LINES {
        html += &format!("<tr><th scope=\"row\">{what}{}</th>", remark(path));
        for (kind, _, spread) in &shown {
            let value = value(spread);
            html += &format!(
                "<td data-figure=\"{kind}.{path}\" data-value=\"{}\">{}</td>",
                exact(value),
                shown_as(value, unit)
            );
        }
        html += "</tr>\n";
    }
    html + "</tbody></table></div>\n"
}

/// Where a figure comes from, when it is not measured alone.
fn remark(path: &str) -> &'static str {
    if path.starts_with("stretch.") {
        " <small class=\"tag modelled\">measured; over modelled delays</small>"
    } else {
        ""
    }
}

/// What a comparison comes to, in sentences.
pub(super) fn comparison(comparison: &Comparison) -> String {
    let mut html = String::new();
    for line in comparison.sentences() {
        let class = match line.0 {
            Verdict::Real => "",
            Verdict::WithinNoise | Verdict::TooFew => " class=\"note\"",
        };
        html += &format!("<p{class}>{}</p>\n", text(&line.1));
    }
    html
}

/// The value as the report has it; nothing when it is absent.
fn exact(value: Option<f64>) -> String {
    value.map_or(String::new(), |value| value.to_string())
}

fn shown_as(value: Option<f64>, unit: &str) -> String {
    let Some(value) = value else { return "–".to_owned() };
    match unit {
        "%" => format!("{} <small>%</small>", digits(value * 100.0)),
        "" => digits(value),
        unit => format!("{} <small>{unit}</small>", digits(value)),
    }
}

/// Three digits that mean something, or the whole number where it has more.
fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        size if size == size.trunc() || size >= 1000.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 10.0 => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}
