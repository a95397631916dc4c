//! Who may propose in which slot.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use crate::hash::tagged;
use crate::ids::GenesisId;
use crate::keys::PublicKey;

/// The chance of a lottery that names none: with four authorities, one winner a slot on average.
pub const DEFAULT_PER_MILLE: u16 = 250;

/// Who may propose in which slot.
///
/// In a genesis file: `schedule = "round-robin"`, `schedule = "lottery"`, or
/// `schedule = { lottery = { per_mille = 100 } }`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize,
)]
#[serde(from = "Text", into = "Text")]
pub enum Schedule {
    /// Slot s belongs to authority s modulo their number.
    RoundRobin,
    /// Each authority wins each slot with the same chance, whatever the others draw, so that some
    /// slots have no block and others have several: forks happen as they do under proof of work.
    ///
    /// The draw is a hash over the genesis id, the slot and the key. All of it is public and known
    /// for ever, so this is for studying how forks depend on delay. It is not secure: whoever
    /// chooses keys before the genesis is made can choose ones that win (grinding), and everybody
    /// knows whose turn comes.
    Lottery {
        /// How many of 1,000 slots an authority wins on average.
        per_mille: u16,
    },
}

impl Schedule {
    /// Whether a slot is the turn of the authority at `place` of `count`, whose key is `key`.
    pub(crate) fn is_turn(
        self,
        genesis: GenesisId,
        count: usize,
        slot: u64,
        (place, key): (usize, &PublicKey),
    ) -> bool {
        if slot == 0 {
            return false;
        }
        match self {
            Schedule::RoundRobin => slot.checked_rem(count as u64) == Some(place as u64),
            Schedule::Lottery { per_mille } => {
                let draw = tagged("hearsay/lottery/1", &[&genesis.0, &slot.to_be_bytes(), &key.0]);
                let [a, b, c, d, ..] = draw;
                // A uniform number below 2^32 against the share of 2^32: the error is below 1e-9.
                u64::from(u32::from_be_bytes([a, b, c, d])) * 1_000
                    < u64::from(per_mille) * (1 << 32)
            }
        }
    }
}

/// How a schedule stands in a file.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Text {
    Name(Name),
    Table(Table),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Name {
    RoundRobin,
    Lottery,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Table {
    #[serde(rename_all = "snake_case")]
    Lottery { per_mille: u16 },
}

impl From<Text> for Schedule {
    fn from(text: Text) -> Self {
        match text {
            Text::Name(Name::RoundRobin) => Schedule::RoundRobin,
            Text::Name(Name::Lottery) => Schedule::Lottery { per_mille: DEFAULT_PER_MILLE },
            Text::Table(Table::Lottery { per_mille }) => Schedule::Lottery { per_mille },
        }
    }
}

impl From<Schedule> for Text {
    fn from(schedule: Schedule) -> Self {
        match schedule {
            Schedule::RoundRobin => Text::Name(Name::RoundRobin),
            Schedule::Lottery { per_mille } => Text::Table(Table::Lottery { per_mille }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETWORK: GenesisId = GenesisId([3; 32]);

    fn wins(per_mille: u16, key: u8, slots: u64) -> Vec<u64> {
        let schedule = Schedule::Lottery { per_mille };
        let key = PublicKey([key; 32]);
        (0..slots).filter(|slot| schedule.is_turn(NETWORK, 4, *slot, (0, &key))).collect()
    }

    #[test]
    fn each_authority_wins_its_share_of_a_lottery_and_another_one_each_time() {
        let (one, other) = (wins(250, 1, 20_000), wins(250, 2, 20_000));
        for won in [&one, &other] {
            // Binomial: 5,000 expected, standard deviation 61; five of them to each side.
            assert!((4_694..=5_306).contains(&won.len()), "{}", won.len());
        }
        let both = one.iter().filter(|slot| other.binary_search(slot).is_ok()).count();
        assert!((1_000..=1_500).contains(&both), "independent draws meet 1,250 times: {both}");
    }

    #[test]
    fn a_sure_lottery_is_won_in_every_slot_but_that_of_the_genesis_block() {
        assert_eq!(wins(1_000, 1, 10), (1..10).collect::<Vec<_>>());
    }

    #[test]
    fn round_robin_gives_each_slot_to_one_authority() {
        for slot in 1..9 {
            let turns: Vec<usize> = (0..4)
                .filter(|place| {
                    let key = PublicKey([*place as u8; 32]);
                    Schedule::RoundRobin.is_turn(NETWORK, 4, slot, (*place, &key))
                })
                .collect();
            assert_eq!(turns, [slot as usize % 4]);
        }
    }

    #[test]
    fn a_file_may_name_a_schedule_or_give_its_chance() {
        #[derive(Deserialize, Serialize)]
        struct File {
            schedule: Schedule,
        }
        let read = |text: &str| toml::from_str::<File>(text).map(|file| file.schedule);
        assert_eq!(read("schedule = \"round-robin\""), Ok(Schedule::RoundRobin));
        assert_eq!(read("schedule = \"lottery\""), Ok(Schedule::Lottery { per_mille: 250 }));
        let rare = Schedule::Lottery { per_mille: 30 };
        assert_eq!(read("schedule = { lottery = { per_mille = 30 } }"), Ok(rare));
        let written = toml::to_string(&File { schedule: rare }).unwrap();
        assert_eq!(read(&written), Ok(rare));
        assert!(read("schedule = \"random\"").is_err());
    }
}
