//! Lists merge to the same whatever comes first, how often, and by whom.

use foca::{AccumulatingRuntime, Foca};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::super::codec::{Claim, Local, Standing};
use super::super::exchange::digest;
use super::super::identity::Id;
use super::super::profile::Key;
use super::super::rumour::Topics;

fn id(key: u8, generation: u64) -> Id {
    Id { key: Key([key; 32]), generation }
}

fn claim() -> impl Strategy<Value = Claim> {
    let standing =
        prop_oneof![Just(Standing::Alive), Just(Standing::Suspect), Just(Standing::Down)];
    (1u8..6, 1u64..4, 0u16..4, standing).prop_map(|(key, generation, incarnation, standing)| {
        Claim { id: id(key, generation), incarnation, standing }
    })
}

fn list() -> impl Strategy<Value = Vec<Claim>> {
    prop::collection::vec(claim(), 0..12)
}

/// What the state machine holds after it has merged these lists one after the other. A death has no
/// incarnation: which one it came with says nothing.
fn merged(lists: &[&[Claim]]) -> Vec<Claim> {
    let config = foca::Config::simple();
    let mut foca =
        Foca::with_custom_broadcast(id(0, 1), config, StdRng::seed_from_u64(1), Local, Topics);
    let mut runtime = AccumulatingRuntime::new();
    for list in lists {
        foca.apply_many(list.iter().map(|c| (*c).into()), true, &mut runtime).unwrap();
    }
    let mut held: Vec<Claim> = foca.iter_membership_state().map(Claim::from).collect();
    for claim in &mut held {
        if claim.standing == Standing::Down {
            claim.incarnation = 0;
        }
    }
    held.sort_by_key(|claim| claim.id);
    held
}

/// The order in which claims about one member win over each other.
fn rank(claim: &Claim) -> (u64, bool, u16, Standing) {
    let down = claim.standing == Standing::Down;
    let incarnation = if down { 0 } else { claim.incarnation };
    (claim.id.generation, down, incarnation, claim.standing)
}

proptest! {
    #[test]
    fn merging_does_not_depend_on_the_order(a in list(), b in list(), c in list()) {
        prop_assert_eq!(merged(&[&a, &b]), merged(&[&b, &a]));
        prop_assert_eq!(merged(&[&a, &b, &c]), merged(&[&c, &a, &b]));
    }

    #[test]
    fn merging_does_not_depend_on_what_was_merged_before(a in list(), b in list(), c in list()) {
        let (left, right) = (merged(&[&a, &b]), merged(&[&b, &c]));
        prop_assert_eq!(merged(&[&left, &c]), merged(&[&a, &right]));
    }

    #[test]
    fn merging_again_changes_nothing(a in list(), b in list()) {
        let once = merged(&[&a, &b]);
        prop_assert_eq!(&merged(&[&a, &b, &a, &b]), &once);
        prop_assert_eq!(&merged(&[&once, &once]), &once);
    }

    #[test]
    fn of_all_claims_about_a_member_the_greatest_is_held(a in list()) {
        for held in merged(&[&a]) {
            let about = a.iter().filter(|claim| claim.id.key == held.id.key);
            prop_assert_eq!(about.map(rank).max(), Some(rank(&held)));
        }
    }

    #[test]
    fn the_digest_sees_those_who_are_there_in_any_order(mut a in list()) {
        let held = merged(&[&a]);
        let mut turned = held.clone();
        turned.reverse();
        prop_assert_eq!(digest(held.clone()), digest(turned));
        a.retain(|claim| claim.standing != Standing::Down);
        if let Some(first) = held.iter().position(|claim| claim.standing != Standing::Down) {
            let mut less = held.clone();
            less.remove(first);
            prop_assert_ne!(digest(less), digest(held));
        }
    }
}
