//! What a running node of the lab can be told.

use std::collections::BTreeMap;
use std::time::Duration;

use hearsay_network::PeerId;
use hearsay_network::link::{Access, LinkSpec, Links, LinksConfig};

use super::{AccessSettings, LabChange, LabError, LabSettings, LinkSettings};
use crate::clock::Clock;

/// The links and the clock of one node. Cheap to clone; every clone acts on the same ones.
#[derive(Clone, Debug)]
pub(crate) struct LabDesk {
    links: Links,
    clock: Clock,
}

impl LabDesk {
    /// What the settings ask for, with links that no connection uses yet.
    pub(crate) fn new(settings: &LabSettings, clock: &Clock) -> Result<Self, LabError> {
        settings.check().map_err(LabError::Range)?;
        Ok(Self { links: Links::new(links(settings)?), clock: clock.clone() })
    }

    pub(crate) fn links(&self) -> &Links {
        &self.links
    }

    /// Does all of a change, or nothing if a part of it is wrong.
    pub(crate) fn change(&self, change: &LabChange) -> Result<(), LabError> {
        change.check().map_err(LabError::Range)?;
        let peers = specs(&change.peers)?;
        if let Some(access) = change.access {
            self.links.set_access(access.into());
        }
        if let Some(link) = change.default {
            self.links.set_default(link.into());
        }
        for (peer, spec) in peers {
            self.links.set(peer, spec);
        }
        if let Some(skew_ms) = change.skew_ms {
            self.clock.set_skew(skew_ms);
        }
        Ok(())
    }
}

/// The peer that a text names.
pub(crate) fn peer(text: &str) -> Result<PeerId, LabError> {
    text.parse().map_err(|_| LabError::Range(format!("{text:?} is no peer id")))
}

fn specs(links: &BTreeMap<String, LinkSettings>) -> Result<BTreeMap<PeerId, LinkSpec>, LabError> {
    links.iter().map(|(name, link)| Ok((peer(name)?, (*link).into()))).collect()
}

fn links(settings: &LabSettings) -> Result<LinksConfig, LabError> {
    Ok(LinksConfig {
        seed: settings.seed,
        default: settings.default.into(),
        peers: specs(&settings.peers)?,
        access: settings.access.into(),
        window: settings.window,
        dilation: settings.dilation,
    })
}

impl From<LinkSettings> for LinkSpec {
    fn from(link: LinkSettings) -> Self {
        let LinkSettings { delay_us, jitter, rate, loss, cut } = link;
        Self { delay: Duration::from_micros(delay_us), jitter, rate, loss, cut }
    }
}

impl From<AccessSettings> for Access {
    fn from(AccessSettings { up, down }: AccessSettings) -> Self {
        Self { up, down }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: &str = "12D3KooWSerLvUJmQQBn9Mv5Kkm1BJv78BMvFtst6LLnYERTEypN";

    fn delayed(delay_us: u64) -> LinkSettings {
        LinkSettings { delay_us, ..LinkSettings::default() }
    }

    #[test]
    fn a_change_moves_what_it_names_and_leaves_the_rest() {
        let clock = Clock::start();
        let settings = LabSettings { default: delayed(5_000), ..LabSettings::default() };
        let desk = LabDesk::new(&settings, &clock).unwrap();
        let (named, other) = (peer(PEER).unwrap(), hearsay_network::peer_id(&[9; 32]));
        let peers = [(PEER.to_owned(), delayed(70_000))].into();
        desk.change(&LabChange { peers, ..LabChange::default() }).unwrap();
        let delay = |peer| desk.links().spec(peer).delay;
        assert_eq!(delay(&named), Duration::from_millis(70));
        assert_eq!(delay(&other), Duration::from_millis(5));
        let change = LabChange { default: Some(delayed(6_000)), ..LabChange::default() };
        desk.change(&change).unwrap();
        assert_eq!(delay(&named), Duration::from_millis(70));
        assert_eq!(delay(&other), Duration::from_millis(6));
    }

    #[test]
    fn a_change_with_a_mistake_changes_nothing() {
        let clock = Clock::start();
        let desk = LabDesk::new(&LabSettings::default(), &clock).unwrap();
        let peers = [("nobody".to_owned(), delayed(1))].into();
        let change = LabChange {
            default: Some(delayed(9)),
            peers,
            skew_ms: Some(60_000),
            ..LabChange::default()
        };
        assert_eq!(desk.change(&change).unwrap_err().reason(), "out-of-range");
        assert_eq!(desk.links().spec(&peer(PEER).unwrap()), LinkSpec::default());
        let now = clock.now();
        assert_eq!(clock.without_skew(now), now);
    }

    #[test]
    fn a_skew_reaches_the_clock_of_the_node() {
        let clock = Clock::start();
        let desk = LabDesk::new(&LabSettings::default(), &clock).unwrap();
        desk.change(&LabChange { skew_ms: Some(-2_000), ..LabChange::default() }).unwrap();
        let now = clock.now();
        assert_eq!(clock.without_skew(now).unix_us - now.unix_us, 2_000_000);
    }
}
