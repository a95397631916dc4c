//! The members of the network, as far as a node and not the protocol has to do with them: its own load
//! goes out, theirs comes in, and what changes is written down and told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hearsay_chain::Store;
use hearsay_network::members::{Load, MemberView, News, State, Stats};
use hearsay_network::{Command, MemberList, PeerId};
use tokio::sync::{broadcast, oneshot};

use super::load::{Gauges, Meter, Reading};
use super::{Driver, Fatal};
use crate::api::{MemberInfo, MemberNews, MemberStats, mistaken, sort_members};
use crate::engine::{Input, Neighbour, Surroundings};
use crate::processor;
use crate::trace::event::{Event, MemberCause};

/// Beyond this age a load says nothing any more: it is told with every datagram, and a member that
/// sent none for so long is about to be found dead.
const OLD: Duration = Duration::from_secs(30);

/// What the driver needs for it.
#[derive(Debug)]
pub(crate) struct MemberEnds {
    /// Whether this node takes part.
    pub(crate) enabled: bool,
    /// Whether the process has no other node in it, so that its processor time is this node's.
    pub(crate) alone: bool,
    /// Where what changes is told.
    pub(crate) news: broadcast::Sender<Arc<MemberNews>>,
}

impl MemberEnds {
    /// Those of a node that takes no part.
    pub(crate) fn none() -> Self {
        Self { enabled: false, alone: false, news: broadcast::channel(1).0 }
    }
}

/// What the driver keeps of the members.
#[derive(Debug, Default)]
pub(super) struct Following {
    meter: Meter,
    engine_us: u64,
    /// The load of the last measurement.
    load: Load,
    /// The list that was asked for, if it has not come.
    asked: Option<oneshot::Receiver<MemberList>>,
    /// The round trips that were counted last; as many as there are members.
    rtts: BTreeMap<PeerId, Duration>,
    /// Bytes of frames that went out and came in so far, when the list last came.
    traffic: Option<(u64, u64)>,
}

impl Following {
    /// The engine was at work for so long.
    pub(super) fn worked(&mut self, us: u64) {
        self.engine_us = self.engine_us.saturating_add(us);
    }

    /// The list that was asked for; none if there is none to come.
    pub(super) async fn answer(&mut self) -> Option<MemberList> {
        let answer = self.asked.as_mut()?.await;
        self.asked = None;
        answer.ok()
    }

    /// Bytes of frames that went out, this node's own and others', and came in; none before there was
    /// a list.
    pub(super) fn traffic(&self) -> (Option<u64>, Option<u64>) {
        self.traffic.unzip()
    }

    /// Round trips that were not there the last time.
    fn new_rtts(&mut self, members: &[MemberView]) -> Vec<Duration> {
        let known: BTreeMap<PeerId, Duration> =
            members.iter().filter_map(|member| Some((member.peer, member.rtt?))).collect();
        let is_new = |(peer, rtt): &(&PeerId, &Duration)| self.rtts.get(peer) != Some(*rtt);
        let new = known.iter().filter(is_new).map(|(_, rtt)| *rtt).collect();
        self.rtts = known;
        new
    }
}

impl<S: Store> Driver<S> {
    /// Once a second: tells the others how busy this node is, and asks how busy they are.
    pub(super) async fn look_around(&mut self) -> Result<(), Fatal> {
        if !self.ends.members.enabled {
            return Ok(());
        }
        let load = self.measure();
        self.members.load = load;
        self.command(Command::Load(load)).await?;
        // The network side answers at once; if it has not, it has much else to do.
        if self.members.asked.is_none() {
            let (reply, answer) = oneshot::channel();
            self.command(Command::Members { reply }).await?;
            self.members.asked = Some(answer);
        }
        Ok(())
    }

    fn measure(&mut self) -> Load {
        let clock = &self.ends.clock;
        let reading = Reading {
            at_us: clock.now().mono_us,
            judged: self.engine.judged(),
            cpu_s: self.ends.members.alone.then(processor::time_s),
            engine_us: self.members.engine_us,
        };
        let gauges = Gauges {
            pool_bytes: self.engine.pool().totals().bytes as u64,
            queue: self.engine.checks().saturating_add(self.ends.events.len()),
            height: self.engine.chain().ends().height,
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        self.members.meter.measure(reading, gauges, (cores, clock.dilation()))
    }

    /// The list has come that was asked for.
    pub(super) async fn on_members(&mut self, list: &MemberList) -> Result<(), Fatal> {
        let rtts = self.members.new_rtts(&list.members);
        self.ends.metrics.members(&list.members, &MemberStats::from(&list.stats), &rtts);
        let Stats { sent, carried, received, .. } = &list.stats;
        self.members.traffic = Some((sent.bytes.saturating_add(carried.bytes), received.bytes));
        let Some(own) = list.members.iter().find(|member| member.own) else { return Ok(()) };
        let surroundings = Surroundings {
            own: Neighbour { load: self.members.load, rtt: Some(Duration::ZERO), ..neighbour(own) },
            neighbours: list.members.iter().filter(|it| it.neighbour).map(neighbour).collect(),
        };
        self.handle(Input::Surroundings(surroundings)).await
    }

    /// Something changed about a member.
    pub(super) fn on_news(&mut self, news: &News) -> Result<(), Fatal> {
        let MemberView { peer, name, state, generation, incarnation, .. } = &news.member;
        self.trace(Event::Member {
            peer: peer.to_string(),
            name: name.clone(),
            change: news.change.into(),
            state: (*state).into(),
            cause: MemberCause::of(*state),
            mistaken: mistaken(news),
            generation: *generation,
            incarnation: *incarnation,
        })?;
        if self.ends.members.news.receiver_count() > 0 {
            // The last one may have gone just now.
            let _ = self.ends.members.news.send(Arc::new(MemberNews::new(news)));
        }
        Ok(())
    }

    /// Somebody asks for the list.
    pub(super) async fn list_members(
        &self,
        reply: oneshot::Sender<(Vec<MemberInfo>, MemberStats)>,
    ) -> Result<(), Fatal> {
        if !self.ends.members.enabled {
            let _ = reply.send((Vec::new(), MemberStats::default()));
            return Ok(());
        }
        let (views, seen) = oneshot::channel();
        self.command(Command::Members { reply: views }).await?;
        tokio::spawn(async move {
            if let Ok(MemberList { members, stats, now, slots }) = seen.await {
                let info = |view: &MemberView| MemberInfo::new(view, now, &slots);
                let mut members: Vec<MemberInfo> = members.iter().map(info).collect();
                sort_members(&mut members);
                // Whoever asked may have hung up.
                let _ = reply.send((members, MemberStats::from(&stats)));
            }
        });
        Ok(())
    }
}

fn neighbour(view: &MemberView) -> Neighbour {
    Neighbour {
        peer: view.peer,
        name: view.name.clone(),
        load: view.load.filter(|(_, age)| *age < OLD).map(|(load, _)| load).unwrap_or_default(),
        rtt: view.rtt,
        alive: view.state == State::Alive,
    }
}

#[cfg(test)]
mod tests {
    use hearsay_network::members::{Cause, Role};

    use super::*;

    fn view(number: u8, rtt_ms: Option<u64>) -> MemberView {
        MemberView {
            peer: hearsay_network::peer_id(&[number; 32]),
            name: format!("n{number}"),
            role: Role::Relay,
            version: String::new(),
            addresses: Vec::new(),
            generation: 1,
            incarnation: 0,
            state: State::Alive,
            since: Duration::ZERO,
            load: None,
            rtt: rtt_ms.map(Duration::from_millis),
            neighbour: true,
            own: false,
        }
    }

    #[test]
    fn each_round_trip_is_counted_once() {
        let mut following = Following::default();
        let count = |following: &mut Following, members: &[MemberView]| {
            following.new_rtts(members).iter().map(Duration::as_millis).collect::<Vec<_>>()
        };
        assert_eq!(count(&mut following, &[view(1, Some(5)), view(2, None)]), [5]);
        assert_eq!(count(&mut following, &[view(1, Some(5)), view(2, Some(7))]), [7]);
        assert_eq!(count(&mut following, &[view(2, Some(8))]), [8]);
        assert_eq!(following.rtts.len(), 1, "who is gone is forgotten");
    }

    #[test]
    fn an_old_load_counts_as_none_and_who_is_doubted_as_away() {
        let busy = Load { busy: 200, ..Load::default() };
        let with_age = |age| MemberView { load: Some((busy, age)), ..view(1, None) };
        assert_eq!(neighbour(&with_age(Duration::from_secs(29))).load, busy);
        assert_eq!(neighbour(&with_age(OLD)).load, Load::default());
        for state in [State::Suspect, State::Down(Cause::Probe)] {
            assert!(!neighbour(&MemberView { state, ..view(1, None) }).alive);
        }
    }
}
