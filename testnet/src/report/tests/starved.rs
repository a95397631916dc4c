//! A node that was starved.

use serde_json::json;

use super::*;

#[test]
fn the_lag_of_a_starved_node_is_not_the_machine_s_and_it_is_as_alive_as_all_others() {
    const S: i64 = 1_000_000;
    let mut lab = Lab::new(2);
    for second in 1..10 {
        lab.lag("n0", second * S, [10, 20, 30]);
        let starved = (3..=6).contains(&second);
        lab.lag("n1", second * S, if starved { [40_000, 90_000, 99_000] } else { [10, 20, 30] });
    }
    lab.publish("n0", 4 * S, Kind::Tx, 0xaa).receive("n1", 4 * S + 90_000, Kind::Tx, 0xaa, "n0");
    let [from, until] = [2 * S, 5 * S].map(|at| testing::EPOCH_US + at);
    let starved = json!({"node": "n1", "share": 0.1, "from_us": from, "until_us": until});
    lab.manifest(&json!({"lag_limit_us": 20_000, "starved": [starved]}).to_string());
    let report = lab.report();
    assert_eq!((report.lag.p99_us, report.lag.ok), (Some(20), Some(true)));
    assert_eq!((report.tx.spread.expected, report.tx.spread.delivered), (1, 1));
}
