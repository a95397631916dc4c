//! What `testnet.json` says that a report wants to know: which stretch of time to measure, and the
//! scenario's name and seed. All of it is optional, and whatever else is in the file is not looked
//! at.

use std::path::Path;
use std::{fs, io};

use serde_json::Value;

/// The manifest's name in the folder of a testnet.
pub(crate) const MANIFEST: &str = "testnet.json";

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
    /// What is wrong with the file, in a sentence.
    pub(crate) fault: Option<String>,
}

impl Manifest {
    /// Reads the manifest in `dir`; without one, nothing is known and nothing is wrong.
    pub(crate) fn read(dir: &Path) -> Self {
        match fs::read(dir.join(MANIFEST)) {
            Ok(bytes) => Self::parse(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::default(),
            Err(error) => Self::faulty(format!("{MANIFEST} cannot be read: {error}")),
        }
    }

    /// Takes from `bytes` what is there and of the right type.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let value: Value = match serde_json::from_slice(bytes) {
            Ok(value) => value,
            Err(error) => return Self::faulty(format!("{MANIFEST} is not JSON: {error}")),
        };
        let measure = &value["measure"];
        let bounds = (measure["from_us"].as_i64(), measure["until_us"].as_i64());
        let word = |key: &str| value[key].as_str().map(str::to_owned);
        let mut manifest = Manifest {
            settle_us: measure["settle_us"].as_i64().filter(|&settle| settle >= 0),
            scenario: word("scenario"),
            seed: value["seed"].as_u64(),
            links: word("links"),
            ..Self::default()
        };
        match bounds {
            (Some(from), Some(until)) if from < until => manifest.measure = Some((from, until)),
            (Some(_), Some(_)) => {
                let fault = "the measured window ends before it begins".to_owned();
                manifest.fault = Some(fault);
            }
            _ => {}
        }
        manifest
    }

    fn faulty(fault: String) -> Self {
        Manifest { fault: Some(fault), ..Self::default() }
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
        assert!(backward.fault.is_some() && backward.measure.is_none());
        let broken = Manifest::parse(b"{\"seed\":");
        assert!(broken.fault.is_some_and(|fault| fault.contains("JSON")));
    }
}
