//! Real nodes for a measurement: this very program, started as processes of their own.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::process::peak_memory;
use crate::trace::event::{Event, PeerState, Record};

/// How long a node may take to start.
const START: Duration = Duration::from_secs(30);

/// A running node; it ends with this value.
pub(super) struct Node {
    child: Child,
    pub(super) dir: PathBuf,
    pub(super) port: u16,
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

impl Node {
    /// Starts a node on a data directory and waits until it listens.
    pub(super) fn start(dir: &Path, genesis: &Path, peers: &[u16]) -> anyhow::Result<Self> {
        fs::create_dir_all(dir)?;
        let (port, rpc) = (free_port()?, free_port()?);
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("run")
            .arg("--exit-with-stdin")
            .args(["--log", "error", "--name", "bench"])
            .arg("--data-dir")
            .arg(dir)
            .arg("--genesis")
            .arg(genesis)
            .args(["--listen", &format!("/ip4/127.0.0.1/tcp/{port}")])
            .args(["--rpc", &format!("127.0.0.1:{rpc}")]);
        for peer in peers {
            command.args(["--bootstrap", &format!("/ip4/127.0.0.1/tcp/{peer}")]);
        }
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .context("starting a node")?;
        let mut node = Self { child, dir: dir.to_owned(), port };
        let begin = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, rpc)).is_err() {
            if let Some(status) = node.child.try_wait()? {
                bail!("a node ended as it started: {status}");
            }
            if begin.elapsed() > START {
                bail!("a node did not start within {START:?}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(node)
    }

    /// The most memory that the node had resident until now, in MiB.
    pub(super) fn peak_memory(&self) -> anyhow::Result<f64> {
        peak_memory(&self.child.id().to_string())
    }

    /// Waits until the node's tip has a height; gives the seconds from its first peer to then, as
    /// its own log says.
    pub(super) fn seconds_to(&self, height: u64, limit: Duration) -> anyhow::Result<f64> {
        let begin = Instant::now();
        loop {
            let log = fs::read_to_string(self.dir.join("events.jsonl")).unwrap_or_default();
            let (mut met, mut there) = (None, None);
            // The last line may not be whole yet.
            for record in log.lines().filter_map(|line| serde_json::from_str::<Record>(line).ok()) {
                match record.event {
                    Event::Peer { state: PeerState::Connected, .. } => {
                        met = met.or(Some(record.mono_us));
                    }
                    Event::Tip { height: at, .. } if at >= height => {
                        there = there.or(Some(record.mono_us));
                    }
                    _ => {}
                }
            }
            if let (Some(met), Some(there)) = (met, there) {
                return Ok(there.saturating_sub(met) as f64 / 1e6);
            }
            if begin.elapsed() > limit {
                bail!("the node did not catch up within {limit:?}");
            }
            // Reading the log takes processor time from what is measured: seldom.
            std::thread::sleep(Duration::from_millis(250));
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Copies a closed store.
pub(super) fn copy_store(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}
