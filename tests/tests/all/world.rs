//! A small network of real node processes in a directory of its own.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use hearsay_chain::genesis::{Limits, Schedule};
use hearsay_chain::{Genesis, Keypair};
use hearsay_node::{genesis_file, keyfile};
use hearsay_tests::{free_port, program, run, wait_for};
use serde_json::Value;

fn authority(number: usize) -> Keypair {
    Keypair::from_seed(&[100 + number as u8; 32])
}

/// A genesis, keys, and a place for each node.
pub(crate) struct World {
    dir: tempfile::TempDir,
}

impl World {
    /// A network whose nodes are all authorities, with short slots, and one funded wallet.
    pub(crate) fn new(nodes: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let world = Self { dir };
        let wallet = Keypair::from_seed(&[7; 32]);
        keyfile::save(Path::new(&world.wallet()), &wallet, false).unwrap();
        let since_epoch = std::time::UNIX_EPOCH.elapsed().unwrap();
        let genesis = Genesis {
            name: "test".to_owned(),
            time_ms: u64::try_from(since_epoch.as_millis()).unwrap(),
            slot_ms: 200,
            schedule: Schedule::RoundRobin,
            authorities: (0..nodes).map(|number| authority(number).public()).collect(),
            limits: Limits::default(),
            allocations: [(wallet.address(), 1_000_000)].into(),
        };
        genesis_file::write(&world.genesis(), &genesis, false).unwrap();
        for number in 0..nodes {
            keyfile::save(&world.dir(number).join("authority.pem"), &authority(number), false)
                .unwrap();
        }
        world
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn genesis(&self) -> PathBuf {
        self.path().join("genesis.toml")
    }

    pub(crate) fn dir(&self, node: usize) -> PathBuf {
        self.path().join(format!("n{node}"))
    }

    pub(crate) fn wallet(&self) -> String {
        self.path().join("wallet.pem").display().to_string()
    }

    pub(crate) fn address_of_authority(&self, number: usize) -> String {
        authority(number).address().to_string()
    }

    /// Starts a node and waits until it answers.
    pub(crate) fn start(&self, number: usize, peers: &[&Node]) -> Node {
        self.start_by(Command::new(program("hearsay")), &self.dir(number), number, peers)
    }

    /// Starts a node by a command that ends with the program, on a data directory.
    pub(crate) fn start_by(
        &self,
        command: Command,
        data: &Path,
        number: usize,
        peers: &[&Node],
    ) -> Node {
        self.start_as(command, data, number, peers, true)
    }

    /// The same for a node that has its authority's key, or has not and makes no blocks.
    pub(crate) fn start_as(
        &self,
        mut command: Command,
        data: &Path,
        number: usize,
        peers: &[&Node],
        proposes: bool,
    ) -> Node {
        let dir = self.dir(number);
        let rpc = format!("127.0.0.1:{}", free_port());
        let log = std::fs::File::create(dir.join("node.log")).unwrap();
        command
            .arg("run")
            .args(["--name", &format!("n{number}")])
            .args(["--listen", &format!("/ip4/127.0.0.1/tcp/{}", free_port())])
            .args(["--rpc", &rpc, "--exit-with-stdin"])
            .arg("--genesis")
            .arg(self.genesis())
            .arg("--data-dir")
            .arg(data)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log);
        if proposes {
            command.arg("--authority-key").arg(dir.join("authority.pem"));
        }
        for peer in peers {
            let listen = peer.status()["listen"][0].as_str().unwrap().to_owned();
            command.args(["--bootstrap", &listen]);
        }
        let node = Node { child: command.spawn().unwrap(), rpc, log: dir.join("node.log") };
        wait_for("the node to answer", || node.try_status());
        node
    }
}

/// A running node; it ends with the test in any case, as its standard input does.
pub(crate) struct Node {
    child: Child,
    pub(crate) rpc: String,
    log: PathBuf,
}

impl Node {
    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What a plain path of its RPC answers: the status and the body.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.rpc).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let host = &self.rpc;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// Runs `hearsay` against this node.
    pub(crate) fn client<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        let node = ["--node".to_owned(), format!("http://{}", self.rpc)];
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
        run("hearsay", args.chain(node.map(Into::into)))
    }

    fn try_status(&self) -> Option<Value> {
        let output = self.client(["status", "--json"]);
        output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap())
    }

    pub(crate) fn status(&self) -> Value {
        self.try_status().unwrap_or_else(|| panic!("no answer; {}", self.said()))
    }

    /// Waits until the chain is this high; the status then.
    pub(crate) fn wait_for_height(&self, height: u64) -> Value {
        wait_for("the chain to grow", || {
            let status = self.try_status()?;
            (status["height"].as_u64()? >= height).then_some(status)
        })
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Ends it in order, as closing its standard input does, and expects it to end well.
    pub(crate) fn stop(mut self) {
        drop(self.child.stdin.take());
        let ended = self.child.wait().unwrap();
        assert!(ended.success(), "{ended}: {}", self.said());
    }

    /// Ends it with SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
