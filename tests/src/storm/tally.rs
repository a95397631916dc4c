//! What a storm has come to, and whether it hit what it aimed at.

use std::fmt;
use std::time::Duration;

use anyhow::{Result, ensure};

/// What a kill is aimed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Between the start of the process and its first answer.
    Recovery,
    /// A few milliseconds after the block that tips the balance.
    Reorg,
    /// Any moment of a busy life.
    AnyTime,
}

/// Kills aimed at one phase.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kills {
    /// How many.
    pub aimed: u64,
    /// How many met the node there.
    pub hit: u64,
}

/// The figures of a storm.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// By phase.
    pub recovery: Kills,
    /// By phase.
    pub reorg: Kills,
    /// By phase.
    pub any_time: Kills,
    /// Kills in recovery that came after the node had begun to write in the store's directory.
    pub reopening: u64,
    /// Reorganisations that the kill came upon before the store had them.
    pub under_way: u64,
    /// Reorganisations that the store had by then.
    pub just_committed: u64,
    /// The longest time between a block that tips the balance and the kill that hit.
    pub latest_hit: Duration,
    /// Depths of the reorganisations that were hit, from 1.
    pub depths: Vec<u64>,
    /// Kills that found a store without a genesis block.
    pub unborn: u64,
    /// The node's own count of reorganisations, and the deepest.
    pub reorgs: u64,
    /// The deepest reorganisation in the node's log.
    pub deepest: u64,
    /// Processes started.
    pub starts: u64,
    /// Blocks made by the storm.
    pub blocks: u64,
    /// Transactions handed in, taken, and taken and on the main chain at the end.
    pub transactions: (u64, u64, u64),
    /// The last tip and final height.
    pub ends: (u64, u64),
    /// Blocks reported as stored, and as final, none of which was ever missing.
    pub claims: (usize, usize),
    /// Lines of the log that a kill has cut.
    pub cut: u64,
    /// All of it.
    pub wall: Duration,
    /// Spent on looking at stores.
    pub examining: Duration,
    /// The median time to the first answer.
    pub start_up: Duration,
}

impl Tally {
    /// Every kill.
    #[must_use]
    pub fn kills(&self) -> u64 {
        self.recovery.aimed + self.reorg.aimed + self.any_time.aimed
    }

    pub(super) fn of(&mut self, phase: Phase) -> &mut Kills {
        match phase {
            Phase::Recovery => &mut self.recovery,
            Phase::Reorg => &mut self.reorg,
            Phase::AnyTime => &mut self.any_time,
        }
    }

    /// Whether a third of the kills hit a recovery, and a quarter a reorganisation.
    ///
    /// # Errors
    /// They did not.
    pub fn check_shares(&self) -> Result<()> {
        let (kills, recovery, reorg) = (self.kills(), self.recovery.hit, self.reorg.hit);
        ensure!(recovery * 3 >= kills, "{recovery} of {kills} kills hit a recovery: under a third");
        ensure!(
            reorg * 4 >= kills,
            "{reorg} of {kills} kills hit a reorganisation: under a quarter"
        );
        Ok(())
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kills = self.kills();
        let phase = |kills: Kills| {
            format!("{} hit, {} aimed and missed", kills.hit, kills.aimed - kills.hit)
        };
        writeln!(f, "kills            {kills}, after {} starts", self.starts)?;
        writeln!(
            f,
            "  in recovery    {}; {} of them after the store was written to",
            phase(self.recovery),
            self.reopening
        )?;
        writeln!(
            f,
            "  in a reorg     {}; {} under way, {} just committed, at most {:.1} ms after the \
             block came",
            phase(self.reorg),
            self.under_way,
            self.just_committed,
            self.latest_hit.as_secs_f64() * 1e3
        )?;
        writeln!(f, "  at any time    {}", self.any_time.aimed)?;
        writeln!(f, "  before genesis {}", self.unborn)?;
        let depths: Vec<String> = (1..)
            .zip(&self.depths)
            .filter(|(_, count)| **count > 0)
            .map(|(depth, count)| format!("{depth}: {count}"))
            .collect();
        writeln!(f, "depths hit       {}", depths.join(", "))?;
        writeln!(f, "reorgs logged    {}, the deepest {}", self.reorgs, self.deepest)?;
        let (sent, taken, included) = self.transactions;
        writeln!(
            f,
            "blocks made      {}; height {}, final {}",
            self.blocks, self.ends.0, self.ends.1
        )?;
        writeln!(
            f,
            "transactions     {sent} handed in, {taken} taken, {included} of them in the chain"
        )?;
        let (stored, finals) = self.claims;
        writeln!(f, "reported         {stored} tips and {finals} final blocks, none missing")?;
        writeln!(f, "lines cut        {}", self.cut)?;
        write!(
            f,
            "time             {:.1} s, {:.1} s of it on looking at stores; {:.0} ms to the first answer",
            self.wall.as_secs_f64(),
            self.examining.as_secs_f64(),
            self.start_up.as_secs_f64() * 1e3
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_are_those_of_kills_that_hit() {
        let kills = |aimed, hit| Kills { aimed, hit };
        let tally = |recovery, reorg| Tally {
            recovery: kills(20, recovery),
            reorg: kills(15, reorg),
            any_time: kills(25, 25),
            ..Tally::default()
        };
        assert!(tally(20, 15).check_shares().is_ok());
        assert!(tally(19, 15).check_shares().is_err());
        assert!(tally(20, 14).check_shares().is_err());
    }
}
