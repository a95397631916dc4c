//! This node and its neighbours, as the members of the network tell of themselves.

use std::time::Duration;

use hearsay_network::PeerId;
use hearsay_network::members::Load;
use hearsay_network::members::choose::Candidate;

/// A member to which a connection stands, or this node itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbour {
    /// Its peer id.
    pub peer: PeerId,
    /// The name it goes by; empty if it has none.
    pub name: String,
    /// How busy it says that it is.
    pub load: Load,
    /// The round trip to it, if it was measured.
    pub rtt: Option<Duration>,
    /// Whether nobody doubts that it is there.
    pub alive: bool,
}

impl Neighbour {
    /// What it is called: its name, or its peer id if it has none.
    #[must_use]
    pub fn called(&self) -> String {
        if self.name.is_empty() { self.peer.to_string() } else { self.name.clone() }
    }

    pub(super) fn is(&self, word: &str) -> bool {
        self.name == word || self.peer.to_string() == word
    }

    pub(super) fn candidate(&self) -> Candidate {
        Candidate { peer: self.peer, load: self.load, rtt: self.rtt }
    }
}

/// This node and its neighbours.
#[derive(Clone, Debug, PartialEq)]
pub struct Surroundings {
    /// This node; nothing is nearer.
    pub own: Neighbour,
    /// The members to which connections stand.
    pub neighbours: Vec<Neighbour>,
}
