//! Answers to the verbs.

use std::time::Duration;

use super::live::Stopped;
use super::{Fault, Lab};
use crate::cluster::{Seat, State};
use crate::control::{Ask, Asked, NodeRow, Reply, Status};
use crate::scenario::{Problem, Wish};

/// How long a load that is asked for with no end may last: as good as for ever.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3_600);

impl Lab {
    /// Answers one question; or hands it back if it asks for the end.
    pub(super) async fn answer(&mut self, asked: Asked) -> Option<Stopped> {
        let Asked { ask, reply } = asked;
        let answer = match ask {
            Ask::Down => return Some(Stopped::Down(reply)),
            Ask::Status => Reply::Status(Box::new(self.status().await)),
            Ask::Note => {
                self.write_manifest();
                Reply::Done { said: self.layout.dir().display().to_string() }
            }
            Ask::Act { action } => match self.do_now(&action).await {
                Ok(said) => Reply::Done { said },
                Err(why) => Reply::Refused { why },
            },
        };
        // Whoever asked may have gone.
        let _ = reply.send(answer);
        None
    }

    /// Does what one `[[at]]` entry says, or begins what one `[load]` says.
    async fn do_now(&mut self, text: &str) -> Result<String, String> {
        let wish = self.scenario.wish(text, self.loads.count(), LONGEST).map_err(|problems| {
            problems.iter().map(Problem::sentence).collect::<Vec<_>>().join("\n")
        })?;
        match wish {
            Wish::Action(action) => self.act(&action).await,
            Wish::Load { spec, senders, entries } => {
                let entries = entries.unwrap_or_else(|| self.cluster.with(State::Up));
                if entries.is_empty() {
                    return Err("no node is up to take it".to_owned());
                }
                self.loads.begin_now(&spec, senders, &entries)?;
                let what = format!(
                    "begin a load of {} transactions in {:.0} s",
                    spec.schedule.count(),
                    spec.schedule.duration.as_secs_f64()
                );
                self.record_done(what.clone(), &entries);
                self.write_manifest();
                Ok(what)
            }
        }
    }

    /// How everything is.
    async fn status(&mut self) -> Status {
        let phase = if self.loads.running() { "under load" } else { "idle" };
        let round = self.cluster.round().await;
        let nodes = self.cluster.seats().iter().zip(round).enumerate();
        let row = |(number, (seat, status)): (usize, (&Seat, Option<_>))| {
            let status: Option<hearsay_node::api::NodeStatus> = status;
            let state = match (seat.state(), &status) {
                (State::Up, None) => "starting",
                (state, _) => state.word(),
            };
            NodeRow {
                name: seat.plan.name.clone(),
                state: state.to_owned(),
                authority: seat.plan.authority.is_some(),
                region: self.plan.region(number).map(str::to_owned),
                peer: seat.plan.peer().to_string(),
                address: seat.plan.address(),
                rpc: seat.plan.url(),
                pid: seat.pid(),
                height: status.as_ref().map(|status| status.height),
                final_height: status.as_ref().map(|status| status.final_height),
                pool: status.as_ref().map(|status| status.mempool.count),
                peers: status.as_ref().map(|status| status.peers),
                lag_ms: status.and_then(|status| status.lag_p99_us).map(|lag| lag as f64 / 1e3),
            }
        };
        Status {
            scenario: self.scenario.name.clone(),
            phase: phase.to_owned(),
            up_s: self.up_since.elapsed().as_secs_f64(),
            dilation: self.scenario.dilation,
            nodes: nodes.map(row).collect(),
        }
    }

    /// What went wrong, for whoever ends it.
    #[must_use]
    pub fn faults_text(&self) -> Option<String> {
        let faults = self.faults.iter().map(Fault::to_string).collect::<Vec<_>>();
        (!faults.is_empty()).then(|| faults.join("\n"))
    }
}
