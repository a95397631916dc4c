//! Balances and nonces: what a block does to them, and how it is taken back.

use std::collections::BTreeMap;

use hearsay_chain::block::VerifiedBlock;
use hearsay_chain::ids::Address;
use hearsay_chain::ledger::{
    Account, Accounts, BlockMisfit, Misfit, Overlay, Undo, apply_block, apply_transaction,
};
use hearsay_chain::store::{Changes, MemoryStore, Store};
use hearsay_chain::transaction::{Transfer, VerifiedTx};
use proptest::prelude::*;

use crate::common::{block, genesis, key, owner, transfer, verified};

/// The genesis balances: 1,000 for the key of seed 1 and 500 for that of seed 2.
fn store() -> MemoryStore {
    let mut store = MemoryStore::new(genesis().id());
    let accounts = genesis()
        .allocations
        .into_iter()
        .map(|(address, balance)| (address, Account { balance, nonce: 0 }))
        .collect();
    store.commit(Changes { accounts, ..Changes::default() }).unwrap();
    store
}

fn held(accounts: &impl Accounts, seed: u8) -> (u64, u64) {
    let account = accounts.account(&key(seed).address()).unwrap();
    (account.balance, account.nonce)
}

/// Applies transactions of the key of seed 1 as a block of slot 1, whose owner has seed 11.
fn applied(transactions: Vec<VerifiedTx>) -> Result<(MemoryStore, Undo), BlockMisfit> {
    let mut store = store();
    let mut overlay = Overlay::new(&store);
    let undo = apply_block(&mut overlay, &block(1, transactions)).unwrap()?;
    let accounts = overlay.into_changes();
    store.commit(Changes { accounts, ..Changes::default() }).unwrap();
    Ok((store, undo))
}

#[test]
fn a_transfer_moves_the_amount_and_the_fee_goes_to_the_proposer() {
    let (store, undo) = applied(vec![verified(0, |_| {})]).unwrap();
    assert_eq!(held(&store, 1), (1_000 - 13, 1));
    assert_eq!(held(&store, 2), (510, 0));
    assert_eq!(held(&store, 11), (3, 0));
    let before: Vec<_> = undo.accounts.values().map(|account| account.balance).collect();
    assert_eq!(before.len(), 3);
    assert_eq!(before.iter().sum::<u64>(), 1_500);
}

#[test]
fn fees_are_paid_after_all_transactions_and_not_before() {
    // The proposer has nothing; its own transaction cannot be paid from this block's fees.
    let own = VerifiedTx::verify(
        Transfer { sender: owner(1).public(), amount: 1, fee: 0, ..transfer(0) }
            .sign(&owner(1))
            .into(),
    )
    .unwrap();
    let misfit = applied(vec![verified(0, |_| {}), own.clone()]).unwrap_err();
    assert_eq!(misfit.id, own.id());
    assert_eq!(misfit.misfit, Misfit::Balance { cost: 1, balance: 0 });
}

#[test]
fn a_block_without_fees_does_not_touch_the_proposer() {
    let (store, undo) = applied(vec![verified(0, |t| t.fee = 0)]).unwrap();
    assert_eq!(held(&store, 11), (0, 0));
    assert!(!undo.accounts.contains_key(&key(11).address()));
    let (_, undo) = applied(Vec::new()).unwrap();
    assert_eq!(undo, Undo::default());
}

#[test]
fn a_proposer_that_pays_itself_keeps_its_fee() {
    let mut store = store();
    let rich = owner(1).address();
    let accounts = [(rich, Account { balance: 100, nonce: 4 })].into();
    store.commit(Changes { accounts, ..Changes::default() }).unwrap();
    let own = Transfer { sender: owner(1).public(), nonce: 4, ..transfer(0) };
    let own = VerifiedTx::verify(own.sign(&owner(1)).into()).unwrap();
    let mut overlay = Overlay::new(&store);
    apply_block(&mut overlay, &block(1, vec![own])).unwrap().unwrap();
    assert_eq!(overlay.account(&rich).unwrap(), Account { balance: 90, nonce: 5 });
    assert_eq!(held(&overlay, 2), (510, 0));
}

#[test]
fn a_transfer_to_oneself_costs_the_fee_alone() {
    let to_self = |t: &mut Transfer| t.recipient = key(1).address();
    let (store, undo) = applied(vec![verified(0, to_self)]).unwrap();
    assert_eq!(held(&store, 1), (1_000 - 3, 1));
    assert_eq!(undo.accounts.len(), 2);
}

#[test]
fn a_transfer_to_oneself_needs_the_amount_all_the_same() {
    let misfit = applied(vec![verified(0, |t| {
        t.recipient = key(1).address();
        t.amount = 998;
    })])
    .unwrap_err();
    assert_eq!(misfit.misfit, Misfit::Balance { cost: 1_001, balance: 1_000 });
}

#[test]
fn an_account_can_be_emptied_and_not_overdrawn() {
    let (store, _) = applied(vec![verified(0, |t| t.amount = 997)]).unwrap();
    assert_eq!(held(&store, 1), (0, 1));
    let misfit = applied(vec![verified(0, |t| t.amount = 998)]).unwrap_err();
    assert_eq!(misfit.misfit, Misfit::Balance { cost: 1_001, balance: 1_000 });
}

#[test]
fn nonces_run_without_gap_or_repetition() {
    let run = |nonces: &[u64]| {
        applied(nonces.iter().map(|nonce| verified(*nonce, |_| {})).collect())
            .map(|(store, _)| held(&store, 1).1)
            .map_err(|error| error.misfit)
    };
    assert_eq!(run(&[0, 1, 2]), Ok(3));
    assert_eq!(run(&[1]), Err(Misfit::NonceGap { found: 1, next: 0 }));
    assert_eq!(run(&[0, 2]), Err(Misfit::NonceGap { found: 2, next: 1 }));
    assert_eq!(run(&[0, 0]), Err(Misfit::NonceUsed { found: 0, next: 1 }));
    assert_eq!(run(&[0, 1, 0]), Err(Misfit::NonceUsed { found: 0, next: 2 }));
}

#[test]
fn the_expiry_is_the_last_height_that_takes_it() {
    let store = store();
    let tx = verified(0, |t| t.expiry = Some(7));
    for (height, expected) in [
        (1, Ok(())),
        (7, Ok(())),
        (8, Err(Misfit::Expired { expiry: 7 })),
        (u64::MAX, Err(Misfit::Expired { expiry: 7 })),
    ] {
        let mut overlay = Overlay::new(&store);
        assert_eq!(apply_transaction(&mut overlay, &tx, height).unwrap(), expected);
        assert_eq!(overlay.into_changes().is_empty(), expected.is_err());
    }
    let mut overlay = Overlay::new(&store);
    let forever = verified(0, |_| {});
    assert_eq!(apply_transaction(&mut overlay, &forever, u64::MAX).unwrap(), Ok(()));
}

#[test]
fn a_used_nonce_is_told_before_an_expiry_and_an_expiry_before_a_balance() {
    let mut store = store();
    let accounts = [(key(1).address(), Account { balance: 0, nonce: 5 })].into();
    store.commit(Changes { accounts, ..Changes::default() }).unwrap();
    let misfit = |nonce| {
        let tx = verified(nonce, |t| t.expiry = Some(1));
        apply_transaction(&mut Overlay::new(&store), &tx, 9).unwrap().unwrap_err()
    };
    assert_eq!(misfit(4), Misfit::NonceUsed { found: 4, next: 5 });
    assert_eq!(misfit(6), Misfit::NonceGap { found: 6, next: 5 });
    assert_eq!(misfit(5), Misfit::Expired { expiry: 1 });
}

/// Accounts of nine keys, of which seeds 10 to 12 are the authorities.
const SEEDS: std::ops::Range<u8> = 4..13;

fn all(accounts: &impl Accounts) -> BTreeMap<Address, Account> {
    SEEDS
        .map(|seed| key(seed).address())
        .map(|address| (address, accounts.account(&address).unwrap()))
        .collect()
}

fn supply(accounts: &BTreeMap<Address, Account>) -> u128 {
    accounts.values().map(|account| u128::from(account.balance)).sum()
}

/// A random wish to pay: from, to, amount, fee. What does not fit is left out of the block.
fn wish() -> impl Strategy<Value = (u8, u8, u64, u64)> {
    (SEEDS, SEEDS, 0u64..400, 0u64..20)
}

/// A block of the wishes that fit, one after the other.
fn block_of(accounts: &impl Accounts, slot: u64, wishes: &[(u8, u8, u64, u64)]) -> VerifiedBlock {
    let mut overlay = Overlay::new(accounts);
    let mut transactions = Vec::new();
    for (from, to, amount, fee) in wishes.iter().copied() {
        let (sender, recipient) = (key(from).public(), key(to).address());
        let nonce = held(&overlay, from).1;
        let transfer = Transfer { sender, recipient, amount, fee, ..transfer(nonce) };
        // Its signature is of no interest here, and checking it is slow.
        let tx = VerifiedTx::from_own_store(transfer.sign(&key(from)).into());
        if apply_transaction(&mut overlay, &tx, 1).unwrap().is_ok() {
            transactions.push(tx);
        }
    }
    block(slot, transactions)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn applying_blocks_and_taking_them_back_changes_nothing_and_no_unit_is_made_or_lost(
        balances in prop::collection::vec(0u64..1_000, SEEDS.len()),
        blocks in prop::collection::vec(prop::collection::vec(wish(), 0..8), 1..4),
    ) {
        let mut store = MemoryStore::new(genesis().id());
        let accounts = SEEDS.zip(balances);
        let accounts = accounts
            .map(|(seed, balance)| (key(seed).address(), Account { balance, nonce: 0 }))
            .collect();
        store.commit(Changes { accounts, ..Changes::default() }).unwrap();
        let start = all(&store);

        let mut overlay = Overlay::new(&store);
        let mut history = Vec::new();
        for (slot, wishes) in (1..).zip(&blocks) {
            let before = all(&overlay);
            let block = block_of(&overlay, slot, wishes);
            let undo = apply_block(&mut overlay, &block).unwrap().unwrap();
            let after = all(&overlay);
            prop_assert_eq!(supply(&after), supply(&start));
            for (address, account) in &before {
                let touched = undo.accounts.get(address);
                prop_assert!(touched.is_none_or(|noted| noted == account));
                prop_assert!(touched.is_some() || after[address] == *account);
            }
            history.push((before, undo));
        }
        for (before, undo) in history.into_iter().rev() {
            undo.revert(&mut overlay);
            prop_assert_eq!(all(&overlay), before);
        }
        prop_assert_eq!(all(&overlay), start);
    }

    #[test]
    fn a_transaction_that_does_not_fit_leaves_everything_as_it_was(
        nonce in 0u64..3, amount in 900u64..1_100, expiry in prop::option::of(0u64..4),
    ) {
        let store = store();
        let mut overlay = Overlay::new(&store);
        let tx = verified(nonce, |t| (t.amount, t.expiry) = (amount, expiry));
        let fits = apply_transaction(&mut overlay, &tx, 2).unwrap().is_ok();
        let expected = nonce == 0 && amount + 3 <= 1_000 && expiry.is_none_or(|last| last >= 2);
        prop_assert_eq!(fits, expected);
        prop_assert_eq!(overlay.into_changes().is_empty(), !fits);
    }
}

#[test]
fn the_whole_supply_can_lie_in_one_account() {
    let mut store = MemoryStore::new(genesis().id());
    let accounts = [(key(1).address(), Account { balance: u64::MAX, nonce: 0 })].into();
    store.commit(Changes { accounts, ..Changes::default() }).unwrap();
    let mut overlay = Overlay::new(&store);
    let tx = verified(0, |t| (t.amount, t.fee) = (u64::MAX, 0));
    apply_block(&mut overlay, &block(1, vec![tx])).unwrap().unwrap();
    assert_eq!(held(&overlay, 1), (0, 1));
    assert_eq!(held(&overlay, 2), (u64::MAX, 0));
}
