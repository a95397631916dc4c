//! Between the start of the nodes and the first load: connections, meshes, lists of members, and how long
//! the links really take.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::{Fault, Lab, READY, calibrate, talk};
use crate::cluster::{ClusterError, State};
use crate::report::live::Live;

/// How long after a node has its peers its meshes may still be growing: some heartbeats. What they
/// lack by then is what the graph or its settings do not give.
const MESHES: Duration = Duration::from_secs(8);

/// More nodes than these that start at once have so much to tell each other of themselves, some 8 KiB a
/// node for each other one, that links are measured and loads begun only once that is over.
const CROWD: usize = 16;

/// It is over when a node sends no more than so many bytes a second of it: twice what an idle one may.
const CALM: f64 = 4_096.0;

/// And in any case after so long: nodes that look for nearer neighbours go on telling of them.
const CALMS: Duration = Duration::from_secs(20);

/// Nodes write down what went over their sockets every second. So long after the probes, a line of
/// theirs lies between these and what is measured.
const WIRE_LINE: Duration = Duration::from_millis(1_100);

impl Lab {
    /// Waits until the nodes that run are connected, and probes their links.
    ///
    /// # Errors
    /// A node that is not ready in time.
    pub async fn get_ready(&mut self) -> Result<(), ClusterError> {
        let unmeshed = self.cluster.ready(self.clock.real(READY), self.clock.real(MESHES)).await?;
        if !unmeshed.is_empty() {
            self.note(talk::unmeshed(&unmeshed)).await;
        }
        if self.plan.nodes() > CROWD {
            self.calm_down().await;
        }
        if self.plan.shaped() {
            let up = |node: usize| self.cluster.seats()[node].state() == State::Up;
            let edges = match self.plan.bootstrap {
                Some(_) => self.cluster.connections().await,
                None => self.plan.edges.clone(),
            };
            let sample = calibrate::sample(&edges, up, self.scenario.seed);
            self.manifest.calibration =
                calibrate::calibrate(self.cluster.seats(), &self.links, self.plan.window, &sample)
                    .await;
            let uneven = self.links.even_out(false);
            if let Err(why) = self.tell(uneven).await {
                self.fault(Fault::sentence(why));
            }
            // Round trips alone are next to nothing beside what nodes say by themselves.
            if self.manifest.calibration.iter().any(|link| link.asked_bytes_per_s.is_some()) {
                sleep(self.clock.real(WIRE_LINE)).await;
            }
            self.write_manifest();
        }
        Ok(())
    }

    /// Waits until the nodes have told each other who they are.
    async fn calm_down(&self) {
        let mut live = self.tail.live();
        let is_calm = |live: &Live| live.members_per_node_s.is_some_and(|rate| rate <= CALM);
        // Who asked for a run wants it, calm or not; how busy it was is in the report.
        let _ = timeout(self.clock.real(CALMS), live.wait_for(is_calm)).await;
    }
}
