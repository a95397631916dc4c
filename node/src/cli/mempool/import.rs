//! `hearsay mempool import`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use jsonrpsee::http_client::HttpClient;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::super::console::{Console, Facts};
use super::super::failure::Failure;
use super::super::node::Node;
use super::file::Lines;
use crate::api::Submitted;
use crate::rpc::{CallError, HexBytes, RpcClient, RpcError};

/// How long a node may be busy with one transaction before the import is given up, and the pause before
/// it is handed in again.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(200);

/// Transactions that are handed in at once: as many as keep a node's checking threads busy.
const AT_ONCE: usize = 32;

const EXAMPLES: &str = "\
Examples:
  hearsay mempool import waiting.jsonl
  hearsay mempool export - --node 127.0.0.1:7780 | hearsay mempool import - --node 127.0.0.1:7790

Each transaction is handed in as `hearsay tx send` does it: the node checks it, and spreads it.";

/// Hand in the transactions of a file that `hearsay mempool export` wrote
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Import {
    /// What to read; - is standard input
    file: PathBuf,
    #[command(flatten)]
    node: Node,
}

/// What became of the transactions.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Imported {
    /// Those that the pool took.
    taken: u64,
    /// Those that were in the pool already.
    known: u64,
    /// The others, by the reason against them.
    refused: BTreeMap<String, u64>,
}

impl Imported {
    /// Counts one. What is no answer of the node's about it ends the import.
    fn count(&mut self, answer: Result<Submitted, CallError>) -> Result<(), CallError> {
        match answer {
            Ok(Submitted { known: true, .. }) => self.known += 1,
            Ok(_) => self.taken += 1,
            Err(CallError::Node(
                RpcError::Rejected { reason, .. } | RpcError::Refused { reason, .. },
            )) => *self.refused.entry(reason).or_default() += 1,
            Err(other) => return Err(other),
        }
        Ok(())
    }
}

/// Whether a node says that it may take it in a moment.
fn is_busy(answer: &Result<Submitted, CallError>) -> bool {
    match answer {
        Err(CallError::Node(RpcError::Busy)) => true,
        Err(CallError::Node(RpcError::Refused { reason, .. })) => reason == "busy",
        _ => false,
    }
}

/// Hands one in, again and again while the node is busy.
async fn submit(client: HttpClient, bytes: HexBytes) -> Result<Submitted, CallError> {
    let begin = Instant::now();
    loop {
        let answer = client.tx_submit(bytes.clone(), None).await.map_err(CallError::from);
        if !is_busy(&answer) || begin.elapsed() >= PATIENCE {
            return answer;
        }
        sleep(PAUSE).await;
    }
}

impl Import {
    pub(in crate::cli) async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        let name = self.file.display();
        let input: Box<dyn BufRead> = if self.file == Path::new("-") {
            Box::new(BufReader::new(std::io::stdin()))
        } else {
            let file = File::open(&self.file)
                .map_err(|error| Failure::Failed(format!("cannot read {name}: {error}")))?;
            Box::new(BufReader::new(file))
        };
        let mut lines = Lines::new(input, name.to_string());
        let header = lines.header()?;
        let client = self.node.client()?;
        let status = self.node.ask(client.node_status()).await?;
        if status.genesis != header.genesis {
            return Err(Failure::Refused(format!(
                "{name} is of another network (its genesis is {}, that of {:?} is {}); nothing was \
                 handed in",
                header.genesis, status.network, status.genesis
            )));
        }
        let mut imported = Imported::default();
        let read = self.hand_in(&mut lines, &mut imported).await;
        let handed = imported.taken + imported.known + imported.refused.values().sum::<u64>();
        let ended = read.and_then(|()| {
            if handed == header.transactions {
                return if handed > 0 && imported.taken + imported.known == 0 {
                    Err(Failure::Failed(format!(
                        "none of the {handed} transactions of {name} was taken"
                    )))
                } else {
                    Ok(())
                };
            }
            Err(Failure::Failed(format!(
                "{name} has {handed} transactions, and says that it has {}: it is not whole",
                header.transactions
            )))
        });
        console.show(self.node.json, &imported, |imported| {
            let refused = imported.refused.iter();
            let reasons: Vec<_> =
                refused.map(|(reason, count)| format!("{count} {reason}")).collect();
            Facts::default()
                .with("taken", imported.taken)
                .with("known", imported.known)
                .with_some("refused", (!reasons.is_empty()).then(|| reasons.join(", ")))
                .to_string()
        })?;
        ended
    }

    /// Hands in one after the other, some at once.
    async fn hand_in(
        &self,
        lines: &mut Lines<Box<dyn BufRead>>,
        imported: &mut Imported,
    ) -> Result<(), Failure> {
        let client = self.node.client()?;
        let mut under_way = JoinSet::new();
        let mut read = Ok(());
        let mut has_more = true;
        while has_more || !under_way.is_empty() {
            while has_more && under_way.len() < AT_ONCE {
                let bytes: Option<HexBytes> = lines.transaction().unwrap_or_else(|failure| {
                    // Those that are under way are counted first.
                    read = Err(failure);
                    None
                });
                has_more = bytes.is_some();
                let Some(bytes) = bytes else { break };
                let client = client.clone();
                under_way.spawn(submit(client, bytes));
            }
            let Some(answer) = under_way.join_next().await else { break };
            let answer = answer.map_err(|error| Failure::Failed(error.to_string()))?;
            imported.count(answer).map_err(|error| self.node.failure(error))?;
        }
        read
    }
}
