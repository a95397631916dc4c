//! The kill -9 storm in its short form.

use hearsay_tests::{run, stdout};

#[test]
fn a_node_that_is_killed_fifty_times_in_every_phase_loses_nothing() {
    let output = run("hearsay-storm", ["--rounds", "54", "--seed", "7", "--limit-minutes", "5"]);
    let text = stdout(&output);
    assert!(text.contains("kills            54"), "{text}");
    println!("{text}");
}
