//! For tests: a pool of one sender.

use hearsay_chain::{Address, TxId, UnverifiedTx};

use crate::api::{
    BlockFee, FeeBand, FeeEstimate, Gap, MempoolStatus, PoolFees, PoolSender, PoolState, PooledTx,
    Refused, TestResult, TestVerdict,
};

pub(crate) fn mempool() -> MempoolStatus {
    MempoolStatus {
        count: 2,
        ready: 1,
        queued: 1,
        bytes: 500,
        unbroadcast: 1,
        min_fee_per_kb: 5,
        ..MempoolStatus::default()
    }
}

pub(crate) fn sender() -> PoolSender {
    PoolSender {
        address: Address([2; 32]),
        nonce: 2,
        balance: 100,
        ready: 1,
        queued: 1,
        gaps: vec![Gap { first: 3, last: 3 }, Gap { first: 7, last: 9 }],
        bytes: 500,
        cost: 12,
        oldest_ms: 121_000,
    }
}

pub(crate) fn pooled() -> PooledTx {
    PooledTx {
        id: TxId([3; 32]),
        sender: Address([2; 32]),
        nonce: 10,
        recipient: Address([4; 32]),
        amount: 1,
        fee: 5,
        fee_per_kb: 20.0,
        expiry: None,
        size: 250,
        state: PoolState::Queued,
        waiting_for: Some(3),
        local: true,
        unbroadcast: false,
        age_ms: 121_000,
    }
}

pub(crate) fn fees() -> PoolFees {
    PoolFees {
        floor_per_kb: 5,
        bands: vec![FeeBand { from_per_kb: 16, count: 2, ready: 1, bytes: 500 }],
    }
}

/// One unit for each hundred bytes.
pub(crate) fn estimate(bytes: u64) -> FeeEstimate {
    FeeEstimate {
        bytes,
        floor_per_kb: 1,
        least_fee: 1,
        blocks: vec![BlockFee { blocks: 1, per_kb: 10, fee: bytes / 100 }],
    }
}

pub(crate) fn tested(tx: &UnverifiedTx, refused: Option<&Refused>) -> TestResult {
    TestResult {
        id: tx.id(),
        accepted: refused.is_none(),
        ready: refused.is_none(),
        replaces: None,
        evicts: Vec::new(),
        verdict: match refused {
            None => TestVerdict::Accept,
            Some(refused) if refused.invalid => TestVerdict::Reject,
            Some(_) => TestVerdict::Ignore,
        },
        reason: refused.map(|refused| refused.reason.clone()),
        message: refused.map(|refused| refused.message.clone()),
        least_fee: Some(1),
    }
}
