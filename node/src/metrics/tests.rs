//! What is counted, as Prometheus reads it.

use super::*;

fn assert_line(metrics: &Metrics, line: &str) {
    let text = metrics.encode();
    assert!(text.lines().any(|found| found == line), "no line {line:?} in:\n{text}");
}

#[test]
fn what_happened_is_counted_under_its_labels() {
    let metrics = Metrics::new();
    metrics.verdict("tx", Verdict::Accept, "");
    metrics.verdict("tx", Verdict::Reject, "bad-signature");
    metrics.verdict("tx", Verdict::Reject, "bad-signature");
    metrics.copy("block", true, 1_000);
    metrics.copy("block", false, 500);
    metrics.published("tx");
    metrics.dropped("gossip", "full", 3);
    metrics.foreign_peer();
    metrics.reconciled(true, 20, 600, (3, 2));
    metrics.reconciled(false, 4, 117, (0, 0));
    metrics.signatures_checked(128);
    metrics.rpc_call("tx_submit", "ok");
    for line in [
        "hearsay_verdicts_total{kind=\"tx\",verdict=\"accept\",reason=\"\"} 1",
        "hearsay_verdicts_total{kind=\"tx\",verdict=\"reject\",reason=\"bad-signature\"} 2",
        "hearsay_copies_total{kind=\"block\",copy=\"first\"} 1",
        "hearsay_copies_total{kind=\"block\",copy=\"later\"} 1",
        "hearsay_payload_bytes_total{kind=\"block\"} 1500",
        "hearsay_published_total{kind=\"tx\"} 1",
        "hearsay_dropped_total{place=\"gossip\",reason=\"full\"} 3",
        "hearsay_foreign_peers_total 1",
        "hearsay_reconciliations_total{result=\"different\"} 1",
        "hearsay_reconciliation_symbols_total 24",
        "hearsay_reconciliation_bytes_total 717",
        "hearsay_reconciliation_transactions_total{way=\"given\"} 2",
        "hearsay_signatures_checked_total 128",
        "hearsay_rpc_calls_total{method=\"tx_submit\",outcome=\"ok\"} 1",
    ] {
        assert_line(&metrics, line);
    }
}

#[test]
fn what_was_gossiped_is_shown_as_totals_by_way_and_traffic() {
    let metrics = Metrics::new();
    let sent = Tally { eager: 3, eager_bytes: 600, control_bytes: 90, ..Tally::default() };
    let received = Tally { lazy: 1, lazy_bytes: 200, ..Tally::default() };
    metrics.gossip_totals(&sent, &received);
    metrics.gossip_totals(&sent, &received);
    for line in [
        "hearsay_gossip_copies_total{way=\"sent\",traffic=\"eager\"} 3",
        "hearsay_gossip_bytes_total{way=\"sent\",traffic=\"control\"} 90",
        "hearsay_gossip_bytes_total{way=\"received\",traffic=\"lazy\"} 200",
    ] {
        assert_line(&metrics, line);
    }
}

#[test]
fn gauges_show_the_last_value() {
    let metrics = Metrics::new();
    metrics.peers(7);
    metrics.peers(5);
    metrics.heights(20, 17);
    metrics.sync_target(Some(40));
    metrics.halted(true);
    metrics.pool(&MempoolStatus {
        count: 3,
        bytes: 750,
        queued: 1,
        memory: 1_500,
        local: 2,
        unbroadcast: 1,
        min_fee_per_kb: 9,
        ..Default::default()
    });
    for line in [
        "hearsay_peers 5",
        "hearsay_height 20",
        "hearsay_final_height 17",
        "hearsay_sync_target_height 40",
        "hearsay_halted 1",
        "hearsay_mempool_count 3",
        "hearsay_mempool_bytes 750",
        "hearsay_mempool_queued 1",
        "hearsay_mempool_memory_bytes 1500",
        "hearsay_mempool_local 2",
        "hearsay_mempool_unbroadcast 1",
        "hearsay_mempool_min_fee_per_kb 9",
    ] {
        assert_line(&metrics, line);
    }
    metrics.sync_target(None);
    assert_line(&metrics, "hearsay_sync_target_height 0");
}

#[test]
fn the_wire_counters_follow_the_totals_and_never_step_back() {
    let metrics = Metrics::new();
    metrics.wire_totals(100, 50);
    metrics.wire_totals(90, 60);
    assert_line(&metrics, "hearsay_wire_sent_bytes_total 100");
    assert_line(&metrics, "hearsay_wire_received_bytes_total 60");
}

#[test]
fn the_time_to_a_verdict_is_split_by_stage() {
    let metrics = Metrics::new();
    metrics.verdict_time("tx", Duration::from_millis(3), Duration::from_micros(100));
    let le = |stage, bound| {
        format!("hearsay_verdict_seconds_bucket{{le=\"{bound}\",kind=\"tx\",stage=\"{stage}\"}}")
    };
    assert_line(&metrics, &format!("{} 0", le("queue", "0.002")));
    assert_line(&metrics, &format!("{} 1", le("queue", "0.004")));
    assert_line(&metrics, &format!("{} 1", le("check", "0.00012")));
}

#[test]
fn the_text_names_the_version_and_ends_as_openmetrics_asks() {
    let text = Metrics::new().encode();
    assert!(text.contains(concat!("version=\"", env!("CARGO_PKG_VERSION"), "\"")), "{text}");
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn the_membership_is_counted_by_state_way_and_reason() {
    use hearsay_network::members::{Cause, Load, MemberView, Role, State};

    use crate::api::{MemberRefusals, MemberStats, MemberTraffic};

    let view = |number: u8, state| MemberView {
        peer: hearsay_network::peer_id(&[number; 32]),
        name: String::new(),
        role: Role::Relay,
        version: String::new(),
        addresses: Vec::new(),
        generation: 1,
        incarnation: 0,
        state,
        since: Duration::ZERO,
        load: Some((Load::default(), Duration::ZERO)),
        rtt: None,
        neighbour: false,
        own: number == 1,
    };
    let members = [view(1, State::Alive), view(2, State::Alive), view(3, State::Down(Cause::Link))];
    let stats = MemberStats {
        sent: MemberTraffic { frames: 5, bytes: 700 },
        probes: 10,
        probes_failed: 1,
        suspicions: 2,
        refuted: 1,
        false_positives: 1,
        refused: MemberRefusals { forged: 4, ..MemberRefusals::default() },
        ..MemberStats::default()
    };
    let metrics = Metrics::new();
    metrics.members(&members, &stats, &[Duration::from_millis(3)]);
    metrics.members(&members, &stats, &[]);
    for line in [
        "hearsay_members{state=\"alive\"} 2",
        "hearsay_members{state=\"suspect\"} 0",
        "hearsay_members{state=\"down\"} 1",
        "hearsay_member_frames_total{way=\"sent\"} 5",
        "hearsay_member_traffic_bytes_total{way=\"sent\"} 700",
        "hearsay_member_probes_total{result=\"answered\"} 9",
        "hearsay_member_probes_total{result=\"failed\"} 1",
        "hearsay_member_probe_seconds_count 1",
        "hearsay_member_suspicions_total 2",
        "hearsay_member_refutations_total{of=\"others\"} 1",
        "hearsay_member_false_positives_total 1",
        "hearsay_member_refused_total{reason=\"forged\"} 4",
        "hearsay_member_health 0",
    ] {
        assert_line(&metrics, line);
    }
}
