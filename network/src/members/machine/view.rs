//! Looking at the list from outside.

use std::time::Duration;

use libp2p::PeerId;

use super::super::codec::Standing;
use super::super::identity;
use super::super::profile::{Key, SignedProfile};
use super::Machine;
use super::output::{MemberView, State, Stats};

impl Machine {
    /// The whole list, ourselves first, then by key.
    #[must_use]
    pub fn members(&self, now: Duration) -> Vec<MemberView> {
        let others = self.records.keys().filter_map(|key| self.view_of(now, key));
        std::iter::once(self.own_view(now)).chain(others).collect()
    }

    /// One member.
    #[must_use]
    pub fn member_view(&self, now: Duration, peer: &PeerId) -> Option<MemberView> {
        let key = Key::of(peer)?;
        if key == self.me() { Some(self.own_view(now)) } else { self.view_of(now, &key) }
    }

    /// The numbers.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats { candidates: self.candidates.len(), health: self.health.score(), ..self.stats }
    }

    /// The hops of the shortest known path to a member; none if there is none.
    pub fn hops(&mut self, peer: &PeerId) -> Option<usize> {
        self.routes.hops(&Key::of(peer)?)
    }

    pub(super) fn own_view(&self, now: Duration) -> MemberView {
        let state = State::Alive;
        let since = self.renewed.unwrap_or_default();
        let mut view = view(&self.own, self.incarnation, state, since);
        view.load = Some((self.load, Duration::ZERO));
        view.own = true;
        debug_assert!(since <= now);
        view
    }

    pub(super) fn view_of(&self, now: Duration, key: &Key) -> Option<MemberView> {
        let record = self.records.get(key).filter(|record| !record.fresh)?;
        let state = match record.shown.standing {
            Standing::Alive => State::Alive,
            Standing::Suspect => State::Suspect,
            Standing::Down => State::Down(record.shown.cause),
        };
        let mut view = view(&record.signed, record.shown.incarnation, state, record.shown.since);
        view.load = record.load.map(|(load, at)| (load, now.saturating_sub(at)));
        view.rtt = record.rtt;
        view.neighbour = self.neighbours.contains_key(key);
        Some(view)
    }
}

fn view(signed: &SignedProfile, incarnation: u16, state: State, since: Duration) -> MemberView {
    let profile = &signed.profile;
    MemberView {
        peer: profile.peer.to_peer_id(),
        name: profile.name.clone(),
        role: profile.role,
        version: profile.version.clone(),
        addresses: profile.addresses.clone(),
        generation: profile.generation,
        incarnation: identity::incarnation(signed.profile.generation, incarnation),
        state,
        since,
        load: None,
        rtt: None,
        neighbour: false,
        own: false,
    }
}
