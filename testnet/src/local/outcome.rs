//! What went wrong, and what is written and said about it.

use std::fmt;
use std::process::ExitStatus;

use jiff::Timestamp;

use super::launch::Testnet;
use super::{LocalError, Options, Stopped, talk};
use crate::cluster::{ClusterError, Layout};
use crate::interrupts::Interrupts;
use crate::manifest::Died;
use crate::output;
use crate::progress::Phase;
use crate::report;

/// Lines of a node's log that are shown when it has died.
const TAIL: usize = 15;

/// The present, in microseconds since the Unix epoch.
pub(super) fn unix_us() -> i64 {
    Timestamp::now().as_microsecond()
}

/// Something that went wrong in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What, in a sentence.
    pub what: String,
    /// The end of the log that tells why, with the log's name.
    pub tail: Option<String>,
}

impl Fault {
    /// One without a log.
    pub(super) fn sentence(what: impl Into<String>) -> Self {
        Self { what: what.into(), tail: None }
    }

    fn of_node(layout: &Layout, node: &str, what: String) -> Self {
        let log = layout.log(node);
        let tail = layout.log_tail(node, TAIL);
        let tail = if tail.is_empty() {
            format!("{} is empty", log.display())
        } else {
            format!("the end of {}:\n{tail}", log.display())
        };
        Self { what, tail: Some(tail) }
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

impl Testnet {
    /// Notes that work was given up, and says so at once.
    pub(super) async fn stopped(&mut self, stopped: &Stopped, when: &str) {
        let fault = match stopped {
            Stopped::Interrupted => Fault::sentence(format!("interrupted {when}")),
            Stopped::Died(exit) => {
                let name = self.plan.nodes[exit.node].name.clone();
                self.tail.gone(&name);
                self.manifest.nodes[exit.node].died =
                    Some(Died { at_us: unix_us(), status: exit.status.to_string() });
                let what = format!("{name} died {when}: {}", exit.status);
                let fault = Fault::of_node(&self.layout, &name, what);
                self.dead.insert(name);
                fault
            }
        };
        self.progress.note(fault.what.clone()).await;
        self.fault(fault);
    }

    /// Notes that the nodes did not get ready.
    pub(super) fn not_ready(&mut self, error: &ClusterError) {
        let fault = match error {
            ClusterError::NotReady { node, .. } => {
                Fault::of_node(&self.layout, node, error.to_string())
            }
            _ => Fault::sentence(error.to_string()),
        };
        self.fault(fault);
    }

    /// Notes a fault.
    pub(super) fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Stops all nodes; asked for the end once more, kills them. When it returns none is left.
    pub(super) async fn stop(&mut self, interrupts: &mut Interrupts) {
        self.progress.phase(Phase::Stopping).await;
        let unclean = tokio::select! {
            unclean = self.cluster.stop() => unclean,
            () = interrupts.next() => {
                self.cluster.kill().await;
                self.fault(Fault::sentence("interrupted while stopping: the nodes were killed"));
                Vec::new()
            }
        };
        for (name, status) in unclean {
            if self.dead.insert(name.clone()) {
                let what = format!("{name} did not stop in order: {}", how(status));
                self.fault(Fault::of_node(&self.layout, &name, what));
            }
        }
        self.progress.end().await;
        self.write_manifest();
    }

    /// Writes down what was run, as far as it is known.
    pub(super) fn write_manifest(&mut self) {
        self.manifest.load.outcome = self.counts.borrow().clone();
        self.manifest.faults = self.faults.iter().map(|fault| fault.what.clone()).collect();
        if let Err(error) = self.manifest.write(self.layout.dir()) {
            self.fault(Fault::sentence(format!("the manifest cannot be written: {error}")));
        }
    }

    /// Reads the logs, writes the report and, the first time, prints it.
    pub(super) async fn report(&mut self, options: &Options) -> Result<(), LocalError> {
        let dir = self.layout.dir().to_owned();
        let read = tokio::task::spawn_blocking(move || report::build(&dir));
        // A panic there goes on here.
        let report =
            read.await.unwrap_or_else(|end| std::panic::resume_unwind(end.into_panic()))?;
        report::write(self.layout.dir(), &report)?;
        if self.reported {
            eprintln!("{}", talk::rewritten(&self.layout));
            return Ok(());
        }
        output::report(&report, options.format)?;
        eprintln!("{}", talk::afterwards(&self.layout, &self.counts.borrow()));
        self.reported = true;
        Ok(())
    }

    /// The verdict on the run.
    pub(super) fn into_faults(self) -> Result<(), LocalError> {
        if self.faults.is_empty() { Ok(()) } else { Err(LocalError::Faults(self.faults)) }
    }
}

fn how(status: Option<ExitStatus>) -> String {
    status.map_or_else(|| "it had to be killed".to_owned(), |status| status.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_a_node_shows_the_end_of_its_log() {
        let home = tempfile::tempdir().unwrap();
        let layout = Layout::at(home.path().to_owned());
        let fault = Fault::of_node(&layout, "n0", "n0 died".to_owned());
        assert!(fault.to_string().ends_with("n0/node.log is empty"), "{fault}");
        std::fs::create_dir(layout.node("n0")).unwrap();
        std::fs::write(layout.log("n0"), "one\nthe disk is full\n").unwrap();
        let fault = Fault::of_node(&layout, "n0", "n0 died".to_owned());
        assert!(fault.to_string().ends_with("node.log:\none\nthe disk is full"), "{fault}");
    }
}
