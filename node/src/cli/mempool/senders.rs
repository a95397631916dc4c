//! `hearsay mempool senders`.

use clap::Args;

use super::super::console::{Console, table};
use super::super::failure::Failure;
use super::super::node::Node;
use super::super::status::span;
use super::super::who::{Home, Who};
use crate::api::{Gap, PoolSender, SenderFilter, SenderOrder};
use crate::rpc::RpcClient;

/// Gaps that a line has room for.
const GAPS: usize = 4;

/// List who has transactions waiting, and the gaps in their nonces
#[derive(Args, Debug)]
pub(in crate::cli) struct Senders {
    /// Only this one: an address, or a key of your own
    #[arg(long, value_name = "ADDRESS|KEY")]
    sender: Option<Who>,
    /// Only those with a gap in their nonces
    #[arg(long)]
    gaps: bool,
    /// What comes first: the most transactions, the most bytes, or the oldest transaction
    #[arg(long, value_name = "ORDER", default_value = "count")]
    order: SenderOrder,
    /// How many to list, at most 1000
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    home: Home,
}

impl Senders {
    pub(in crate::cli) async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        let address = self.sender.map(|who| self.home.address(&who)).transpose()?;
        let (gaps, order, limit) = (self.gaps, self.order, Some(self.limit));
        let filter = SenderFilter { address, gaps, order, limit };
        let senders = self.node.ask(self.node.client()?.mempool_senders(Some(filter))).await?;
        console.show(self.node.json, &senders, |senders| human(senders))
    }
}

pub(super) fn human(senders: &[PoolSender]) -> String {
    let rows: Vec<[String; 8]> = senders
        .iter()
        .map(|it| {
            [
                it.address.to_string(),
                it.nonce.to_string(),
                it.ready.to_string(),
                it.queued.to_string(),
                it.bytes.to_string(),
                format!("{} of {}", it.cost, it.balance),
                span(it.oldest_ms),
                gaps(&it.gaps),
            ]
        })
        .collect();
    table(["SENDER", "NONCE", "READY", "QUEUED", "BYTES", "COST", "OLDEST", "MISSING"], &rows)
}

/// The nonces that are missing, as in `3, 7-9`.
fn gaps(gaps: &[Gap]) -> String {
    let mut texts: Vec<String> = gaps
        .iter()
        .take(GAPS)
        .map(
            |Gap { first, last }| {
                if first == last { first.to_string() } else { format!("{first}-{last}") }
            },
        )
        .collect();
    if gaps.len() > GAPS {
        texts.push("…".to_owned());
    }
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_told_in_short() {
        let gap = |first, last| Gap { first, last };
        assert_eq!(gaps(&[]), "");
        assert_eq!(gaps(&[gap(3, 3), gap(7, 9)]), "3, 7-9");
        let many: Vec<Gap> = (0..6).map(|number| gap(2 * number, 2 * number)).collect();
        assert_eq!(gaps(&many), "0, 2, 4, 6, …");
    }
}
