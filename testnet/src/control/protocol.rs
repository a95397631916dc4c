//! What is asked and answered.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// A question to a running testnet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case")]
pub enum Ask {
    /// How is everything?
    Status,
    /// Do what one `[[at]]` entry of a scenario says, now.
    Act {
        /// The entry's keys, without `time`, in TOML.
        action: String,
    },
    /// Write the manifest as of now, so that a report counts everything so far.
    Note,
    /// Stop all nodes in order, and end.
    Down,
}

/// Its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Reply {
    /// It was done.
    Done {
        /// What, in a sentence.
        said: String,
    },
    /// How everything is.
    Status(Box<Status>),
    /// It was not done.
    Refused {
        /// Why, in a sentence.
        why: String,
    },
}

/// A testnet at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The scenario's name.
    pub scenario: String,
    /// What it is doing, in a few words.
    pub phase: String,
    /// For how long it has run, in seconds.
    pub up_s: f64,
    /// How many times slower than the times that it tells everything runs.
    pub dilation: u32,
    /// The nodes in order.
    pub nodes: Vec<NodeRow>,
}

/// One node at one moment. What only a node that answers knows is absent otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeRow {
    /// Its name.
    pub name: String,
    /// `up`, `starting`, `paused`, `down`, or `dead` if it ended by itself.
    pub state: String,
    /// Whether it proposes blocks.
    pub authority: bool,
    /// Where in the world it is taken to be.
    pub region: Option<String>,
    /// Its peer id.
    pub peer: String,
    /// Where others dial it.
    pub address: String,
    /// Where its user reaches it; none for one of many in a process.
    pub rpc: Option<String>,
    /// Its process.
    pub pid: Option<u32>,
    /// The height of its tip.
    pub height: Option<u64>,
    /// The height of its last final block.
    pub final_height: Option<u64>,
    /// Transactions in its pool.
    pub pool: Option<u64>,
    /// Its neighbours.
    pub peers: Option<u64>,
    /// How late its process woke up over the last second: 99th percentile, in milliseconds.
    pub lag_ms: Option<f64>,
}

impl Status {
    /// As a table.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{}, {}, up for {:.0} s{}\n",
            self.scenario,
            self.phase,
            self.up_s,
            if self.dilation > 1 {
                format!(", {} times slower", self.dilation)
            } else {
                String::new()
            }
        );
        let head = [
            "node",
            "state",
            "region",
            "height",
            "final",
            "pool",
            "peers",
            "lag ms",
            "peer id",
            "addresses",
        ];
        let mut rows = vec![head.map(str::to_owned)];
        rows.extend(self.nodes.iter().map(NodeRow::cells));
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        let widths: Vec<usize> = (0..head.len()).map(|column| width(column).unwrap_or(0)).collect();
        for row in &rows {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
                // Figures stand under each other by their last digit.
                if (3..8).contains(&column) {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            });
            // Writing to a string does not fail.
            let _ = writeln!(text, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
        }
        text
    }
}

impl NodeRow {
    fn cells(&self) -> [String; 10] {
        let figure =
            |figure: Option<u64>| figure.map_or("-".to_owned(), |figure| figure.to_string());
        let name = if self.authority { format!("{}*", self.name) } else { self.name.clone() };
        let addresses = match &self.rpc {
            Some(rpc) => format!("{} {rpc}", self.address),
            None => self.address.clone(),
        };
        // The address that peers dial ends in the peer id, which has a column of its own.
        let addresses = addresses.replace(&format!("/p2p/{}", self.peer), "");
        [
            name,
            self.state.clone(),
            self.region.clone().unwrap_or_else(|| "-".to_owned()),
            figure(self.height),
            figure(self.final_height),
            figure(self.pool),
            figure(self.peers),
            self.lag_ms.map_or("-".to_owned(), |lag| format!("{lag:.1}")),
            self.peer.clone(),
            addresses,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_row_for_each_node_and_dashes_for_what_is_not_known() {
        let up = NodeRow {
            name: "n0".to_owned(),
            state: "up".to_owned(),
            authority: true,
            region: Some("dallas".to_owned()),
            peer: "12D3".to_owned(),
            address: "/ip4/127.0.0.1/tcp/9/p2p/12D3".to_owned(),
            rpc: Some("http://127.0.0.1:8".to_owned()),
            height: Some(120),
            lag_ms: Some(0.25),
            ..NodeRow::default()
        };
        let down =
            NodeRow { name: "n1".to_owned(), state: "down".to_owned(), ..NodeRow::default() };
        let status = Status {
            scenario: "calm".to_owned(),
            phase: "idle".to_owned(),
            up_s: 3.2,
            dilation: 4,
            nodes: vec![up, down],
        };
        let text = status.to_text();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "calm, idle, up for 3 s, 4 times slower");
        assert!(lines[2].starts_with("n0*   up     dallas     120"), "{text}");
        assert!(lines[2].ends_with("12D3     /ip4/127.0.0.1/tcp/9 http://127.0.0.1:8"), "{text}");
        assert!(lines[3].starts_with("n1    down   -            -"), "{text}");
    }
}
