//! The links as they were asked for: what the manifest says of delays, rates and topology.
//!
//! These are settings of the model that shapes the links, not measurements; what a probe measured on
//! them is the [calibration](super::calibration).

use serde::{Deserialize, Serialize};

/// How the links were shaped. Modelled: these are the settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shape {
    /// The region matrix by its name; absent when delays were given by hand.
    pub profile: Option<String>,
    /// The standard deviation of a link's delay as a share of it.
    pub jitter: f64,
    /// The chance that a segment is lost, which stalls the stream.
    pub loss: f64,
    /// Whether TCP's start-up window is modelled.
    pub window: bool,
    /// The rate of each link in bytes a second; absent when it is not limited.
    pub link_rate: Option<u64>,
    /// The regions' names.
    pub regions: Vec<String>,
    /// The delay one way from the region of the row to the region of the column, in microseconds.
    pub one_way_us: Vec<Vec<u64>>,
    /// The region of each node, as a place in `regions`, in the order of the manifest's nodes.
    pub node_region: Vec<usize>,
    /// Links that differ from that, each one way.
    pub links: Vec<OddLink>,
}

/// A link, one way, that differs from what the regions of its ends say. Modelled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OddLink {
    /// The node that sends.
    pub from: String,
    /// The node that receives.
    pub to: String,
    /// Its delay in microseconds.
    pub delay_us: u64,
    /// Its rate in bytes a second; absent when it is not limited.
    pub rate: Option<u64>,
}

impl Shape {
    /// What does not fit together in it, in a sentence.
    pub(crate) fn fault(&self) -> Option<String> {
        let regions = self.regions.len();
        let square = self.one_way_us.len() == regions
            && self.one_way_us.iter().all(|row| row.len() == regions);
        if !square {
            return Some(format!("one_way_us is not {regions} by {regions}, as there are regions"));
        }
        let unknown = self.node_region.iter().find(|&&region| region >= regions)?;
        Some(format!("a node is in region {unknown}, which does not exist"))
    }

    /// The region of the manifest's node at `place`, by its name; `None` of a node without one, and
    /// where all are in a single region without a name.
    pub(crate) fn region_of(&self, place: usize) -> Option<&str> {
        let name = self.regions.get(*self.node_region.get(place)?)?;
        (!name.is_empty()).then_some(name)
    }

    /// It in words, for the head of a report.
    pub(crate) fn words(&self) -> String {
        let mut words = match &self.profile {
            Some(profile) => format!("modelled links: {profile}"),
            None => "modelled links: delays given by hand".to_owned(),
        };
        if self.jitter > 0.0 {
            words += &format!(", jitter {} %", percent(self.jitter));
        }
        if self.loss > 0.0 {
            words += &format!(", loss {} %", percent(self.loss));
        }
        if let Some(rate) = self.link_rate {
            words += &format!(", {}/s a link", super::words::bytes(rate));
        }
        if self.window {
            words += ", start-up window";
        }
        words
    }
}

/// A share in per cent without digits that a binary fraction adds.
fn percent(share: f64) -> f64 {
    (share * 1e6).round() / 1e4
}

/// What a node as a whole may send and receive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Access {
    /// Bytes a second to all others together; absent when it is not limited.
    pub up: Option<u64>,
    /// Bytes a second from all others together; absent when it is not limited.
    pub down: Option<u64>,
}

/// One thing that the scenario did to the network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Action {
    /// When, in microseconds since the Unix epoch.
    pub at_us: i64,
    /// What, in words.
    pub what: String,
    /// The nodes that it was done to.
    pub nodes: Vec<String>,
}

/// A stretch of time during which a node was held still. It counts as not running.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// The node.
    pub node: String,
    /// From when, in microseconds since the Unix epoch …
    pub from_us: i64,
    /// … until when; absent when it was never resumed.
    #[serde(default)]
    pub until_us: Option<i64>,
}

/// A stretch of time during which nothing went from some nodes to others. The nodes go on running
/// and remain expected to have everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// From when, in microseconds since the Unix epoch …
    pub from_us: i64,
    /// … until when; absent when it was never healed.
    #[serde(default)]
    pub until_us: Option<i64>,
    /// The nodes on one side.
    pub from: Vec<String>,
    /// The nodes on the other side.
    pub to: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_links_are_told_in_one_line() {
        let mut shape = Shape { profile: Some("world-cities".to_owned()), ..Shape::default() };
        assert_eq!(shape.words(), "modelled links: world-cities");
        shape.jitter = 0.07;
        shape.loss = 0.001;
        shape.link_rate = Some(6_250_000);
        shape.window = true;
        let all = "modelled links: world-cities, jitter 7 %, loss 0.1 %, 6.25 MB/s a link, \
                   start-up window";
        assert_eq!(shape.words(), all);
    }
}
