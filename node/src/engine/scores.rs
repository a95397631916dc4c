//! What peers are charged for, and whom this node keeps away.

use hearsay_chain::{Store, Verdict};
use hearsay_network::score::{Offence, Score};
use hearsay_network::{PeerId, Ticket};

use super::input::Time;
use super::{Effect, Engine};
use crate::api::{BanView, ScoreView};
use crate::trace::event::{Event, Kind};

/// The longest that somebody can keep a peer away, in seconds: a year.
pub(crate) const MAX_BAN_S: u64 = 365 * 24 * 3_600;

impl<S: Store> Engine<S> {
    /// Gives gossip its verdict. A *Reject* is charged to the peer whose copy came first; those that
    /// merely are of no use cost nothing.
    pub(super) fn give_verdict(
        &mut self,
        now: Time,
        ticket: &Ticket,
        (verdict, reason): (Verdict, Option<&'static str>),
        kind: Kind,
        out: &mut Vec<Effect>,
    ) {
        out.push(Effect::Judge { ticket: ticket.clone(), verdict, kind, reason });
        if verdict == Verdict::Reject {
            let reason = reason.unwrap_or("invalid");
            self.charge(now, ticket.from, Offence::Invalid, reason, out);
        }
    }

    /// Keeps a peer away that gave what nobody gives by mistake.
    pub(super) fn penalise(
        &mut self,
        now: Time,
        peer: PeerId,
        reason: &'static str,
        out: &mut Vec<Effect>,
    ) {
        self.charge(now, peer, Offence::Lie, reason, out);
    }

    /// Charges a peer, and keeps it away if it has done too much.
    pub(super) fn charge(
        &mut self,
        now: Time,
        peer: PeerId,
        offence: Offence,
        reason: &'static str,
        out: &mut Vec<Effect>,
    ) {
        let Some(us) = self.scores.charge(&peer, offence, reason, now.mono_us) else { return };
        self.send_away(peer, us, reason, out);
    }

    fn send_away(&mut self, peer: PeerId, us: u64, reason: &str, out: &mut Vec<Effect>) {
        self.sync.let_go(&peer);
        let (reason, lasts_s) = (reason.to_owned(), Some(us / 1_000_000));
        out.push(Effect::Trace(Event::Penalised { peer: peer.to_string(), reason, lasts_s }));
        out.push(Effect::Ban { peer, us });
    }

    /// Somebody wants a peer kept away.
    pub(super) fn ban(&mut self, now: Time, peer: PeerId, seconds: u64, out: &mut Vec<Effect>) {
        let us = seconds.min(MAX_BAN_S).saturating_mul(1_000_000);
        self.scores.ban(&peer, us, now.mono_us);
        self.send_away(peer, us, "by-hand", out);
    }

    /// Somebody wants a peer let back in; says whether there was anything against it.
    pub(super) fn unban(&mut self, peer: PeerId, out: &mut Vec<Effect>) -> bool {
        out.push(Effect::Unban { peer });
        self.scores.forgive(&peer)
    }

    /// What is known against peers, the worst first.
    pub(super) fn scores(&self, now: Time) -> Vec<ScoreView> {
        let mut views: Vec<ScoreView> =
            self.scores.all().map(|(peer, score)| view(peer, score, now.mono_us)).collect();
        views.sort_by(|a, b| {
            b.ban.is_some().cmp(&a.ban.is_some()).then(b.points.total_cmp(&a.points))
        });
        views
    }
}

fn view(peer: &PeerId, score: &Score, now_us: u64) -> ScoreView {
    ScoreView {
        peer: peer.to_string(),
        points: score.points(now_us),
        offences: score.offences,
        last: score.last.map(str::to_owned),
        ban: score.ban.as_ref().filter(|ban| now_us < ban.until_us).map(|ban| BanView {
            left_s: ban.until_us.saturating_sub(now_us).div_ceil(1_000_000),
            reason: ban.reason.to_owned(),
        }),
    }
}
