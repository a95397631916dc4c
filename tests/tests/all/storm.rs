//! The kill -9 storm in its short form.

use hearsay_tests::{run, stdout};

#[test]
fn a_node_that_is_killed_fifty_times_in_every_phase_loses_nothing() {
    let output = run("hearsay-storm", ["--rounds", "54", "--seed", "7", "--limit-minutes", "5"]);
    let text = stdout(&output);
    let kills = text.lines().find_map(|line| line.strip_prefix("kills"));
    let kills = kills.and_then(|rest| rest.split(',').next()?.trim().parse().ok());
    assert!(kills.is_some_and(|kills: u64| kills >= 54), "{text}");
}
