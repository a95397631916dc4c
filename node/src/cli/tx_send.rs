//! `hearsay tx send`.

use std::time::Duration;

use clap::{Args, ValueEnum};
use hearsay_chain::transaction::{MAX_PAYLOAD_BYTES, Transfer};
use hearsay_chain::{Address, Keypair, TxId, codec};
use jiff::SignedDuration;
use jsonrpsee::http_client::HttpClient;
use serde::Serialize;

use super::console::{Console, Facts, units};
use super::failure::Failure;
use super::node::Node;
use super::tx::with_status;
use super::wait::{Ended, Goal, Watch};
use super::who::{Home, Who};
use crate::api::{Submitted, TestResult, TxStatus};
use crate::rpc::{HexBytes, RpcClient};

const EXAMPLES: &str = "\
Examples:
  hearsay tx send --from alice --to bob --amount 10
  hearsay tx send --from alice --to bob --amount 10 --fee 1 --dry-run
  hearsay tx send --from alice --to hs1… --amount 10 --fee 1 --wait final --timeout 2m
  hearsay tx send --from alice --to bob --amount 10 --via auto
  hearsay tx send --from ./alice.pem --to bob --amount 0 --fee 1 --payload 68656c6c6f --json";

/// Sign a transaction here, and hand it to a node
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Send {
    /// The key that pays, by its name or file
    #[arg(long, value_name = "KEY")]
    from: String,
    /// Who is paid: an address, or a key of your own
    #[arg(long, value_name = "ADDRESS")]
    to: Who,
    /// What the recipient gets, in units
    #[arg(long, value_name = "N")]
    amount: u64,
    /// What the block's proposer gets, in units [default: what the next block takes now]
    #[arg(long, value_name = "N")]
    fee: Option<u64>,
    /// The member that is to take it: auto (the node or one of its neighbours, whichever has room), here
    /// (the node itself), or a neighbour's name or peer id [default: as the node's settings say]
    #[arg(long, value_name = "MEMBER", conflicts_with = "dry_run")]
    via: Option<String>,
    /// Bytes to carry along, in hex
    #[arg(long, value_name = "HEX", default_value = "", hide_default_value = true)]
    payload: HexBytes,
    /// The place among the sender's transactions [default: the next one]
    #[arg(long, value_name = "N")]
    nonce: Option<u64>,
    /// The last height at which it may be included [default: any]
    #[arg(long, value_name = "HEIGHT")]
    expiry: Option<u64>,
    /// Only ask whether the node would take it, and if not why
    #[arg(long, conflicts_with = "wait")]
    dry_run: bool,
    /// Wait until it is in the pool, in a block, or in a final block
    #[arg(long, value_name = "STATE")]
    wait: Option<WaitFor>,
    /// How long to wait, as in 500ms, 20s or 2m
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    timeout: Duration,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    home: Home,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum WaitFor {
    Pooled,
    Included,
    Final,
}

/// What became of the transaction.
#[derive(Serialize)]
struct Sent {
    id: TxId,
    sender: Address,
    nonce: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    taken_by: Option<String>,
    #[serde(flatten)]
    status: TxStatus,
}

impl Send {
    pub(super) async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        let key = self.home.key(&self.from)?;
        let client = self.node.client()?;
        let mut transfer = self.transfer(&key, &client).await?;
        if self.fee.is_none() {
            transfer.fee = self.estimate(&key, &transfer, &client, console).await?;
        }
        let nonce = transfer.nonce;
        let bytes = HexBytes(codec::encode(&transfer.sign(&key)));
        if self.dry_run {
            let result = self.node.ask(client.tx_test(bytes)).await?;
            return self.show_test(console, &result);
        }
        let submitted = self.node.ask(client.tx_submit(bytes, self.via.clone())).await?;
        let Submitted { id, taken_by, .. } = submitted;
        let goal = match self.wait {
            None | Some(WaitFor::Pooled) => Goal::Taken,
            Some(WaitFor::Included) => Goal::Included,
            Some(WaitFor::Final) => Goal::Final,
        };
        let Ended { status, failure } = match goal {
            // One that another member took comes here by gossip, in a moment.
            Goal::Taken if taken_by.is_none() => {
                Ended { status: self.node.ask(client.tx_status(id)).await?, failure: None }
            }
            _ => {
                let (node, patience) = (&self.node, self.timeout);
                let client = &client;
                Watch { node, client, id, goal, patience, known: true }.run(console).await?
            }
        };
        let sent = Sent { id, sender: key.address(), nonce, taken_by, status };
        console.show(self.node.json, &sent, |sent| {
            let facts = Facts::default().with("id", id).with("sender", sent.sender);
            let facts = facts.with("nonce", nonce).with_some("taken by", sent.taken_by.as_ref());
            with_status(facts, &sent.status).to_string()
        })?;
        failure.map_or(Ok(()), Err)
    }

    /// The fee that the next block takes now. It has no part in the size.
    async fn estimate(
        &self,
        key: &Keypair,
        transfer: &Transfer,
        client: &HttpClient,
        console: &mut Console<'_>,
    ) -> Result<u64, Failure> {
        let bytes = codec::encode(&transfer.clone().sign(key)).len() as u64;
        let estimate = self.node.ask(client.tx_estimate_fee(Some(bytes), Some(1))).await?;
        let next = estimate.blocks.first().map_or(estimate.least_fee, |next| next.fee);
        let fee = next.max(estimate.least_fee);
        console.say(format_args!("fee {fee}: what the next block takes now for {bytes} bytes"));
        Ok(fee)
    }

    fn show_test(&self, console: &mut Console<'_>, result: &TestResult) -> Result<(), Failure> {
        console.show(self.node.json, result, |result| {
            let state = if result.ready { "ready" } else { "queued" };
            Facts::default()
                .with("id", result.id)
                .with("would be", if result.accepted { state } else { "refused" })
                .with_some("reason", result.reason.as_ref())
                .with_some("replaces", result.replaces)
                .with_some("evicts", (!result.evicts.is_empty()).then_some(result.evicts.len()))
                .with_some("least fee", result.least_fee.map(units))
                .to_string()
        })?;
        if result.accepted {
            return Ok(());
        }
        Err(Failure::Refused(format!(
            "it would be refused ({}): {}",
            result.reason.as_deref().unwrap_or("unknown"),
            result.message.as_deref().unwrap_or("the node does not say why")
        )))
    }

    /// What is to be signed. The network and the nonce come from the node.
    async fn transfer(&self, key: &Keypair, client: &HttpClient) -> Result<Transfer, Failure> {
        if self.payload.0.len() > MAX_PAYLOAD_BYTES {
            return Err(Failure::Usage(format!(
                "the payload has {} bytes; no network takes more than {MAX_PAYLOAD_BYTES}",
                self.payload.0.len()
            )));
        }
        let recipient = self.home.address(&self.to)?;
        let chain = self.node.ask(client.node_status()).await?.genesis.into();
        let nonce = match self.nonce {
            Some(nonce) => nonce,
            None => self.node.ask(client.account_get(key.address())).await?.next_nonce,
        };
        Ok(Transfer {
            chain,
            sender: key.public(),
            nonce,
            recipient,
            amount: self.amount,
            fee: self.fee.unwrap_or(0),
            expiry: self.expiry,
            payload: self.payload.0.clone(),
        })
    }
}

/// A time with its unit.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let parsed: Result<SignedDuration, _> = text.parse();
    parsed
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| "a time is a number with its unit, as in 500ms, 20s or 2m".to_owned())
}
