use super::*;
use crate::chain::Import;
use crate::store::MemoryStore;
use crate::testing::{FAR_SLOT, block, empty, lived, on, root, run, take, user};

fn fork() -> (Chain<MemoryStore>, Vec<crate::VerifiedBlock>) {
    let mut chain = empty(4);
    let genesis = chain.genesis().clone();
    let main = run(&genesis, root(&genesis), &[0, 1, 0, 1, 0], 1);
    take(&mut chain, &main);
    take(&mut chain, &run(&genesis, on(&main[1]), &[0, 1], 2));
    (chain, main)
}

#[test]
fn a_chain_taken_back_stands_as_it_stood_and_grows_again() {
    let (mut chain, main) = fork();
    let mut before = empty(4);
    take(&mut before, &main[..2]);
    let done = chain.revert_to(2).unwrap().unwrap();
    assert_eq!((done.previous.height, done.tip.height), (5, 2));
    assert_eq!((done.transactions, done.side_blocks), (6, 2));
    assert_eq!(chain.ends(), before.ends());
    for number in 0..4 {
        let address = user(number).address();
        assert_eq!(chain.account(&address).unwrap(), before.account(&address).unwrap());
    }
    assert!(!chain.contains(&main[2].id()).unwrap());
    take(&mut chain, &main[2..]);
    assert_eq!(chain.tip().id, main[4].id());
}

#[test]
fn a_chain_taken_back_does_not_switch_to_what_stood_beside_it() {
    let (mut chain, main) = fork();
    chain.revert_to(2).unwrap().unwrap();
    let genesis = chain.genesis().clone();
    let next = block(&genesis, on(&main[1]), 2, 7);
    assert!(matches!(chain.import(next.clone(), FAR_SLOT).unwrap(), Import::Tip(_)));
    assert_eq!(chain.tip().id, next.id());
}

#[test]
fn a_chain_taken_back_and_opened_again_finalises_alike() {
    let mut chain = lived(None);
    chain.revert_to(9).unwrap().unwrap();
    let genesis = chain.genesis().clone();
    let mut opened = Chain::open(chain.store().clone(), genesis.clone()).unwrap();
    let tip = chain.store().block(&chain.ends().tip).unwrap().unwrap();
    for chain in [&mut chain, &mut opened] {
        take(chain, &run(&genesis, on(&tip), &[2, 3], 6));
    }
    assert_eq!(chain.ends(), opened.ends());
}

#[test]
fn a_final_height_and_one_that_is_not_below_the_tip_are_refused() {
    let mut chain = lived(None);
    let before = chain.ends();
    for height in [0, 6, 7] {
        let refused = chain.revert_to(height).unwrap().unwrap_err();
        assert_eq!(refused, Unrevertible::Final { height, final_height: 7 });
        assert!(refused.to_string().contains("name a height from 8 on"));
    }
    for height in [11, 12] {
        let refused = chain.revert_to(height).unwrap().unwrap_err();
        assert_eq!(refused, Unrevertible::NotBelowTip { tip: 11 });
    }
    assert_eq!(chain.ends(), before);
}
