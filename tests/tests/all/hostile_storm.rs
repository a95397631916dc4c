//! Every attack on a few nodes, in its short form: what they are owed but for the times.

use hearsay_tests::{run, stdout};

#[test]
fn five_nodes_under_every_attack_lose_nothing_honest_and_send_nobody_honest_away() {
    let arguments = ["--short", "--nodes", "5", "--seconds", "5", "--delay-ms", "20"];
    let text = stdout(&run("hostile_storm", arguments));
    assert!(text.contains("| pass |"), "{text}");
}
