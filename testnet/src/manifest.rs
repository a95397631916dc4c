//! `testnet.json`: what was run, where and how. It is written when the nodes have started and again
//! when the run has ended; the report takes the measured stretch of time from it.
//!
//! Fields are only added within a schema number. Paths are relative to the folder, so that it can
//! be moved.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::load::Counts;

/// The manifest's name in the folder of a testnet.
pub const MANIFEST: &str = "testnet.json";

/// The version of the fields below.
pub const SCHEMA: u32 = 1;

/// What was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The scenario's name; `local` for a testnet that was described by flags.
    pub scenario: String,
    /// What keys, connections and load follow from.
    pub seed: u64,
    /// The version of the program.
    pub version: String,
    /// When it was started: RFC 3339, UTC.
    pub created: String,
    /// The network's id.
    pub genesis: String,
    /// The length of a slot in milliseconds.
    pub slot_ms: u64,
    /// The machine that everything ran on.
    pub machine: Machine,
    /// The nodes in order.
    pub nodes: Vec<ManifestNode>,
    /// Who was made to know whom, by name.
    pub edges: Vec<[String; 2]>,
    /// What was asked of the load and what came of it.
    pub load: ManifestLoad,
    /// What is measured; absent until the run has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measure>,
    /// What went wrong, in sentences.
    #[serde(default)]
    pub faults: Vec<String>,
}

/// The machine that everything ran on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name, where the system tells it.
    pub cpu: Option<String>,
    /// Processors that this process may use.
    pub cores: u64,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestNode {
    /// Its name in logs.
    pub name: String,
    /// Its peer id.
    pub peer: String,
    /// Where others dial it.
    pub address: String,
    /// Where its user reaches it.
    pub rpc: String,
    /// Its folder, in the testnet's.
    pub dir: String,
    /// Its process.
    pub pid: u32,
    /// The key that it proposes blocks with, in hex.
    pub authority: Option<String>,
    /// Its end, if it came before the node was told to stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub died: Option<Died>,
}

/// The end of a process that was not told to stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Died {
    /// When it was noticed, which is within milliseconds: microseconds since the Unix epoch.
    pub at_us: i64,
    /// How it ended, as the system says it.
    pub status: String,
}

/// What was asked of the load and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ManifestLoad {
    /// Transactions a second.
    pub rate: f64,
    /// For how long, in milliseconds.
    pub duration_ms: u64,
    /// Accounts that send.
    pub senders: u64,
    /// The payload of each transaction in bytes.
    pub payload: u64,
    /// What came of it.
    pub outcome: Counts,
}

/// What is measured, in microseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// Messages count that were published at this time, when the load began, or later …
    pub from_us: i64,
    /// … and before this time, when the load had ended.
    pub until_us: i64,
    /// So much later all pools were empty and all tips the same, or the wait for that was over.
    pub settle_us: i64,
}

impl Manifest {
    /// Writes it into `dir`. A reader sees the one before or this one, never half of it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        let mut json = serde_json::to_string_pretty(self)?;
        json.push('\n');
        let fresh = dir.join(format!(".{MANIFEST}.new"));
        fs::write(&fresh, json)?;
        fs::rename(fresh, dir.join(MANIFEST))
    }

    /// Reads the one in `dir`.
    ///
    /// # Errors
    /// The file cannot be read, or is no manifest.
    pub fn read(dir: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(dir.join(MANIFEST))?)?)
    }
}

impl Machine {
    /// This machine.
    #[must_use]
    pub fn this() -> Self {
        let cpu = fs::read_to_string("/proc/cpuinfo").ok().as_deref().and_then(cpu_name);
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
        Self { cpu, cores }
    }
}

fn cpu_name(cpuinfo: &str) -> Option<String> {
    let fields: BTreeMap<_, _> =
        cpuinfo.lines().filter_map(|line| line.split_once(':')).map(trimmed).collect();
    fields.get("model name").filter(|name| !name.is_empty()).map(|name| (*name).to_owned())
}

fn trimmed<'a>((key, value): (&'a str, &'a str)) -> (&'a str, &'a str) {
    (key.trim(), value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            schema: SCHEMA,
            scenario: "local".to_owned(),
            seed: 7,
            version: "0.1.0".to_owned(),
            created: "2026-03-01T12:30:05Z".to_owned(),
            genesis: "ab".repeat(32),
            slot_ms: 1_000,
            machine: Machine { cpu: Some("a fast one".to_owned()), cores: 2 },
            nodes: vec![ManifestNode {
                name: "n0".to_owned(),
                peer: "12D3".to_owned(),
                address: "/ip4/127.0.0.1/tcp/7700/p2p/12D3".to_owned(),
                rpc: "http://127.0.0.1:7780".to_owned(),
                dir: "n0".to_owned(),
                pid: 4_711,
                authority: None,
                died: Some(Died { at_us: 7, status: "signal: 9 (SIGKILL)".to_owned() }),
            }],
            edges: vec![["n0".to_owned(), "n1".to_owned()]],
            load: ManifestLoad { rate: 0.5, duration_ms: 30_000, ..ManifestLoad::default() },
            measure: None,
            faults: Vec::new(),
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let home = tempfile::tempdir().unwrap();
        let measure = Measure { from_us: 5, until_us: 9, settle_us: 2 };
        for measure in [None, Some(measure)] {
            let manifest = Manifest { measure, ..manifest() };
            manifest.write(home.path()).unwrap();
            assert_eq!(Manifest::read(home.path()).unwrap(), manifest);
        }
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_name_of_the_processor_is_found_where_there_is_one() {
        let text = "processor\t: 0\nmodel name\t: AMD EPYC 7R13\n\nprocessor\t: 1\n";
        assert_eq!(cpu_name(text).as_deref(), Some("AMD EPYC 7R13"));
        assert_eq!(cpu_name("processor : 0\n"), None);
    }
}
