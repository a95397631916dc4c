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
    /// What the scenario says that it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `processes`, or `in-process` for many nodes in one.
    #[serde(default)]
    pub mode: String,
    /// How many times slower than the times in logs and reports everything ran.
    #[serde(default = "one")]
    pub dilation: u32,
    /// The 99th percentile of the scheduler's lag that a valid run stays below, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_limit_us: Option<u64>,
    /// The scenario's assertions: a field of the report, and what it must be.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub asserts: BTreeMap<String, String>,
    /// The nodes in order.
    pub nodes: Vec<ManifestNode>,
    /// Who was made to know whom, by name.
    pub edges: Vec<[String; 2]>,
    /// To how many others, of all that there are, each node pushes a message, where the scenario is the
    /// textbook's: everyone is connected to everyone, and nobody tells all its neighbours at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fanout: Option<u64>,
    /// What was asked of the links; absent if they are plain sockets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Shape>,
    /// What probes measured on a sample of the links before the load.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calibration: Vec<Calibrated>,
    /// What was done to the nodes and links meanwhile, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Done>,
    /// When nodes stood still.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<Pause>,
    /// When nodes ran for a share of the time only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub starved: Vec<Starved>,
    /// When links were cut.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cuts: Vec<CutSpan>,
    /// What was asked of the load and what came of it.
    pub load: ManifestLoad,
    /// The first account that no load has used; what comes before is not free any more.
    #[serde(default)]
    pub next_spare: usize,
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

fn one() -> u32 {
    1
}

/// What was asked of the links. Delays are one way, rates in bytes a second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// The matrix that the delays are from, if from one.
    pub profile: Option<String>,
    /// The standard deviation of the delay, as a share of it.
    pub jitter: f64,
    /// The chance of each segment to be lost: a model.
    pub loss: f64,
    /// Whether TCP's start-up window is modelled.
    pub window: bool,
    /// The rate of each link.
    pub link_rate: Option<u64>,
    /// The names of the regions; a single one without a name if there are none.
    pub regions: Vec<String>,
    /// The delay from a region to another, in microseconds.
    pub one_way_us: Vec<Vec<u64>>,
    /// The region of each node, as its place in `regions`.
    pub node_region: Vec<usize>,
    /// Links that differ from the matrix.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<OddLink>,
}

/// A link, one way, that differs from the matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OddLink {
    /// The node that sends.
    pub from: String,
    /// The node that receives.
    pub to: String,
    /// Its delay in microseconds.
    pub delay_us: u64,
    /// Its rate in bytes a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<u64>,
}

/// What a node's access to the network takes, in bytes a second; absent without a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRates {
    /// What it can send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up: Option<u64>,
    /// What it can receive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down: Option<u64>,
}

/// What probes measured on one link.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibrated {
    /// The node that probed.
    pub from: String,
    /// The node that was probed.
    pub to: String,
    /// The round trip that was asked for, in microseconds.
    pub asked_rtt_us: u64,
    /// The round trips that were measured, in microseconds.
    pub rtt_us: Vec<u64>,
    /// The rate that was asked for, in bytes a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_bytes_per_s: Option<f64>,
    /// The rate that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_per_s: Option<f64>,
    /// Why nothing was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// Something that was done to nodes or links. Times are microseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// When.
    pub at_us: i64,
    /// What, in a few words.
    pub what: String,
    /// The nodes that it was done to.
    pub nodes: Vec<String>,
}

/// A stretch of time in which a node's process stood still.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// The node.
    pub node: String,
    /// From when.
    pub from_us: i64,
    /// Until when; absent if to the end.
    pub until_us: Option<i64>,
}

/// A stretch of time in which a node's process ran for a share of the time only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Starved {
    /// The node.
    pub node: String,
    /// The share, below 1.
    pub share: f64,
    /// From when.
    pub from_us: i64,
    /// Until when; absent if to the end.
    pub until_us: Option<i64>,
}

/// A stretch of time in which links were cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutSpan {
    /// From when.
    pub from_us: i64,
    /// Until when; absent if to the end.
    pub until_us: Option<i64>,
    /// Nothing went from these nodes …
    pub from: Vec<String>,
    /// … to these.
    pub to: Vec<String>,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// Where in the world it is taken to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Its access to the network.
    #[serde(default)]
    pub access: AccessRates,
    /// Its end, if it came before the node was told to stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub died: Option<Died>,
    /// Seconds of processor time of its last process, if it has one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_s: Option<f64>,
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
                region: None,
                access: AccessRates::default(),
                died: Some(Died { at_us: 7, status: "signal: 9 (SIGKILL)".to_owned() }),
                cpu_s: None,
            }],
            description: None,
            mode: "processes".to_owned(),
            dilation: 1,
            lag_limit_us: None,
            asserts: BTreeMap::new(),
            shape: None,
            calibration: Vec::new(),
            actions: Vec::new(),
            pauses: Vec::new(),
            starved: Vec::new(),
            fanout: None,
            cuts: Vec::new(),
            edges: vec![["n0".to_owned(), "n1".to_owned()]],
            load: ManifestLoad { rate: 0.5, duration_ms: 30_000, ..ManifestLoad::default() },
            next_spare: 0,
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
