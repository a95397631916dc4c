//! The blocks one by one.

use hearsay_node::trace::event::Event;
use hearsay_node::trace::event::Kind::Block;

use super::*;

const S: i64 = 1_000_000;

/// Blocks 1 and 3 at height 1 on the genesis, made by n0 and n1 at 2 s and 2.1 s; both nodes come to
/// have 1, which is the smaller id.
fn fork() -> Lab {
    let mut lab = Lab::new(2);
    lab.publish("n0", 2 * S, Block, 1).tip("n0", 2 * S, 1, 1, 0, 0);
    lab.stored("n0", 2 * S, 1, 1, 0, 40);
    let later = 2 * S + 100_000;
    lab.publish("n1", later, Block, 3)
        .tip("n1", later, 3, 1, 0, 0)
        .stored("n1", later, 3, 1, 0, 50);
    lab.receive("n0", later + 60_000, Block, 3, "n1").stored("n0", later + 61_000, 3, 1, 0, 60);
    lab.receive("n1", later + 30_000, Block, 1, "n0");
    lab.stored("n1", later + 31_000, 1, 1, 0, 70).tip("n1", later + 32_000, 1, 1, 3, 1);
    lab
}

#[test]
fn each_block_has_its_place_and_its_times_and_is_on_the_chain_or_beside_it() {
    let report = fork().report();
    let line = &report.block.time_line;
    let one =
        |ms| Summary { p50: Some(ms), p90: Some(ms), p95: Some(ms), p99: Some(ms), max: Some(ms) };
    let first = BlockRow {
        id: id(1),
        height: Some(1),
        slot: Some(1),
        parent: Some(id(0)),
        proposer: Some("01".to_owned()),
        node: Some("n0".to_owned()),
        at_us: testing::EPOCH_US + 2 * S,
        first_seen_ms: Some(130.0),
        tip_ms: Summary { p50: Some(0.0), ..one(132.0) },
        tips: 2,
        transactions: Some(3),
        bytes: 100,
        stale: Some(false),
        counted: true,
    };
    let second = BlockRow {
        id: id(3),
        slot: Some(3),
        proposer: Some("03".to_owned()),
        node: Some("n1".to_owned()),
        at_us: testing::EPOCH_US + 2 * S + 100_000,
        first_seen_ms: Some(60.0),
        tip_ms: one(0.0),
        tips: 1,
        stale: Some(true),
        ..first.clone()
    };
    assert_eq!(line, &[first, second]);
    assert_eq!((report.block.forks.stale, report.block.forks.max_reorg), (Some(1), 1));
    assert_eq!(report.block.spread.stages.store_ms, Pair { p50: Some(0.05), p99: Some(0.07) });
    let stored = report.block.spread.where_time_went[0].store_ms;
    assert_eq!(stored, Some((0.07 + 0.06) / 2.0));
}

/// Node `node` puts block `byte` of 1,000 bytes together.
fn rebuild(lab: &mut Lab, node: &str, us: i64, byte: u8, of: [u64; 3], compact_bytes: u64) {
    let [from_pool, carried, fetched] = of;
    let event = Event::Rebuilt {
        kind: Block,
        id: id(byte),
        from_pool,
        carried,
        fetched,
        compact_bytes,
        full_bytes: 1_000,
        took_us: 5,
    };
    lab.event(node, us, event);
}

#[test]
fn what_came_from_pools_and_how_small_the_messages_were_is_summed_over_blocks_and_nodes() {
    let mut lab = Lab::new(3);
    assert_eq!(lab.report().block.rebuilt_share, None);
    lab.publish("n0", 2 * S, Block, 1).publish("n0", 3 * S, Block, 2);
    rebuild(&mut lab, "n1", 2 * S + 100, 1, [8, 1, 1], 100);
    rebuild(&mut lab, "n2", 2 * S + 200, 1, [10, 0, 0], 60);
    rebuild(&mut lab, "n1", 3 * S + 100, 2, [0, 0, 20], 200);
    // One that nobody here published does not count, and neither does the same one again.
    rebuild(&mut lab, "n2", 3 * S + 100, 9, [0, 0, 90], 900);
    rebuild(&mut lab, "n2", 4 * S, 1, [0, 0, 10], 900);
    let report = lab.report();
    assert_eq!(report.block.rebuilt_share, Some(18.0 / 40.0));
    assert_eq!(report.block.compact_ratio, Some(360.0 / 3_000.0));
    let text = report.to_text();
    assert!(
        text.contains("12.0 % of their size; 45.0 % of their transactions from pools"),
        "{text}"
    );
}

#[test]
fn a_block_whose_parent_was_nobody_s_tip_is_placed_by_the_line_that_names_its_parent() {
    let mut lab = Lab::new(2);
    for (byte, height) in [(1, 1), (2, 2)] {
        lab.publish("n0", i64::from(byte) * S, Block, byte);
        lab.stored("n1", i64::from(byte) * S + 1_000, byte, height, byte - 1, 5);
    }
    // Both nodes jump over block 1 to block 2.
    for node in ["n0", "n1"] {
        lab.tip(node, 3 * S, 2, 2, 0, 0);
    }
    let report = lab.report();
    let stale: Vec<_> = report.block.time_line.iter().map(|block| block.stale).collect();
    assert_eq!(stale, [Some(false), Some(false)]);
}

#[test]
fn a_block_that_nobody_here_published_is_shown_from_its_first_receipt_and_does_not_count() {
    let mut lab = Lab::new(2);
    lab.receive("n1", 2 * S, Block, 1, "elsewhere").tip("n1", 2 * S + 3_000, 1, 1, 0, 0);
    let line = lab.report().block.time_line;
    assert_eq!((line.len(), line[0].node.as_deref(), line[0].counted), (1, None, false));
    assert_eq!(line[0].tip_ms.p50, Some(3.0));
}
