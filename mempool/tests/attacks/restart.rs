//! A pool that is kept elsewhere and taken up again, as over a restart.

use std::convert::Infallible;

use hearsay_chain::ledger::Account;
use hearsay_chain::{Address, TxId, VerifiedTx};
use hearsay_mempool::{Config, Now, Origin, Pool, State};

use crate::field::{bid, key, per_byte, rich, signed};

/// A new pool with what another held, the oldest first.
pub(crate) fn restarted(pool: &Pool, account: impl Fn(&Address) -> Account, now: Now) -> Pool {
    let mut held: Vec<_> = pool.iter().collect();
    held.sort_by_key(|it| it.arrived_us);
    let mut again = Pool::new(*pool.config()).unwrap();
    for it in held {
        let account = account(&it.tx.sender());
        let refused = again.restore(it.tx.clone(), it.origin, it.arrived_us, account, now).err();
        assert_eq!(refused, None, "nonce {} of {account:?}", it.tx.transfer().nonce);
    }
    again
}

fn states(pool: &Pool) -> Vec<(TxId, State, Origin, u64)> {
    let mut states: Vec<_> =
        pool.iter().map(|it| (it.tx.id(), it.state, it.origin, it.arrived_us)).collect();
    states.sort_by_key(|it| it.0);
    states
}

#[test]
fn a_full_pool_is_the_same_after_a_restart() {
    let config = Config { max_count: 5_000, max_memory: 1 << 30, ..Config::default() };
    let mut pool = Pool::new(config).unwrap();
    let at = |us| Now { us, next_height: 1 };
    // Backwards, mixed, with gaps, some by users of this node, and more than there is room for.
    for number in 0..20_000_u64 {
        let (sender, place) = (number % 1_000, number / 1_000);
        let nonce = if sender % 2 == 0 { place } else { 24 - place };
        let origin = if number % 31 == 0 { Origin::Local } else { Origin::Remote };
        let tx = bid(sender, nonce, (number % 3) as usize * 100, per_byte(1 + number * 7 % 40));
        let _ = pool.insert(tx, origin, rich(), at(number));
    }
    let again = restarted(&pool, |_| rich(), at(20_000));
    again.check_invariants();
    println!("restart: {} of {} kept", again.len(), pool.len());
    assert_eq!(pool.len(), 5_000);
    assert_eq!(states(&again), states(&pool));
    assert!(again.best().eq(pool.best()));
}

/// A run of which the first came back from an abandoned block, and so is the youngest.
fn reorganised(count: u64, account: Account, spend: u64) -> (Pool, Vec<VerifiedTx>) {
    let at = |us| Now { us, next_height: 2 };
    let mut pool = Pool::new(Config::default()).unwrap();
    let run: Vec<VerifiedTx> = (0..count).map(|nonce| signed(1, nonce, 0, spend, 500)).collect();
    for (tx, us) in run[1..].iter().zip(1..) {
        let after = Account { nonce: 1, ..rich() };
        pool.insert(tx.clone(), Origin::Remote, after, at(us)).unwrap();
    }
    let accounts = |_: &_| Ok::<_, Infallible>(account);
    let Ok(left) = pool.tip_changed(&[], run[..1].to_vec(), accounts, at(5_000));
    assert!(left.is_empty());
    (pool, run)
}

#[test]
fn a_long_run_whose_first_one_came_back_survives_a_restart() {
    let (pool, run) = reorganised(900, rich(), 0);
    assert_eq!(pool.totals().ready, 900);
    let again = restarted(&pool, |_| rich(), Now { us: 5_001, next_height: 2 });
    assert_eq!(again.totals().ready, run.len());
}

#[test]
fn what_came_back_before_the_payment_that_funds_it_survives_a_restart() {
    let poor = Account { balance: 2_000, nonce: 0 };
    let (pool, run) = reorganised(3, poor, 1_000);
    assert!(matches!(pool.state(&run[1].id()), Some(State::Unfunded { .. })));
    let again = restarted(&pool, |_| poor, Now { us: 5_001, next_height: 2 });
    assert_eq!(states(&again), states(&pool));
    assert_eq!(again.next_nonce(&key(1).address(), poor), 3);
}
