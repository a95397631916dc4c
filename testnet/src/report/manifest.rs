//! What `testnet.json` says that a report wants to know: which stretch of time to measure, what was
//! asked of the links, and what was done to the nodes. All of it is optional, and whatever else is in
//! the file is not looked at.

use std::path::Path;
use std::{fs, io};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::shape::{Access, Action, Cut, Pause, Shape};
use super::submitted;
use crate::load::Counts;

/// The manifest's name in the folder of a testnet.
pub(crate) const MANIFEST: &str = "testnet.json";

/// How an action begins that ends nodes at once.
const KILL: &str = "kill ";

/// The parts of the manifest that matter here.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Manifest {
    /// `measure.from_us` and `measure.until_us`: microseconds since the Unix epoch.
    pub(crate) measure: Option<(i64, i64)>,
    /// `measure.settle_us`: how long the network was left to settle after that, in microseconds.
    pub(crate) settle_us: Option<i64>,
    /// `scenario`: its name.
    pub(crate) scenario: Option<String>,
    /// `seed`.
    pub(crate) seed: Option<u64>,
    /// `links`: how the links were made, in words.
    pub(crate) links: Option<String>,
    /// `description`: what the scenario is for.
    pub(crate) description: Option<String>,
    /// `mode`: `processes` or `in-process`.
    pub(crate) mode: Option<String>,
    /// `dilation`: how many times slower than real time it ran.
    pub(crate) dilation: Option<u32>,
    /// `lag_limit_us`: beyond this lag the run is not valid.
    pub(crate) lag_limit_us: Option<u64>,
    /// `nodes`: each by its name.
    pub(crate) nodes: Vec<NodeEntry>,
    /// `edges`: the connections of the topology, by the nodes' names.
    pub(crate) edges: Vec<[String; 2]>,
    /// `shape`: what was asked of the links.
    pub(crate) shape: Option<Shape>,
    /// `calibration`: what probes measured on them.
    pub(crate) calibration: Option<Vec<Probe>>,
    /// `actions`: what was done to the network.
    pub(crate) actions: Vec<Action>,
    /// `pauses`: when nodes were held still.
    pub(crate) pauses: Vec<Pause>,
    /// `cuts`: when nodes were cut off from others.
    pub(crate) cuts: Vec<Cut>,
    /// `load.outcome`: what came of the load.
    pub(crate) load: Option<Counts>,
    /// `starved`: when nodes ran for a share of the time only.
    pub(crate) starved: Vec<Pause>,
    /// `fanout`: to how many of all others each node pushes, in the textbook's network.
    pub(crate) fanout: Option<u64>,
    /// Of another file, when each transaction was handed in: microseconds since the Unix epoch, and its id.
    pub(crate) handed_in: Vec<(i64, Box<str>)>,
    /// What is wrong with the file, in sentences, and then `faults`: what went wrong in the run.
    pub(crate) faults: Vec<String>,
}

/// What the manifest says of a node.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct NodeEntry {
    /// Its name.
    pub(crate) name: String,
    /// Its region.
    pub(crate) region: Option<String>,
    /// What it may send and receive as a whole.
    pub(crate) access: Option<Access>,
    /// Seconds of processor time.
    pub(crate) cpu_s: Option<f64>,
    /// Its end, if it came before it was told to stop.
    pub(crate) died: Option<Died>,
}

/// The end of a node that was not told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Died {
    /// When it was noticed, in microseconds since the Unix epoch.
    pub(crate) at_us: i64,
}

/// What a probe measured on a link.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Probe {
    /// The node that probed.
    pub(crate) from: String,
    /// The node that answered.
    pub(crate) to: String,
    /// The round trip that was asked for, in microseconds.
    pub(crate) asked_rtt_us: Option<u64>,
    /// Those that were measured, in microseconds.
    pub(crate) rtt_us: Vec<u64>,
    /// The rate that was asked for, in bytes a second.
    pub(crate) asked_bytes_per_s: Option<f64>,
    /// The one that was measured.
    pub(crate) bytes_per_s: Option<f64>,
    /// Why something was not measured.
    pub(crate) failure: Option<String>,
}

impl Manifest {
    /// Reads the manifest in `dir`; without one, nothing is known and nothing is wrong.
    pub(crate) fn read(dir: &Path) -> Self {
        match fs::read(dir.join(MANIFEST)) {
            Ok(bytes) => Self { handed_in: submitted::read(dir), ..Self::parse(&bytes) },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::default(),
            Err(error) => Self::faulty(format!("{MANIFEST} cannot be read: {error}")),
        }
    }

    /// Takes from `bytes` what is there. A part that is not what it should be is a fault.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let value: Value = match serde_json::from_slice(bytes) {
            Ok(value) => value,
            Err(error) => return Self::faulty(format!("{MANIFEST} is not JSON: {error}")),
        };
        let measure = &value["measure"];
        let bounds = (measure["from_us"].as_i64(), measure["until_us"].as_i64());
        let word = |key: &str| value[key].as_str().map(str::to_owned);
        let mut faults = Vec::new();
        let mut manifest = Manifest {
            settle_us: measure["settle_us"].as_i64().filter(|&settle| settle >= 0),
            scenario: word("scenario"),
            seed: value["seed"].as_u64(),
            links: word("links"),
            description: word("description"),
            mode: word("mode"),
            dilation: part(&value, "dilation", &mut faults),
            lag_limit_us: part(&value, "lag_limit_us", &mut faults),
            nodes: part(&value, "nodes", &mut faults).unwrap_or_default(),
            edges: part(&value, "edges", &mut faults).unwrap_or_default(),
            shape: part(&value, "shape", &mut faults),
            calibration: part(&value, "calibration", &mut faults),
            actions: part(&value, "actions", &mut faults).unwrap_or_default(),
            pauses: part(&value, "pauses", &mut faults).unwrap_or_default(),
            cuts: part(&value, "cuts", &mut faults).unwrap_or_default(),
            load: part(&value["load"], "outcome", &mut faults),
            starved: part(&value, "starved", &mut faults).unwrap_or_default(),
            fanout: part(&value, "fanout", &mut faults),
            ..Self::default()
        };
        match bounds {
            (Some(from), Some(until)) if from < until => manifest.measure = Some((from, until)),
            (Some(_), Some(_)) => {
                faults.push("the measured window ends before it begins".to_owned());
            }
            _ => {}
        }
        if let Some(fault) = manifest.shape.as_ref().and_then(|shape| shape.fault()) {
            faults.push(format!("{MANIFEST}: shape: {fault}"));
            manifest.shape = None;
        }
        let told: Option<Vec<String>> = part(&value, "faults", &mut faults);
        faults.extend(told.unwrap_or_default());
        manifest.faults = faults;
        manifest.actions.sort_by_key(|action| action.at_us);
        manifest
    }

    /// Which nodes were killed or died, and when.
    pub(crate) fn deaths(&self) -> impl Iterator<Item = (&str, i64)> {
        let kills = self.actions.iter().filter(|action| action.what.starts_with(KILL));
        let killed = kills.flat_map(|kill| kill.nodes.iter().map(|node| (&**node, kill.at_us)));
        let died = self.nodes.iter().filter_map(|node| Some((&*node.name, node.died?.at_us)));
        killed.chain(died)
    }

    fn faulty(fault: String) -> Self {
        Manifest { faults: vec![fault], ..Self::default() }
    }
}

/// One part of the manifest; absent when it is null or not there, and a fault when it is not what it
/// should be.
fn part<T: DeserializeOwned>(value: &Value, key: &str, faults: &mut Vec<String>) -> Option<T> {
    let found = value.get(key).filter(|found| !found.is_null())?;
    match T::deserialize(found) {
        Ok(part) => Some(part),
        Err(error) => {
            faults.push(format!("{MANIFEST}: {key}: {error}"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_it_is_optional() {
        assert_eq!(Manifest::parse(b"{}"), Manifest::default());
        let odd = br#"{"measure": 3, "seed": "x", "scenario": null, "nodes": []}"#;
        assert_eq!(Manifest::parse(odd), Manifest::default());
    }

    #[test]
    fn what_is_there_is_taken() {
        let manifest = Manifest::parse(
            br#"{"scenario":"calm","seed":7,"measure":{"from_us":5,"until_us":9,"settle_us":2}}"#,
        );
        assert_eq!(manifest.scenario.as_deref(), Some("calm"));
        assert_eq!(manifest.seed, Some(7));
        assert_eq!(manifest.measure, Some((5, 9)));
        assert_eq!(manifest.settle_us, Some(2));
    }

    #[test]
    fn a_backward_window_or_a_broken_file_is_a_fault() {
        let backward = Manifest::parse(br#"{"measure":{"from_us":9,"until_us":5}}"#);
        assert!(!backward.faults.is_empty() && backward.measure.is_none());
        let broken = Manifest::parse(b"{\"seed\":");
        assert!(broken.faults[0].contains("JSON"));
    }

    #[test]
    fn a_part_that_is_not_what_it_should_be_is_a_fault_and_the_rest_is_taken() {
        let manifest = Manifest::parse(br#"{"edges":[["n0"]],"dilation":4,"mode":"in-process"}"#);
        assert!(manifest.faults[0].starts_with("testnet.json: edges: "), "{:?}", manifest.faults);
        assert_eq!((manifest.dilation, manifest.faults.len()), (Some(4), 1));
        assert_eq!(manifest.mode.as_deref(), Some("in-process"));
    }

    #[test]
    fn a_shape_whose_parts_do_not_fit_together_is_a_fault() {
        for (shape, part) in [
            (r#"{"regions":["a","b"],"one_way_us":[[1,2]],"node_region":[0]}"#, "2 by 2"),
            (r#"{"regions":["a"],"one_way_us":[[1,2]],"node_region":[0]}"#, "1 by 1"),
            (r#"{"regions":["a"],"one_way_us":[[1]],"node_region":[0,1]}"#, "region 1"),
        ] {
            let manifest = Manifest::parse(format!(r#"{{"shape":{shape}}}"#).as_bytes());
            assert!(manifest.shape.is_none());
            assert!(manifest.faults[0].contains(part), "{:?}", manifest.faults);
        }
    }

    #[test]
    fn actions_are_in_the_order_of_their_times_and_what_went_wrong_is_kept() {
        let manifest = Manifest::parse(
            br#"{"actions":[{"at_us":9,"what":"heal","nodes":[]},{"at_us":5,"what":"cut n0","nodes":["n0"]}],
                 "faults":["n3 died during the load: signal: 9 (SIGKILL)"]}"#,
        );
        let what: Vec<_> = manifest.actions.iter().map(|action| &*action.what).collect();
        assert_eq!(what, ["cut n0", "heal"]);
        assert_eq!(manifest.faults, ["n3 died during the load: signal: 9 (SIGKILL)"]);
    }
}
