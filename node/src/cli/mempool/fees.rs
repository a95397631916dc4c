//! `hearsay mempool fees`.

use clap::Args;

use super::super::console::{Console, Facts, table, units};
use super::super::failure::Failure;
use super::super::node::Node;
use crate::api::{FeeBand, PoolFees};
use crate::rpc::RpcClient;

/// How long the longest bar is.
const BAR: u64 = 40;

/// Show how many transactions pay what
#[derive(Args, Debug)]
pub(in crate::cli) struct Fees {
    #[command(flatten)]
    node: Node,
}

impl Fees {
    pub(in crate::cli) async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        let fees = self.node.ask(self.node.client()?.mempool_fees()).await?;
        console.show(self.node.json, &fees, human)
    }
}

fn human(fees: &PoolFees) -> String {
    let least = format!("{} for 1,000 bytes", units(fees.floor_per_kb));
    let facts = Facts::default().with("least fee", least);
    if fees.bands.is_empty() {
        facts.to_string()
    } else {
        format!("{facts}\n{}", bars(&fees.bands))
    }
}

/// One line for each band, the highest fees first, with a bar as long as its share of the fullest:
/// `#` for what is ready, `.` for the rest.
pub(super) fn bars(bands: &[FeeBand]) -> String {
    let most = bands.iter().map(|band| band.count).max().unwrap_or(0).max(1);
    let length = |count: u64| {
        let exact = u128::from(count) * u128::from(BAR);
        usize::try_from(exact.div_ceil(u128::from(most))).unwrap_or(0)
    };
    let rows: Vec<[String; 4]> = bands
        .iter()
        .rev()
        .map(|band| {
            let (all, ready) = (length(band.count), length(band.ready.min(band.count)));
            let bar = format!("{}{}", "#".repeat(ready), ".".repeat(all.saturating_sub(ready)));
            [range(band.from_per_kb), band.count.to_string(), band.bytes.to_string(), bar]
        })
        .collect();
    table(["FOR 1,000 BYTES", "COUNT", "BYTES", "READY #, OTHERS ."], &rows)
}

/// The fees of a band that begins here.
fn range(from: u64) -> String {
    match from.checked_mul(2) {
        Some(0) => "below 1".to_owned(),
        Some(to) if to == from.saturating_add(1) => from.to_string(),
        Some(to) => format!("{from}-{}", to.saturating_sub(1)),
        None => format!("from {from}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_share_of_the_fullest_band() {
        let band = |from_per_kb, count, ready| FeeBand { from_per_kb, count, ready, bytes: 9 };
        let text = bars(&[band(0, 1, 0), band(1, 0, 0), band(2, 80, 60), band(1 << 63, 40, 40)]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 5);
        assert!(lines[1].starts_with("from 9223372036854775808  40"), "{text}");
        assert!(lines[1].ends_with(&format!("  {}", "#".repeat(20))), "{text}");
        assert!(lines[2].starts_with("2-3 "), "{text}");
        assert!(lines[2].ends_with(&format!("  {}{}", "#".repeat(30), ".".repeat(10))), "{text}");
        assert!(lines[3].starts_with("1 ") && lines[3].ends_with(" 9"), "{text}");
        assert!(lines[4].starts_with("below 1") && lines[4].ends_with("  ."), "{text}");
    }
}
