//! What a network agrees on: its file, its id, its rules.

use std::collections::BTreeSet;

use hearsay_chain::genesis::{Genesis, GenesisError, Limits, Rules};
use hearsay_chain::ids::{Address, ChainId};
use hearsay_chain::keys::{Keypair, PublicKey};
use hearsay_chain::transaction::MAX_PAYLOAD_BYTES;
use proptest::prelude::*;

use crate::common::{genesis, key, owner};

/// The genesis after a change, whatever the change answers.
fn changed<R>(change: impl FnOnce(&mut Genesis) -> R) -> Genesis {
    let mut genesis = genesis();
    let _ = change(&mut genesis);
    genesis
}

fn refusal<R>(change: impl FnOnce(&mut Genesis) -> R) -> GenesisError {
    changed(change).check().unwrap_err()
}

#[test]
fn a_file_and_back_is_the_same_network() {
    let text = toml::to_string(&genesis()).unwrap();
    let again: Genesis = toml::from_str(&text).unwrap();
    assert_eq!(again, genesis());
    assert_eq!(again.id(), genesis().id());
    assert!(text.contains("schedule = \"round-robin\""), "{text}");
    assert!(text.contains("hs1"), "{text}");
}

#[test]
fn limits_and_allocations_may_be_left_out_of_the_file() {
    let text = format!(
        "name = \"small\"\ntime_ms = 0\nslot_ms = 1000\nschedule = \"round-robin\"\n\
         authorities = [\"{}\"]\n[limits]\npayload_bytes = 7\n",
        key(1).public()
    );
    let genesis: Genesis = toml::from_str(&text).unwrap();
    assert_eq!(genesis.limits, Limits { payload_bytes: 7, ..Limits::default() });
    assert!(genesis.allocations.is_empty());
    genesis.check().unwrap();
}

#[test]
fn an_unknown_key_is_an_error() {
    for line in ["nmae = \"x\"", "[limits]\nblok_bytes = 1"] {
        let text = toml::to_string(&changed(|genesis| genesis.allocations.clear())).unwrap();
        let text = text.split("[limits]").next().unwrap().to_owned() + line;
        let error = toml::from_str::<Genesis>(&text).unwrap_err().to_string();
        assert!(error.contains("unknown field"), "{error}");
    }
}

#[test]
fn the_id_changes_with_every_field() {
    let all = [
        genesis(),
        changed(|g| g.name.push('s')),
        changed(|g| g.time_ms += 1),
        changed(|g| g.slot_ms += 1),
        changed(|g| g.authorities.swap(0, 1)),
        changed(|g| g.authorities.pop()),
        changed(|g| g.authorities.push(key(13).public())),
        changed(|g| g.limits.block_bytes += 1),
        changed(|g| g.limits.block_transactions += 1),
        changed(|g| g.limits.payload_bytes += 1),
        changed(|g| *g.allocations.get_mut(&key(1).address()).unwrap() += 1),
        changed(|g| g.allocations.insert(key(3).address(), 0)),
        changed(|g| g.allocations.remove(&key(1).address())),
    ];
    let ids: BTreeSet<_> = all.iter().map(Genesis::id).collect();
    let chains: BTreeSet<ChainId> = all.iter().map(Genesis::chain).collect();
    let blocks: BTreeSet<_> = all.iter().map(|genesis| genesis.block().id()).collect();
    assert_eq!((ids.len(), chains.len(), blocks.len()), (all.len(), all.len(), all.len()));
}

#[test]
fn the_order_of_allocations_in_the_file_does_not_matter() {
    let [a, b] = [1, 2].map(|seed| format!("{} = 5\n", key(seed).address()));
    let head = toml::to_string(&changed(|genesis| genesis.allocations.clear())).unwrap();
    let head = head.split("[allocations]").next().unwrap().to_owned() + "[allocations]\n";
    let one: Genesis = toml::from_str(&format!("{head}{a}{b}")).unwrap();
    let two: Genesis = toml::from_str(&format!("{head}{b}{a}")).unwrap();
    assert_eq!(one.id(), two.id());
}

#[test]
fn the_id_of_a_known_network_stays_what_it_is() {
    // A change here splits every running network, so it must never happen by accident.
    assert_eq!(
        genesis().id().to_string(),
        "91bd2d1963a70cfc4e1a133bb3f14fa35bfb701cb549fd11cc9ce548d2856038"
    );
}

#[test]
fn a_good_genesis_passes() {
    genesis().check().unwrap();
}

#[test]
fn a_network_has_a_name_of_64_bytes_at_most() {
    assert_eq!(refusal(|g| g.name.clear()), GenesisError::Name);
    assert_eq!(refusal(|g| g.name = "x".repeat(65)), GenesisError::Name);
    changed(|g| g.name = "x".repeat(64)).check().unwrap();
}

#[test]
fn a_slot_lasts_10_ms_to_an_hour() {
    for slot_ms in [0, 9, 3_600_001, u64::MAX] {
        assert_eq!(refusal(|g| g.slot_ms = slot_ms), GenesisError::Slot(slot_ms));
    }
    for slot_ms in [10, 3_600_000] {
        changed(|g| g.slot_ms = slot_ms).check().unwrap();
    }
}

#[test]
fn there_are_1_to_1024_authorities() {
    let many = |count: u16| -> Vec<PublicKey> {
        (0..count)
            .map(|number| {
                let mut bytes = [0; 32];
                bytes[..2].copy_from_slice(&number.to_le_bytes());
                Keypair::from_seed(&bytes).public()
            })
            .collect()
    };
    assert_eq!(refusal(|g| g.authorities.clear()), GenesisError::AuthorityCount(0));
    assert_eq!(refusal(|g| g.authorities = many(1_025)), GenesisError::AuthorityCount(1_025));
    changed(|g| g.authorities = many(1_024)).check().unwrap();
}

#[test]
fn no_authority_stands_twice() {
    let twice = key(11).public();
    assert_eq!(refusal(|g| g.authorities.push(twice)), GenesisError::AuthorityTwice(twice));
}

#[test]
fn an_authority_that_anybody_could_sign_for_is_refused() {
    // All zeros is a point of order four; the other is no point of the curve at all.
    let mut no_point = [0; 32];
    no_point[0] = 2;
    for bytes in [[0; 32], no_point] {
        let key = PublicKey(bytes);
        assert_eq!(refusal(|g| g.authorities.push(key)), GenesisError::AuthorityUnsound(key));
    }
}

#[test]
fn limits_stay_within_what_the_program_can_bear() {
    type Set = fn(&mut Limits, u32);
    let cases: [(&str, Set, usize, usize); 3] = [
        ("block_bytes", |limits, value| limits.block_bytes = value, 32 << 10, 4 << 20),
        ("block_transactions", |limits, value| limits.block_transactions = value, 1, 1 << 20),
        ("payload_bytes", |limits, value| limits.payload_bytes = value, 0, MAX_PAYLOAD_BYTES),
    ];
    for (name, set, least, most) in cases {
        for found in [least.checked_sub(1), Some(most + 1)].into_iter().flatten() {
            let found = found as u32;
            let expected = GenesisError::Limit { name, found, least, most };
            assert_eq!(refusal(|g| set(&mut g.limits, found)), expected);
        }
        for good in [least, most] {
            changed(|g| set(&mut g.limits, good as u32)).check().unwrap();
        }
    }
}

#[test]
fn the_allocations_fit_one_number() {
    let error = refusal(|g| g.allocations.insert(Address([1; 32]), u64::MAX - 1_499));
    assert_eq!(error, GenesisError::Supply);
    changed(|g| g.allocations.insert(Address([1; 32]), u64::MAX - 1_500)).check().unwrap();
}

#[test]
fn every_error_says_what_is_wrong() {
    let errors = [
        refusal(|g| g.name.clear()),
        refusal(|g| g.slot_ms = 0),
        refusal(|g| g.authorities.clear()),
        refusal(|g| g.authorities.push(key(11).public())),
        refusal(|g| g.limits.block_transactions = 0),
        refusal(|g| g.allocations.insert(Address([1; 32]), u64::MAX)),
    ];
    let texts: BTreeSet<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), errors.len());
}

#[test]
fn the_largest_transaction_fits_the_smallest_block() {
    // Else a network could allow payloads that no block can hold.
    use hearsay_chain::block::{BODY_OVERHEAD_BYTES, HEADER_BYTES};
    use hearsay_chain::transaction::MAX_TX_BYTES;
    const { assert!(HEADER_BYTES + BODY_OVERHEAD_BYTES + MAX_TX_BYTES <= 32 << 10) };
}

#[test]
fn slots_go_round_among_the_authorities_and_nobody_has_slot_0() {
    let genesis = genesis();
    let rules = Rules::new(genesis.clone());
    for slot in 1..10 {
        for authority in &genesis.authorities {
            let expected = *authority == owner(slot).public();
            assert_eq!(rules.may_propose(slot, authority), expected);
        }
        assert!(!rules.may_propose(slot, &key(1).public()));
    }
    assert!(!rules.may_propose(0, &genesis.authorities[0]));
    let nobody = Rules::new(changed(|g| g.authorities.clear()));
    assert!(!nobody.may_propose(1, &key(11).public()));
}

#[test]
fn the_genesis_block_names_its_network() {
    let (genesis, header) = (genesis(), genesis().block());
    assert_eq!(header.fields.height, 0);
    assert_eq!(header.fields.chain, genesis.chain());
    assert_eq!(header.fields.tx_root, genesis.id().0);
}

#[test]
fn a_quorum_is_more_than_two_thirds() {
    for (authorities, quorum) in [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (6, 5), (7, 5), (9, 7)] {
        let genesis = changed(|g| g.authorities = vec![key(1).public(); authorities]);
        assert_eq!(genesis.quorum(), quorum, "of {authorities}");
    }
}

proptest! {
    #[test]
    fn a_slot_holds_the_moments_from_its_start_to_the_next(slot in 0u64..1 << 40, part in 0u64..500) {
        let genesis = genesis();
        let start = genesis.slot_start_ms(slot);
        prop_assert_eq!(genesis.slot_at(start + part), slot);
        prop_assert_eq!(genesis.slot_at(start + 500), slot + 1);
    }

    #[test]
    fn no_moment_and_no_length_of_a_slot_makes_it_panic(
        slot: u64, moment: u64, slot_ms: u64, time_ms: u64,
    ) {
        let genesis = changed(|g| (g.slot_ms, g.time_ms) = (slot_ms, time_ms));
        let _ = genesis.slot_start_ms(slot);
        prop_assert!(moment >= time_ms || genesis.slot_at(moment) == 0);
    }
}
