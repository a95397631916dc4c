//! What went wrong in a run.

use std::fmt;

use crate::cluster::{ClusterError, Layout};

/// Lines of a node's log that are shown when it has died.
const TAIL: usize = 15;

/// Something that went wrong in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What, in a sentence.
    pub what: String,
    /// The end of the log that tells why, with the log's name.
    pub tail: Option<String>,
    /// Whether it is that somebody asked for the end.
    pub interruption: bool,
}

impl Fault {
    /// One without a log.
    pub fn sentence(what: impl Into<String>) -> Self {
        Self { what: what.into(), tail: None, interruption: false }
    }

    /// One of a node, with what it said last.
    #[must_use]
    pub fn of_node(layout: &Layout, node: &str, what: String) -> Self {
        let log = layout.log(node);
        // A node in this process says what it says on our own stderr.
        if !log.exists() {
            return Self { what, tail: None, interruption: false };
        }
        let tail = layout.log_tail(node, TAIL);
        let tail = if tail.is_empty() {
            format!("{} is empty", log.display())
        } else {
            format!("the end of {}:\n{tail}", log.display())
        };
        Self { what, tail: Some(tail), interruption: false }
    }

    /// One of a node that could not be started, or was not ready.
    #[must_use]
    pub fn of_cluster(layout: &Layout, error: &ClusterError) -> Self {
        match error {
            ClusterError::NotReady { node, .. } => Self::of_node(layout, node, error.to_string()),
            _ => Self::sentence(error.to_string()),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.tail {
            Some(tail) => write!(f, "\n{tail}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_a_node_shows_the_end_of_its_log() {
        let home = tempfile::tempdir().unwrap();
        let layout = Layout::at(home.path().to_owned());
        let fault = Fault::of_node(&layout, "n0", "n0 died".to_owned());
        assert_eq!(fault.to_string(), "n0 died", "one in this process has no log");
        std::fs::create_dir(layout.node("n0")).unwrap();
        std::fs::write(layout.log("n0"), "").unwrap();
        let fault = Fault::of_node(&layout, "n0", "n0 died".to_owned());
        assert!(fault.to_string().ends_with("n0/node.log is empty"), "{fault}");
        std::fs::write(layout.log("n0"), "one\nthe disk is full\n").unwrap();
        let fault = Fault::of_node(&layout, "n0", "n0 died".to_owned());
        assert!(fault.to_string().ends_with("node.log:\none\nthe disk is full"), "{fault}");
    }
}
