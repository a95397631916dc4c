//! Ranges within which the lab's settings make sense.

use hearsay_network::PeerId;
use hearsay_network::link::{LONGEST_DELAY, LOWEST_RATE, MOST_LOSS};

use super::{AccessSettings, LabChange, LabSettings, LinkSettings};

/// Slower than this, a second of the network takes a quarter of an hour.
pub const GREATEST_DILATION: u32 = 1_000;

/// The furthest that a wall clock may be off: a day.
pub const GREATEST_SKEW_MS: i64 = 86_400_000;

/// The standard deviation that jitter may have, as a share of the delay.
const GREATEST_JITTER: f64 = 1.0;

/// The most of gossip that may be thrown away.
const MOST_GOSSIP_LOSS: f64 = 0.9;

impl LabSettings {
    /// Checks every value.
    ///
    /// # Errors
    /// The first that is out of range, named with what it must be.
    pub fn check(&self) -> Result<(), String> {
        let dilation = self.dilation;
        if !(1..=GREATEST_DILATION).contains(&dilation) {
            return Err(format!(
                "lab.dilation is {dilation}; it must be from 1 to {GREATEST_DILATION}"
            ));
        }
        if dilation > 1 && self.epoch_us == 0 {
            return Err(
                "lab.epoch_us is 0; with a dilation above 1 all nodes must be told the same \
                        moment"
                    .to_owned(),
            );
        }
        check_skew(self.skew_ms)?;
        check_share("lab.gossip_loss", self.gossip_loss, MOST_GOSSIP_LOSS)?;
        self.access.check("lab.access")?;
        self.default.check("lab.default")?;
        self.peers.iter().try_for_each(|(peer, link)| check_peer(peer, link))
    }
}

impl LabChange {
    /// Checks every value.
    ///
    /// # Errors
    /// The first that is out of range, named with what it must be.
    pub fn check(&self) -> Result<(), String> {
        self.skew_ms.map_or(Ok(()), check_skew)?;
        self.access.map_or(Ok(()), |access| access.check("access"))?;
        self.default.map_or(Ok(()), |link| link.check("default"))?;
        self.peers.iter().try_for_each(|(peer, link)| check_peer(peer, link))
    }
}

fn check_skew(skew_ms: i64) -> Result<(), String> {
    if skew_ms.unsigned_abs() > GREATEST_SKEW_MS.unsigned_abs() {
        return Err(format!("skew_ms is {skew_ms}; a clock may be a day off at most"));
    }
    Ok(())
}

fn check_peer(peer: &str, link: &LinkSettings) -> Result<(), String> {
    if peer.parse::<PeerId>().is_err() {
        return Err(format!("{peer:?} among the lab's peers is no peer id"));
    }
    link.check(&format!("the link to {peer}"))
}

fn check_rate(what: &str, rate: Option<u64>) -> Result<(), String> {
    match rate {
        Some(rate) if rate < LOWEST_RATE => Err(format!(
            "{what} is {rate}; it must be at least {LOWEST_RATE} bytes a second, or be left out for \
             no bound"
        )),
        _ => Ok(()),
    }
}

fn check_share(what: &str, share: f64, most: f64) -> Result<(), String> {
    if (0.0..=most).contains(&share) {
        return Ok(());
    }
    Err(format!("{what} is {share}; it must be from 0 to {most}"))
}

impl AccessSettings {
    fn check(&self, place: &str) -> Result<(), String> {
        check_rate(&format!("{place}.up"), self.up)?;
        check_rate(&format!("{place}.down"), self.down)
    }
}

impl LinkSettings {
    fn check(&self, place: &str) -> Result<(), String> {
        let (delay_us, most) = (self.delay_us, LONGEST_DELAY.as_micros());
        if u128::from(delay_us) > most {
            return Err(format!("{place}: delay_us is {delay_us}; it must be at most {most}"));
        }
        check_rate(&format!("{place}: rate"), self.rate)?;
        check_share(&format!("{place}: jitter"), self.jitter, GREATEST_JITTER)?;
        check_share(&format!("{place}: loss"), self.loss, MOST_LOSS)
    }
}
