//! Real nodes of a network whose keys the test holds, asked over their RPC.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use hearsay_chain::store::{Durability, RocksOptions, RocksStore};
use hearsay_chain::{Chain, VerifiedBlock};
use hearsay_network::Multiaddr;
use hearsay_node::api::{BlockRef, NodeStatus};
use hearsay_node::rpc::{self, BlockSelector, NodeUrl, RpcClient};
use hearsay_node::trace::event::{Event, Kind, Record, Via};
use hearsay_node::{genesis_file, keyfile};
use hearsay_tests::makers::Makers;
use hearsay_tests::{DEADLINE, free_port, program};
use jsonrpsee::http_client::HttpClient;

/// How often a node is asked while something is waited for.
const ASK_EVERY: Duration = Duration::from_millis(3);

/// Blocks received by catching up, by id: the senders, one for each time.
pub(crate) type Synced = BTreeMap<String, Vec<String>>;

/// The time now, in milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> u64 {
    u64::try_from(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap()
}

/// Asks again and again until there is an answer.
pub(crate) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(since.elapsed() < DEADLINE, "waited {DEADLINE:?} in vain for {what}");
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// A network whose keys the test holds, with a directory for each node.
pub(crate) struct Net {
    dir: tempfile::TempDir,
    pub(crate) makers: Makers,
}

impl Net {
    pub(crate) fn new(makers: Makers) -> Self {
        let dir = tempfile::tempdir().unwrap();
        genesis_file::write(&dir.path().join("genesis.toml"), makers.genesis(), false).unwrap();
        Self { dir, makers }
    }

    fn dir(&self, node: usize) -> PathBuf {
        self.dir.path().join(format!("n{node}"))
    }

    /// The directory of a node's store.
    pub(crate) fn store(&self, node: usize) -> PathBuf {
        self.dir(node).join("chain")
    }

    /// Fills the store of a node that was never started.
    pub(crate) fn fill(&self, node: usize, blocks: &[VerifiedBlock]) {
        let genesis = self.makers.genesis().clone();
        let options = RocksOptions { durability: Durability::Buffered, ..RocksOptions::default() };
        fs::create_dir_all(self.dir(node)).unwrap();
        let store = RocksStore::open(self.store(node), genesis.id(), options).unwrap();
        let mut chain = Chain::open(store, genesis).unwrap();
        for run in blocks.chunks(64) {
            chain.import_run(run.to_vec(), u64::MAX).unwrap();
        }
        assert_eq!(chain.ends().height, blocks.len() as u64);
    }

    /// Starts a node, which makes blocks if it is given the place of an authority, and waits until
    /// it answers.
    pub(crate) async fn start(
        &self,
        node: usize,
        authority: Option<usize>,
        bootstrap: &[Multiaddr],
    ) -> Follower {
        let mut args = Vec::new();
        for address in bootstrap {
            args.extend(["--bootstrap".to_owned(), address.to_string()]);
        }
        if let Some(place) = authority {
            let key = self.dir(node).join("authority.pem");
            fs::create_dir_all(self.dir(node)).unwrap();
            keyfile::save(&key, self.makers.authority(place), true).unwrap();
            args.extend(["--authority-key".to_owned(), key.display().to_string()]);
        }
        self.start_with(node, &args).await
    }

    /// Starts a node with further arguments, and waits until it answers.
    pub(crate) async fn start_with(&self, node: usize, args: &[impl AsRef<OsStr>]) -> Follower {
        let dir = self.dir(node);
        fs::create_dir_all(&dir).unwrap();
        let rpc = format!("127.0.0.1:{}", free_port());
        let mut command = Command::new(program("hearsay"));
        command
            .args(["run", "--name", &format!("n{node}"), "--listen", "/ip4/127.0.0.1/tcp/0"])
            .args(["--rpc", &rpc, "--exit-with-stdin"])
            .arg("--genesis")
            .arg(self.dir.path().join("genesis.toml"))
            .arg("--data-dir")
            .arg(&dir)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(File::create(dir.join("node.log")).unwrap());
        let url: NodeUrl = rpc.parse().unwrap();
        let client = rpc::connect(&url).unwrap();
        let node = Follower { child: command.spawn().unwrap(), dir, client };
        until("the node to answer", async || node.try_status().await).await;
        node
    }
}

/// A running node; it ends with the test in any case, as its standard input does.
pub(crate) struct Follower {
    child: Child,
    dir: PathBuf,
    pub(crate) client: HttpClient,
}

impl Follower {
    async fn try_status(&self) -> Option<NodeStatus> {
        self.client.node_status().await.ok()
    }

    pub(crate) async fn status(&self) -> NodeStatus {
        self.client.node_status().await.expect("the node answers")
    }

    pub(crate) async fn address(&self) -> Multiaddr {
        self.status().await.listen[0].parse().unwrap()
    }

    /// The id of its block at a height.
    pub(crate) async fn block_at(&self, height: u64) -> String {
        let block = BlockSelector(BlockRef::Height(height));
        self.client.block_get(block).await.expect("a block").id.to_string()
    }

    /// Waits until its tip is this block.
    pub(crate) async fn wait_for_tip(&self, block: &VerifiedBlock) {
        let stands = async || (self.status().await.tip == block.id()).then_some(());
        until(&format!("the tip at height {}", block.height()), stands).await;
    }

    /// Everything that it has written to its log so far.
    pub(crate) fn events(&self) -> Vec<Event> {
        let text = fs::read_to_string(self.dir.join("events.jsonl")).unwrap_or_default();
        // A line that a kill has cut is none.
        let records = text.lines().filter_map(|line| serde_json::from_str::<Record>(line).ok());
        records.map(|record| record.event).collect()
    }

    /// Blocks received by catching up, over all its lives.
    pub(crate) fn synced(&self) -> Synced {
        let mut synced = Synced::new();
        for event in self.events() {
            if let Event::Received { kind: Kind::Block, id, from, via: Via::Sync, .. } = event {
                synced.entry(id).or_default().push(from);
            }
        }
        synced
    }

    /// Its resident memory in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().unwrap();
        kib << 10
    }

    /// Ends it with SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it in order, as closing its standard input does, and expects it to end well.
    pub(crate) fn stop(mut self) {
        drop(self.child.stdin.take());
        let ended = self.child.wait().unwrap();
        let said = fs::read_to_string(self.dir.join("node.log")).unwrap_or_default();
        assert!(ended.success(), "{ended}: {said}");
    }
}
