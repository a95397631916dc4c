//! Pages: self-contained HTML files that need no network and ask for none.
//!
//! A page is a template with its style, its scripts and its data put in. What matters most is text
//! made here, readable without a script; the rest is drawn from the data by the scripts. The
//! templates are files of their own beside this one.

mod fill;
mod headline;

#[cfg(test)]
mod tests;

use serde::Serialize;
use serde_json::json;

use self::fill::{fill, json_for_script, text};
use crate::compare::Comparison;
use crate::report::Report;

const CSS: &str = include_str!("page.css");

/// What every page's script begins with.
const CORE: &str = include_str!("core.js");

/// `report.html`.
#[must_use]
pub fn report(report: &Report) -> String {
    let scripts = [
        CORE,
        include_str!("curves.js"),
        include_str!("ways.js"),
        include_str!("links.js"),
        include_str!("chain.js"),
        include_str!("run.js"),
        include_str!("members.js"),
        include_str!("report.js"),
    ];
    let name = report.scenario.as_deref().unwrap_or("no scenario");
    let title = format!("{name}: how it spread");
    let head = headline::head(report);
    let figures = headline::figures(report);
    let data = json!({ "report": report, "detail": report.detail });
    page(include_str!("report.html"), &title, &head, &figures, &scripts, &data)
}

/// `compare.html`.
#[must_use]
pub fn comparison(comparison: &Comparison) -> String {
    let scripts = [CORE, include_str!("compare.js")];
    let names: Vec<_> = comparison.variants.iter().map(|variant| &*variant.name).collect();
    let names = match &names[..] {
        [first, _, _, _, ..] => format!("{first} and {} other variants", names.len() - 1),
        few => few.join(" against "),
    };
    let title = format!("{names}: which differences are real");
    let head = format!("<h1>{}</h1>", text(&names));
    let figures = format!(
        "{}\n<figure>{}</figure>\n<pre>{}</pre>",
        headline::comparison(comparison),
        // In a page it needs no name for its vocabulary.
        comparison.picture().replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1),
        text(&comparison.table())
    );
    page(include_str!("compare.html"), &title, &head, &figures, &scripts, comparison)
}

fn page(
    template: &str,
    title: &str,
    head: &str,
    headline: &str,
    scripts: &[&str],
    data: &impl Serialize,
) -> String {
    let footer = format!("Made by hearsay-testnet {}.", env!("CARGO_PKG_VERSION"));
    fill(
        template,
        &[
            ("title", &text(title)),
            ("css", CSS),
            ("head", head),
            ("headline", headline),
            ("footer", &footer),
            ("data", &json_for_script(data)),
            // Each has its own `'use strict'`, which is only one at the beginning of a function or a
            // script; the first one holds for all.
            ("js", &scripts.concat()),
        ],
    )
}
