//! The report for other programs.

use hearsay_node::trace::event::Kind::{Block, Tx};

use super::*;

#[test]
fn csv_has_one_row_for_each_delivery() {
    let mut lab = Lab::new(3);
    lab.publish("n0", 1_000_000, Tx, 1);
    lab.receive("n1", 1_010_000, Tx, 1, "n0").accept("n1", 1_011_000, Tx, 1, 30, 40);
    lab.duplicate("n1", 1_012_000, Tx, 1, "n2").receive("n2", 1_020_000, Tx, 1, "else,where");
    lab.publish("n2", 2_000_000, Block, 2).receive("n0", 2_000_007, Block, 2, "n2");
    let mut out = Vec::new();
    csv(lab.write().path(), &mut out).expect("logs");
    let (tx, block) = (id(1), id(2));
    let at = testing::EPOCH_US;
    let expected = format!(
        "{CSV_COLUMNS}\n\
         tx,{tx},100,n0,{0},n1,n0,gossip,1,10000,2,accept,30,40\n\
         tx,{tx},100,n0,{0},n2,\"12D3KooWelse,where\",gossip,,20000,1,,,\n\
         block,{block},100,n2,{1},n0,n2,gossip,1,7,1,,,\n",
        at + 1_000_000,
        at + 2_000_000,
    );
    assert_eq!(String::from_utf8(out).expect("text"), expected);
    let columns = CSV_COLUMNS.split(',').count();
    assert!(
        expected
            .lines()
            .filter(|line| !line.contains('"'))
            .all(|line| { line.split(',').count() == columns })
    );
}

#[test]
fn every_metric_of_prometheus_has_its_head_once_and_every_label_is_escaped() {
    let mut report = super::spreading::line().report();
    report.scenario = Some("a \"quoted\"\\one\nin two lines".to_owned());
    report.asserts = vec![Assert { name: "coverage".to_owned(), ok: true, ..Assert::default() }];
    let text = prometheus(&report);
    let mut heads = Vec::new();
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("# HELP ") {
            heads.push(head.split(' ').next().expect("a name").to_owned());
        } else if let Some(typed) = line.strip_prefix("# TYPE ") {
            let name = heads.last().expect("HELP comes first");
            assert_eq!(typed, format!("{name} gauge"));
        } else {
            let (series, value) = line.rsplit_once(' ').expect("a value");
            let name = series.split('{').next().expect("a name");
            assert_eq!(Some(name), heads.last().map(String::as_str), "{line}");
            assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
        }
    }
    let mut once = heads.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), heads.len());
    assert!(text.contains(r#"scenario="a \"quoted\"\\one\nin two lines""#), "{text}");
    assert!(
        text.contains("hearsay_latency_seconds{kind=\"tx\",quantile=\"0.5\"} 0.023\n"),
        "{text}"
    );
    assert!(text.contains("hearsay_coverage{kind=\"tx\"} 1\n"), "{text}");
    assert!(text.contains("hearsay_assertion_ok{name=\"coverage\"} 1\n"), "{text}");
    assert!(!text.contains("kind=\"block\",quantile"), "absent figures are left out: {text}");
}
