//! Whole scenarios: what they come to, and what is said of wrong ones.

mod plans;
mod refused;
mod sets;
mod shipped;

use super::{LabPlan, Problem, Scenario};

/// A small scenario with `more` after it.
fn text(more: &str) -> String {
    format!("name = \"t\"\nduration = \"30s\"\n[nodes]\ncount = 8\n{more}")
}

fn parse(text: &str) -> Scenario {
    Scenario::parse(text, "t.toml").unwrap_or_else(|problems| panic!("{text}\n{problems:#?}"))
}

fn plan(more: &str) -> LabPlan {
    parse(&text(more)).layout()
}

/// What is said of a wrong scenario, line by line.
fn told(text: &str) -> Vec<String> {
    let problems = Scenario::parse(text, "t.toml").expect_err(text);
    problems.iter().map(Problem::to_string).collect()
}
