//! What a sender's bytes go through, as arithmetic: no clock, no socket, no wait. Time is given as
//! the moment since the machine started, undilated.
//!
//! Bytes leave in frames of a few segments. Each segment passes the node's uplink, then the link,
//! then travels, and never arrives before the one ahead of it. [`Path::gate`] says whether a frame
//! may leave now: not while the link is cut, not while the connection has enough of its own waiting
//! for the line, not while TCP's window is shut. Therefore the uplink's queue holds little of each
//! connection, whoever comes later waits behind little, and a slow link makes the writer wait. Linux
//! keeps its own queues short in the same way (TCP small queues).

use std::time::Duration;

use super::chance::Chance;
use super::queue::Queue;
use super::spec::LinkSpec;
use super::window::Window;

/// The payload of a full segment: an Ethernet frame of 1,500 bytes less two headers of 20.
pub(super) const SEGMENT: u64 = 1_460;

/// What IPv4 (RFC 791) and TCP (RFC 9293) put before a segment, without options.
pub(super) const HEADERS: u64 = 40;

/// What noise adds to each frame that it seals: two bytes of length and a tag of 16.
const SEAL: u64 = 18;

/// The most payload of a frame: what yamux sends at once, 16 KiB and a header of its own of 12 bytes.
pub(super) const MAX_FRAME: usize = 16 * 1024 + 12;

/// How far ahead of now the line may be taken by one connection before it has to wait. A wake-up
/// that is late by less leaves no gap on the line.
const AHEAD: Duration = Duration::from_millis(5);

/// The retransmission timeout before the first round trip was seen: RFC 6298, section 2.1.
const FIRST_TIMEOUT: Duration = Duration::from_secs(1);

/// The least that the timeout is above the round trip. RFC 6298 asks for a second in all; Linux
/// takes 200 ms for the variance when it is less (`TCP_RTO_MIN`), and that is what is met outside.
const TIMEOUT_ABOVE: Duration = Duration::from_millis(200);

/// The longest wait between two retransmissions: Linux's `TCP_RTO_MAX`.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(120);

/// Segments that must come after a lost one for its loss to be noticed without a timeout: RFC 5681,
/// section 3.2.
const TELLTALES: u64 = 3;

/// What a node can do at this moment for a frame that wants to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// So many bytes may leave.
    Open(usize),
    /// None before this moment.
    Shut(Duration),
    /// None until the link is mended.
    Cut,
}

/// When a frame is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    /// Its first segment.
    pub(super) first: Duration,
    /// Its last segment.
    pub(super) last: Duration,
}

/// One direction of one connection, at the sender's end.
#[derive(Debug)]
pub(super) struct Path {
    link: Queue,
    window: Option<Window>,
    chance: Chance,
    /// The delay of the way back, once the peer has said it.
    back: Option<Duration>,
    arrived: Duration,
    /// Since when a cut keeps something from leaving.
    held: Option<Duration>,
    /// Nothing leaves before this, because TCP has not noticed yet that the link is mended.
    resumes: Duration,
}

impl Path {
    pub(super) fn new(chance: Chance, window: bool) -> Self {
        Self {
            link: Queue::default(),
            window: window.then(Window::new),
            chance,
            back: None,
            arrived: Duration::ZERO,
            held: None,
            resumes: Duration::ZERO,
        }
    }

    /// The peer has said how long its own bytes travel.
    pub(super) fn heard(&mut self, delay: Duration) {
        self.back = Some(delay);
    }

    fn round_trip(&self, spec: &LinkSpec) -> Duration {
        spec.delay + self.back.unwrap_or(spec.delay)
    }

    fn timeout(&self, spec: &LinkSpec) -> Duration {
        match self.back {
            Some(_) => self.round_trip(spec) + TIMEOUT_ABOVE,
            None => FIRST_TIMEOUT,
        }
    }

    /// How much of `wanted` bytes may leave now, if the node's uplink has the rate `up`.
    pub(super) fn gate(
        &mut self,
        now: Duration,
        spec: &LinkSpec,
        up: Option<u64>,
        wanted: usize,
    ) -> Gate {
        if spec.cut {
            self.held.get_or_insert(now);
            return Gate::Cut;
        }
        let timeout = self.timeout(spec);
        if let Some(since) = self.held.take() {
            self.resumes = retransmission(since, now, timeout);
            if let Some(window) = &mut self.window {
                window.collapse();
            }
        }
        let busy = self.link.free().saturating_sub(AHEAD);
        if self.resumes.max(busy) > now {
            return Gate::Shut(self.resumes.max(busy));
        }
        let mut sealed = (wanted as u64).min(frame_size(up, spec.rate)) + SEAL;
        if let Some(window) = &mut self.window {
            sealed = match window.room(now, timeout, sealed) {
                Ok(room) => room,
                Err(at) => return Gate::Shut(at),
            };
        }
        // A seal alone does not leave: less than a segment is all that is wanted, seal and payload.
        Gate::Open(usize::try_from(sealed - SEAL).unwrap_or(MAX_FRAME))
    }

    /// Sends a frame for which the gate was open.
    pub(super) fn send(
        &mut self,
        now: Duration,
        spec: &LinkSpec,
        uplink: &mut Queue,
        up: Option<u64>,
        bytes: usize,
    ) -> Arrival {
        let (round_trip, timeout) = (self.round_trip(spec), self.timeout(spec));
        let back = self.back.unwrap_or(spec.delay);
        let delay = self.chance.vary(now, spec.delay, spec.jitter);
        let streaming = self.arrived > now;
        let mut first = None;
        let mut left = bytes as u64 + SEAL;
        while left > 0 {
            let payload = left.min(SEGMENT);
            left -= payload;
            let sent = uplink.pass(now, payload + HEADERS, up);
            let through = self.link.pass(sent, payload + HEADERS, spec.rate);
            let noticed = streaming || left > TELLTALES.saturating_sub(1) * SEGMENT;
            let losses = self.chance.losses(spec.loss);
            let stall = self.stall(losses, noticed, round_trip, timeout);
            self.arrived = self.arrived.max(through + delay + stall);
            first.get_or_insert(self.arrived);
            if let Some(window) = &mut self.window {
                window.sent(now, payload, self.arrived + back);
            }
        }
        Arrival { first: first.unwrap_or(self.arrived), last: self.arrived }
    }

    /// How long the stream stands still because a segment was lost `losses` times. A byte stream
    /// loses nothing: what was lost is sent again, and what came after it waits.
    fn stall(
        &mut self,
        losses: u32,
        noticed: bool,
        round_trip: Duration,
        timeout: Duration,
    ) -> Duration {
        let Some(again) = losses.checked_sub(1) else { return Duration::ZERO };
        if let Some(window) = &mut self.window {
            if noticed && again == 0 { window.halve() } else { window.collapse() }
        }
        if noticed { round_trip + backed_off(timeout, again) } else { backed_off(timeout, losses) }
    }
}

/// The most payload of a frame at the lower of two rates: as many whole segments as they carry in
/// [`AHEAD`], one at least, so that on a slow line the frames of several connections take short
/// turns.
fn frame_size(up: Option<u64>, rate: Option<u64>) -> u64 {
    match [up, rate].into_iter().flatten().min() {
        Some(lower) => {
            let carried = lower.saturating_mul(AHEAD.as_millis() as u64) / 1_000;
            ((carried / (SEGMENT + HEADERS)).max(1) * SEGMENT - SEAL).min(MAX_FRAME as u64)
        }
        None => MAX_FRAME as u64,
    }
}

/// The sum of `times` timeouts in a row, each twice the one before it.
fn backed_off(timeout: Duration, times: u32) -> Duration {
    (0..times).map(|n| (timeout * (1 << n.min(16))).min(LONGEST_TIMEOUT)).sum()
}

/// The first moment from `now` on at which TCP sends again what it could not deliver at `since`. It
/// has backed off, each wait twice the one before, so a link that was cut for long is noticed late.
fn retransmission(since: Duration, now: Duration, timeout: Duration) -> Duration {
    let (mut at, mut wait) = (since, timeout);
    while at < now {
        at += wait;
        wait = (wait * 2).min(LONGEST_TIMEOUT);
    }
    at
}

/// How many bytes a frame is on the line: payload, seal and the headers of its segments.
pub(super) fn on_the_line(bytes: usize) -> u64 {
    let sealed = bytes as u64 + SEAL;
    sealed + HEADERS * sealed.div_ceil(SEGMENT)
}
