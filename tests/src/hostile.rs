//! The hostile storm: honest nodes under honest load, and an attack on all of them.
//!
//! The nodes live in this process, each with engine, pool, store and sockets of its own, on links with
//! a delay. First there is a quiet time, then the attack; what the nodes wrote down of both is
//! compared. The attacker lives here too, so that what it costs itself counts against the nodes.

mod field;
mod load;
mod process;
mod reading;
mod verdict;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::attacker::{self, Attack, Prey, Tally};

pub use field::{Field, Logs, Plan};
pub use reading::{Reading, Spread};
pub use verdict::{Outcome, Usage};

use load::Load;
use process::Watch;

/// Nodes need so long to find each other and the paths between them.
const SETTLES: Duration = Duration::from_secs(4);

/// What was lost is repaired within this time, or it counts as lost: some comparisons of pools, on a
/// machine that has other things to do.
const REPAIRS: Duration = Duration::from_secs(30);

/// What is under way in the end may take so long to arrive.
const ENDS: Duration = Duration::from_secs(1);

/// Nodes forget what they have seen after 120 s; this is a little longer.
const FORGETS: Duration = Duration::from_secs(125);

/// All attacks, in groups that do not get in each other's way: for the short form.
pub const GROUPS: [&[Attack]; 4] = [
    &[Attack::Frames, Attack::Signatures, Attack::Sessions],
    &[Attack::Control, Attack::Grafts, Attack::Flood],
    &[Attack::Names, Attack::Silent],
    &[Attack::WrongBody, Attack::Replay],
];

/// What one run is like.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Honest nodes.
    pub nodes: usize,
    /// How long the quiet time lasts, and how long each group of attacks does.
    pub lasts: Duration,
    /// Honest transactions a second.
    pub rate: f64,
    /// One way, of each link between honest nodes.
    pub delay: Duration,
    /// How much faster than usual the attacks are.
    pub intensity: f64,
    /// Whether times are compared. If not, a replay does not wait until nodes have forgotten what they
    /// saw: it goes to one more node, which has come late and has never seen it.
    pub timed: bool,
}

/// Runs attacks on a network of their own, those of a group at once and one group after the other.
///
/// # Errors
/// The nodes could not be run, or one of them ended.
pub async fn run(groups: &[&[Attack]], options: Options) -> Result<Outcome> {
    let plan = Plan { nodes: options.nodes, delay: options.delay };
    let mut field = Field::start(plan).await?;
    let load = Load::start(&field, options.rate);
    sleep(SETTLES).await;
    let mut prey = Arc::new(field.prey());
    let watch = Watch::start();
    let begun = process::now_us();
    // It listens in peace, too, so that the two times differ by nothing but the attack.
    attacker::eavesdrop(&prey, options.lasts).await;
    let (quiet, before) = ((begun, process::now_us()), watch.read());
    let replays = groups.iter().any(|group| group.contains(&Attack::Replay));
    if replays && options.timed {
        sleep(FORGETS).await;
    } else if replays {
        field.add_late().await?;
        prey = Arc::new(field.prey_knowing(&prey));
    }
    let begun = process::now_us();
    let watch = Watch::start();
    let mut tallies = Vec::new();
    for group in groups {
        tallies.extend(together(group, &prey, options).await);
    }
    let (under, after) = ((begun, process::now_us()), watch.read());
    let loaded = load.stop().await?;
    // Whoever still lacks something by then shows in the logs.
    let repaired = async {
        field.all_have(&loaded.taken).await?;
        field.all_go_on().await
    };
    let _ = tokio::time::timeout(REPAIRS, repaired).await;
    sleep(ENDS).await;
    let standing = field.standing().await?;
    let reading = Reading::of(&field.stop().await?)?;
    let identities: Vec<String> =
        tallies.iter().flat_map(|(_, tally)| tally.identities()).collect();
    Ok(Outcome {
        attacks: tallies.iter().map(|(kind, tally)| (*kind, tally.done())).collect(),
        timed: options.timed,
        nodes: options.nodes,
        quiet: reading.within(quiet),
        under: reading.within(under),
        quiet_lag_ms: reading.lag_ms(quiet),
        before,
        after,
        refused: loaded.refused,
        identities: identities.len(),
        banned: banned(&reading, &identities),
        honest_banned: reading.banned_honest(),
        honest_charged: standing.honest_charged,
        same_tip: standing.same_tip,
        grew: standing.grew,
    })
}

async fn together(group: &[Attack], prey: &Arc<Prey>, options: Options) -> Vec<(Attack, Tally)> {
    let mut attacks = JoinSet::new();
    for kind in group.iter().copied() {
        let prey = Arc::clone(prey);
        attacks.spawn(async move {
            (kind, attacker::attack(kind, &prey, options.lasts, options.intensity).await)
        });
    }
    attacks.join_all().await
}

/// How many of the attacker's identities were kept away, by reason.
fn banned(reading: &Reading, identities: &[String]) -> BTreeMap<String, u64> {
    let mut reasons = BTreeMap::new();
    for (peer, reason) in reading.penalised() {
        if identities.contains(peer) {
            *reasons.entry(reason.clone()).or_default() += 1;
        }
    }
    reasons
}
