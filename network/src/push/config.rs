//! What may be set of the router.

use std::time::Duration;

/// What may be set of the router. All times are as the caller's clock counts them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Whether messages are pushed at all. Without, they are only announced.
    pub eager: bool,
    /// The longest that an announcement waits for a frame to ride on.
    pub announce_every: Duration,
    /// The same of an announcement to a peer that is known to have the message: it is only an
    /// acknowledgement.
    pub acknowledge_every: Duration,
    /// How long a message may take to come after it was announced, before it is asked for.
    pub patience: Duration,
    /// How long a peer that was asked may take, before the next one is asked. With a known delay it
    /// is three times that, and never more than this.
    pub want_timeout: Duration,
    /// Messages are put into one frame up to this many bytes; a larger one goes alone.
    pub frame_bytes: usize,
    /// To how many peers, chosen at random, a message of an unknown origin is pushed.
    pub flood_fanout: usize,
    /// The time between two beacons. Zero: none are sent.
    pub beacon_every: Duration,
    /// A path must be faster by this much to be noticed as faster.
    pub faster_by: Duration,
    /// It must be so for this many messages of an origin in a row.
    pub faster_times: u32,
    /// When a message is announced again to peers that are not known to have it, each counted from
    /// the start; and, last, when its spreading ends.
    pub rounds: [Duration; 3],
    /// How long a message is remembered.
    pub seen_for: Duration,
    /// How long a message is kept at hand after it was accepted, to be given to whoever asks.
    pub cached_for: Duration,
    /// A message whose verdict has not come by then is forgotten.
    pub verdict_within: Duration,
    /// A peer that still pushes after it was told to be lazy is told again, but no sooner: what was
    /// on its way when it was told does not count.
    pub tell_again: Duration,
    /// A peer that joins hears of messages no older than this.
    pub recent: Duration,
}

impl Default for Config {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            eager: true,
            // With the patience it is 450 ms until a message that got lost is asked for. A frame of its
            // own costs an announcement five times what the id does, so it waits for a push to go with.
            announce_every: Duration::from_millis(300),
            // With the longest round trip it is below the first of the rounds.
            acknowledge_every: Duration::from_millis(600),
            patience: Duration::from_millis(150),
            want_timeout: seconds(1),
            frame_bytes: 16 * 1024,
            flood_fanout: 12,
            beacon_every: seconds(60),
            faster_by: Duration::from_millis(10),
            faster_times: 3,
            // The first is beyond any round trip and the wait for a frame; the last leaves time to
            // answer to the second.
            rounds: [seconds(1), seconds(4), seconds(10)],
            // As gossipsub is set here.
            seen_for: seconds(120),
            cached_for: seconds(60),
            verdict_within: seconds(30),
            // A connection that breaks is back within a few seconds; what is older is left to
            // reconciliation.
            recent: seconds(10),
            tell_again: seconds(1),
        }
    }
}

impl Config {
    /// The mode without trees: every message is announced at once, and asked for at once.
    #[must_use]
    pub fn announce() -> Self {
        let window = Duration::from_millis(5);
        Self { eager: false, announce_every: window, patience: Duration::ZERO, ..Self::default() }
    }

    /// The same, with all clocks that many times slower.
    #[must_use]
    pub fn dilated(self, by: u32) -> Self {
        let slowed = |time: Duration| time.saturating_mul(by);
        Self {
            announce_every: slowed(self.announce_every),
            acknowledge_every: slowed(self.acknowledge_every),
            patience: slowed(self.patience),
            want_timeout: slowed(self.want_timeout),
            beacon_every: slowed(self.beacon_every),
            faster_by: slowed(self.faster_by),
            rounds: self.rounds.map(slowed),
            seen_for: slowed(self.seen_for),
            cached_for: slowed(self.cached_for),
            verdict_within: slowed(self.verdict_within),
            recent: slowed(self.recent),
            tell_again: slowed(self.tell_again),
            ..self
        }
    }
}
