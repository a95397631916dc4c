//! The report for other programs: Prometheus' text format, and one row a delivery as CSV.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use hearsay_node::trace::event::Kind;

use super::manifest::Manifest;
use super::run::Run;
use super::spread::Spread;
use super::stats::{Pair, Summary};
use super::tree::Tree;
use super::window::{self, Counted, Window};
use super::words::via_name;
use super::{Report, ReportError, read};

/// The columns of [`csv`]. Times are microseconds: `published_us` since the Unix epoch,
/// `latency_us` since then. `from` is the node that sent the first copy, or the peer id of a
/// stranger. `hop` is empty where the way back to the origin is not known. `copies` are all payload
/// copies that the node received, the first one included. `queue_us` and `check_us` are those of the
/// node's first verdict, empty when it logged none.
pub const CSV_COLUMNS: &str = "kind,id,bytes,origin,published_us,node,from,via,hop,latency_us,copies,verdict,queue_us,check_us";

/// Reads the logs under `dir` again and writes one row for each delivery that counts, after a row
/// with the names of the columns ([`CSV_COLUMNS`]): transactions, then blocks, each by id and node.
///
/// # Errors
/// The logs cannot be read, or `out` cannot be written.
pub fn csv(dir: &Path, out: &mut dyn Write) -> Result<(), ReportError> {
    let manifest = Manifest::read(dir);
    let mut run = read::run(dir)?;
    run.note(&manifest);
    let window = Window::choose(&run, &manifest);
    writeln!(out, "{CSV_COLUMNS}")?;
    for kind in [Kind::Tx, Kind::Block] {
        for one in window::counted(&run, kind, &window) {
            out.write_all(rows(&run, kind, &one).as_bytes())?;
        }
    }
    out.flush()?;
    Ok(())
}

fn rows(run: &Run, kind: Kind, one: &Counted<'_>) -> String {
    let tree = Tree::of(run, one.message);
    let mut rows = String::new();
    for (node, receipt) in one.deliveries() {
        let seen = &one.message.at[node];
        let hop = tree.depth(node).map_or(String::new(), |hop| hop.to_string());
        let judged = seen.verdicts.first().map_or(",,".to_owned(), |judged| {
            let verdict = super::verdict_name(judged.verdict);
            format!("{verdict},{},{}", judged.queue_us, judged.check_us)
        });
        // Writing to a string cannot fail.
        let _ = writeln!(
            rows,
            "{kind},{},{},{},{},{},{},{},{hop},{},{},{judged}",
            quoted(one.id),
            one.message.bytes,
            quoted(&run.nodes[one.origin].name),
            one.published,
            quoted(&run.nodes[node].name),
            quoted(run.peer_name(receipt.from)),
            via_name(receipt.via),
            one.since(receipt.at),
            seen.copies(),
        );
    }
    rows
}

/// A field of CSV (RFC 4180): quoted when it has to be.
fn quoted(field: &str) -> String {
    if field.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

/// The figures in Prometheus' text exposition format, version 0.0.4. Times are in seconds, as is the
/// custom there; a figure that cannot be told is left out.
#[must_use]
pub fn prometheus(report: &Report) -> String {
    let mut page = Exposition::default();
    let scenario = report.scenario.as_deref().unwrap_or_default();
    let seed = report.seed.map_or(String::new(), |seed| seed.to_string());
    let labels = [("scenario", scenario), ("seed", &*seed), ("links", &*report.links)];
    page.gauge("run_info", "The run that the other figures are of.");
    page.sample("run_info", &labels, Some(1.0));
    page.gauge("run_valid", "1 when the figures may be relied on.");
    page.sample("run_valid", &[], Some(f64::from(u8::from(report.valid))));
    page.gauge("nodes", "Nodes whose logs were read.");
    page.sample("nodes", &[], Some(report.nodes as f64));
    let kinds = [("tx", &report.tx.spread), ("block", &report.block.spread)];
    page.spreads(&kinds);

    let forks = &report.block.forks;
    page.gauge("blocks_stale", "Blocks published in the window that are beside the chain.");
    page.sample("blocks_stale", &[], forks.stale.map(|stale| stale as f64));
    page.gauge("reorg_depth_max", "The most blocks that one change of a tip undid.");
    page.sample("reorg_depth_max", &[], Some(forks.max_reorg as f64));
    page.gauge("block_to_tip_seconds", "From a block's publication to its being a node's tip.");
    page.summary("block_to_tip_seconds", &[], &forks.to_tip_ms);
    page.gauge("chain_height", "The height that every node reached.");
    page.sample("chain_height", &[], report.chain.height.map(|height| height as f64));
    page.gauge("chain_final_height", "The height up to which the chain is final at every node.");
    page.sample("chain_final_height", &[], report.chain.final_height.map(|height| height as f64));
    page.gauge("chain_same_tip", "1 when all nodes had the same tip.");
    let same = report.chain.same_tip.map(|same| f64::from(u8::from(same)));
    page.sample("chain_same_tip", &[], same);
    page.gauge("wire_bytes", "Bytes that all nodes sent around the window.");
    page.sample("wire_bytes", &[], report.wire.bytes.map(|bytes| bytes as f64));
    page.gauge("wire_ratio", "Bytes sent over payload delivered.");
    page.sample("wire_ratio", &[], report.wire.ratio);
    page.gauge("scheduler_lag_seconds", "How late the machine woke the nodes up.");
    let lag = report.lag;
    for (quantile, us) in [("0.5", lag.p50_us), ("0.99", lag.p99_us), ("1", lag.max_us)] {
        let seconds = us.map(|us| us as f64 / 1e6);
        page.sample("scheduler_lag_seconds", &[("quantile", quantile)], seconds);
    }
    page.gauge("assertion_ok", "1 when an assertion of the scenario holds.");
    for assert in &report.asserts {
        let ok = f64::from(u8::from(assert.ok));
        page.sample("assertion_ok", &[("name", &*assert.name)], Some(ok));
    }
    page.text
}

/// The text in the making. A metric's samples follow its head, as the format wants.
#[derive(Default)]
struct Exposition {
    text: String,
}

impl Exposition {
    fn gauge(&mut self, name: &str, help: &str) {
        let help = help.replace('\\', r"\\").replace('\n', r"\n");
        self.text += &format!("# HELP hearsay_{name} {help}\n# TYPE hearsay_{name} gauge\n");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: Option<f64>) {
        let Some(value) = value else { return };
        let label = |(name, value): &(&str, &str)| {
            let value = value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
            format!("{name}=\"{value}\"")
        };
        let labels: Vec<_> = labels.iter().map(label).collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        self.text += &format!("hearsay_{name}{labels} {value}\n");
    }

    fn summary(&mut self, name: &str, labels: &[(&str, &str)], summary: &Summary) {
        let Summary { p50, p90, p95, p99, max } = *summary;
        let quantiles = [("0.5", p50), ("0.9", p90), ("0.95", p95), ("0.99", p99), ("1", max)];
        for (quantile, ms) in quantiles {
            let labels = [labels, &[("quantile", quantile)]].concat();
            self.sample(name, &labels, ms.map(seconds));
        }
    }

    fn spreads(&mut self, kinds: &[(&str, &Spread); 2]) {
        type Figure = fn(&Spread) -> Option<f64>;
        let simple: [(&str, &str, Figure); 5] = [
            ("messages_published", "Messages published in the window.", |spread| {
                Some(spread.published as f64)
            }),
            ("deliveries_expected", "Deliveries that were due.", |spread| {
                Some(spread.expected as f64)
            }),
            ("deliveries", "Deliveries that came.", |spread| Some(spread.delivered as f64)),
            ("coverage", "Deliveries over those that were due.", |spread| spread.coverage),
            ("copies_per_node", "Payload copies received over deliveries.", |spread| {
                spread.copies_per_node
            }),
        ];
        for (name, help, figure) in simple {
            self.gauge(name, help);
            for (kind, spread) in kinds {
                self.sample(name, &[("kind", kind)], figure(spread));
            }
        }
        self.gauge("latency_seconds", "From publication to receipt.");
        for (kind, spread) in kinds {
            self.summary("latency_seconds", &[("kind", kind)], &spread.latency_ms);
        }
        self.gauge("to_share_seconds", "Per message, the time to reach a share of the nodes.");
        for (kind, spread) in kinds {
            let to = &spread.to_share_ms;
            let shares = [(50, to.half), (75, to.p75), (90, to.p90), (95, to.p95), (99, to.p99)];
            for (percent, share) in shares.into_iter().chain([(100, to.all)]) {
                let share_label = (f64::from(percent) / 100.0).to_string();
                for (quantile, ms) in [("0.5", share.p50), ("0.99", share.p99)] {
                    let labels =
                        [("kind", *kind), ("share", &*share_label), ("quantile", quantile)];
                    self.sample("to_share_seconds", &labels, ms.map(seconds));
                }
            }
        }
        self.gauge("stretch", "Latency over the delay of the shortest path.");
        for (kind, spread) in kinds {
            let stretch = spread.stretch;
            for (paths, pair) in [("connections", stretch.connections), ("full", stretch.full)] {
                let Pair { p50, p99 } = pair;
                for (quantile, ratio) in [("0.5", p50), ("0.99", p99)] {
                    let labels = [("kind", *kind), ("paths", paths), ("quantile", quantile)];
                    self.sample("stretch", &labels, ratio);
                }
            }
        }
    }
}

fn seconds(ms: f64) -> f64 {
    ms / 1000.0
}
