//! The node under test: the real program, started and killed again and again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use hearsay_chain::{GenesisId, VerifiedBlock, codec};
use hearsay_network::{Multiaddr, Topic, topic};
use hearsay_node::api::NodeStatus;
use hearsay_node::rpc::{self, NodeUrl, RpcClient};
use jiff::Timestamp;
use jsonrpsee::http_client::HttpClient;

use crate::{free_port, program};

/// What the node tells on stderr: enough to see when gossip handed it a message.
const LOG: &str = "warn,libp2p_gossipsub::behaviour=debug";

/// What gossipsub tells when it takes a message for the first time.
const TAKEN: &str = "Put message in duplicate_cache";

/// How often the node is asked until it answers.
const ASK_EVERY: Duration = Duration::from_millis(4);

/// How often its log is looked at while a block is on its way to it.
const LOOK_EVERY: Duration = Duration::from_micros(100);

/// Where the node keeps things, and whom it knows.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) data: PathBuf,
    pub(super) genesis: PathBuf,
    pub(super) bootstrap: Multiaddr,
}

impl Place {
    pub(super) fn store(&self) -> PathBuf {
        self.data.join("chain")
    }

    pub(super) fn events(&self) -> PathBuf {
        self.data.join("events.jsonl")
    }
}

/// A running node. It ends with this process in any case, as its standard input does.
#[derive(Debug)]
pub(super) struct Victim {
    child: Child,
    stderr: PathBuf,
    pub(super) client: HttpClient,
    pub(super) started: Instant,
}

/// What a node was killed in.
#[derive(Debug)]
pub(super) struct Remains {
    /// What it said on stderr.
    pub(super) said: String,
    /// When it was killed, by the clock that its log goes by.
    pub(super) killed: Timestamp,
}

impl Victim {
    pub(super) fn start(place: &Place) -> Result<Self> {
        fs::create_dir_all(&place.data)?;
        let rpc = format!("127.0.0.1:{}", free_port());
        let stderr = place.data.join("stderr.log");
        let child = Command::new(program("hearsay"))
            .args(["run", "--name", "victim", "--listen", "/ip4/127.0.0.1/tcp/0"])
            .args(["--rpc", &rpc, "--exit-with-stdin", "--log", LOG])
            .args(["--bootstrap", &place.bootstrap.to_string()])
            .arg("--genesis")
            .arg(&place.genesis)
            .arg("--data-dir")
            .arg(&place.data)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(File::create(&stderr)?)
            .spawn()?;
        let url: NodeUrl = rpc.parse().map_err(anyhow::Error::msg)?;
        Ok(Self { child, stderr, client: rpc::connect(&url)?, started: Instant::now() })
    }

    /// Asks once.
    pub(super) async fn status(&self) -> Option<NodeStatus> {
        self.client.node_status().await.ok()
    }

    /// Waits for its first answer.
    pub(super) async fn first_answer(&mut self, limit: Duration) -> Result<NodeStatus> {
        loop {
            if let Some(status) = self.status().await {
                return Ok(status);
            }
            self.must_live()?;
            if self.started.elapsed() > limit {
                bail!("no answer within {limit:?}; it said: {}", self.said());
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    /// A node that ends by itself has failed the test.
    pub(super) fn must_live(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("the node ended by itself, {status}: {}", self.said()),
            None => Ok(()),
        }
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    /// Waits, to a fraction of a millisecond, until gossip has handed the node a message; gives up
    /// after `limit`.
    pub(super) fn wait_until_taken(&self, message: &str, limit: Duration) -> Result<()> {
        let (since, mut offset) = (Instant::now(), 0);
        while since.elapsed() < limit {
            let lines = appended(&self.stderr, &mut offset)?;
            if lines.lines().any(|line| is_taken(line, message)) {
                break;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// SIGKILL.
    pub(super) fn kill(mut self) -> Result<Remains> {
        self.must_live()?;
        let killed = Timestamp::now();
        self.child.kill()?;
        self.child.wait()?;
        Ok(Remains { said: self.said(), killed })
    }

    /// Ends it in order.
    pub(super) fn stop(mut self) -> Result<ExitStatus> {
        drop(self.child.stdin.take());
        Ok(self.child.wait()?)
    }
}

impl Remains {
    /// How long before the end gossip handed the node a message; none if it never did.
    pub(super) fn taken_before(&self, message: &str) -> Option<Duration> {
        let line = self.said.lines().find(|line| is_taken(line, message))?;
        let taken: Timestamp = line.split_whitespace().next()?.parse().ok()?;
        Duration::try_from(self.killed.duration_since(taken)).ok()
    }
}

fn is_taken(line: &str, message: &str) -> bool {
    line.contains(TAKEN) && line.contains(message)
}

/// What gossip calls the message that carries a block, as it stands in the log.
pub(super) fn message_of(genesis: GenesisId, block: &VerifiedBlock) -> String {
    let topic = topic::Topics::new(genesis).ident(Topic::Block).hash();
    hex::encode(topic::message_id(
        topic.as_str(),
        &hearsay_network::compact::BlockMessage::whole(&codec::encode(&block.to_block())),
    ))
}

/// Reads what was appended to a file since `offset`, whole lines alone, and moves `offset` on.
pub(super) fn appended(path: &Path, offset: &mut u64) -> Result<String> {
    use std::io::{Read, Seek, SeekFrom};
    let Ok(mut file) = File::open(path) else { return Ok(String::new()) };
    file.seek(SeekFrom::Start(*offset))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    bytes.truncate(whole);
    *offset += whole as u64;
    String::from_utf8(bytes).context("the log is text")
}
