//! What would come of handing a transaction in: the same checks in the same order, and nothing else.

use hearsay_chain::{Judged, Store, StoreError, TxError, UnverifiedTx, Verdict};
use hearsay_mempool::{Origin, Refusal};

use super::input::{Time, Token};
use super::jobs::Job;
use super::transactions::Objection;
use super::work::Work;
use super::{Effect, Engine};
use crate::api::{Answer, TestResult, TestVerdict};

impl<S: Store> Engine<S> {
    pub(super) fn on_test(
        &mut self,
        now: Time,
        token: Token,
        tx: UnverifiedTx,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        if let Some(objection) = self.form_objection(&tx) {
            let answer = Answer::Test(self.tested(now, &tx, Some(objection))?);
            out.push(Effect::Answer { token, answer });
            return Ok(());
        }
        let result = self.tested(now, &tx, None)?;
        if !result.accepted {
            out.push(Effect::Answer { token, answer: Answer::Test(result) });
            return Ok(());
        }
        let job = self.jobs.start(Job::Test { token, tx: tx.clone() });
        out.push(Effect::Check { job, work: Work::Tx(tx) });
        Ok(())
    }

    /// Its signature was checked; the pool may have changed since it was asked first.
    pub(super) fn on_checked_test(
        &mut self,
        now: Time,
        token: Token,
        tx: &UnverifiedTx,
        error: Option<TxError>,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let answer = Answer::Test(self.tested(now, tx, error.map(Objection::from))?);
        out.push(Effect::Answer { token, answer });
        Ok(())
    }

    /// What is said to a transaction to which there is this objection, or else what the pool says.
    pub(super) fn tested(
        &self,
        now: Time,
        tx: &UnverifiedTx,
        objection: Option<Objection>,
    ) -> Result<TestResult, StoreError> {
        let moment = self.pool_now(now);
        let floor = u64::try_from(self.pool.floor(moment.us).fee_for(tx.size())).ok();
        let result = TestResult {
            id: tx.id(),
            accepted: false,
            ready: false,
            replaces: None,
            evicts: Vec::new(),
            verdict: TestVerdict::Accept,
            reason: None,
            message: None,
            least_fee: floor,
        };
        if let Some(objection) = objection {
            return Ok(refused(result, objection));
        }
        let account = self.chain.account(&tx.transfer().sender.address())?;
        Ok(match self.pool.check(tx, Origin::Local, account, moment) {
            Ok(forecast) => TestResult {
                accepted: true,
                // Other nodes have it from gossip, which asks for more while the floor is raised.
                verdict: match self.pool.check(tx, Origin::Remote, account, moment) {
                    Ok(_) => TestVerdict::Accept,
                    Err(refusal) => told(refusal.verdict()),
                },
                ready: forecast.ready,
                replaces: forecast.replaces,
                evicts: forecast.evicts,
                ..result
            },
            Err(refusal) => {
                let least_fee = least_fee(&refusal, floor);
                refused(TestResult { least_fee, ..result }, refusal.into())
            }
        })
    }
}

/// The fee that a refusal asks for, which may be more than a fee can be.
fn least_fee(refusal: &Refusal, floor: Option<u64>) -> Option<u64> {
    match refusal {
        Refusal::FeeTooLow { least, .. } | Refusal::Underpriced { least, .. } => {
            u64::try_from(*least).ok()
        }
        // What it takes to push others out depends on who they are.
        Refusal::Full { .. } => None,
        Refusal::Known
        | Refusal::NonceUsed { .. }
        | Refusal::Expired { .. }
        | Refusal::TooOld
        | Refusal::NonceTooFar { .. }
        | Refusal::TooManyQueued { .. }
        | Refusal::CannotPay { .. } => floor,
    }
}

fn told(verdict: Verdict) -> TestVerdict {
    match verdict {
        Verdict::Accept => TestVerdict::Accept,
        Verdict::Ignore => TestVerdict::Ignore,
        Verdict::Reject => TestVerdict::Reject,
    }
}

fn refused(result: TestResult, objection: Objection) -> TestResult {
    let verdict = told(objection.verdict);
    let reason = Some(objection.reason.to_owned());
    TestResult { verdict, reason, message: Some(objection.message), ..result }
}
