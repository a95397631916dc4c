//! Headers: asked of one peer, checked as one batch, and linked to what is known.

use hearsay_chain::chain::{Unfit, check_step};
use hearsay_chain::fork_choice::Candidate;
use hearsay_chain::{BlockError, Judged, SignedHeader, Store, StoreError, Verdict};
use hearsay_network::PeerId;
use hearsay_network::sync::Plan;
use hearsay_network::wire::{MAX_HEADERS, Response};

use super::super::input::Time;
use super::super::jobs::Job;
use super::super::work::Work;
use super::super::{Effect, Engine};

/// Where the first of some headers stands.
enum Place {
    /// On what is planned.
    Planned,
    /// On a block that is kept: a branch of its own.
    Kept(Candidate),
    /// On a block that is kept, below the last final one.
    BelowFinal,
    /// Nowhere.
    Unknown,
}

/// Leaves out the first headers that are planned already.
fn without_planned(plan: &Plan, mut headers: Vec<SignedHeader>) -> Vec<SignedHeader> {
    let planned = |header: &&SignedHeader| {
        plan.header_at(header.height()).is_some_and(|planned| planned.id() == header.id())
    };
    let count = headers.iter().take_while(planned).count();
    headers.drain(..count);
    headers
}

impl<S: Store> Engine<S> {
    /// A peer answered a request for headers, or did not.
    pub(super) fn on_headers(
        &mut self,
        now: Time,
        (generation, from): (u64, PeerId),
        result: Result<Response, String>,
        out: &mut Vec<Effect>,
    ) {
        let rules = self.chain.rules().clone();
        let Some(fetch) = self.sync.fetch_of(generation).filter(|fetch| fetch.guide == from) else {
            return;
        };
        fetch.asked = None;
        match result {
            Ok(Response::Headers(headers)) if headers.is_empty() => fetch.complete = true,
            Ok(Response::Headers(headers)) => {
                fetch.checking = true;
                let full = headers.len() == MAX_HEADERS;
                let job = self.jobs.start(Job::Headers { generation, peer: from, full });
                out.push(Effect::Check { job, work: Work::Headers(rules, headers) });
            }
            Ok(_) => {
                self.penalise(now, from, "wrong-answer", out);
                self.change_guide(now);
            }
            Err(_) => self.guide_failed(now),
        }
    }

    /// Headers were checked; they are put where they belong.
    pub(in crate::engine) fn on_checked_headers(
        &mut self,
        now: Time,
        (generation, peer): (u64, PeerId),
        headers: Vec<SignedHeader>,
        (full, error): (bool, Option<BlockError>),
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let Some(fetch) = self.sync.fetch_of(generation) else { return Ok(()) };
        fetch.checking = false;
        // Who has gone meanwhile may be asked again by another fetch; what it gave is of no use.
        if fetch.guide != peer {
            return self.advance_sync(now, out);
        }
        if error.is_some() {
            self.penalise(now, peer, "false-headers", out);
            self.change_guide(now);
            return self.advance_sync(now, out);
        }
        let headers = without_planned(&fetch.plan, headers);
        let place = match headers.first() {
            Some(first) => self.place_of(first)?,
            None => Place::Planned,
        };
        match place {
            Place::Planned => {
                let gained = self.link(now, peer, headers, full, out);
                self.note_gain(now, peer, gained, full);
            }
            Place::Kept(base) => {
                if let Some(fetch) = &mut self.sync.fetch {
                    fetch.plan = Plan::new(base);
                }
                let offered = headers.len();
                let headers = self.without_known(headers)?;
                let known = offered - headers.len();
                let gained = known + self.link(now, peer, headers, full, out);
                self.note_gain(now, peer, gained, full);
            }
            // It holds another block for final than this node does, or lies; no use either way.
            Place::BelowFinal => {
                self.rest_for_long(now, &peer);
                self.change_guide(now);
            }
            Place::Unknown => {
                self.penalise(now, peer, "unlinked-headers", out);
                self.change_guide(now);
            }
        }
        self.advance_sync(now, out)
    }

    /// A guide that gives the same headers again has nothing to give, or plays for time.
    fn note_gain(&mut self, now: Time, guide: PeerId, gained: usize, full: bool) {
        let tip = self.chain.tip();
        let Some(fetch) = self.sync.fetch.as_mut().filter(|fetch| fetch.guide == guide) else {
            return;
        };
        if gained > 0 && fetch.plan.end() > tip {
            fetch.moves(now.mono_us);
        } else if gained == 0 && full {
            self.rest_for_long(now, &guide);
            self.change_guide(now);
        }
    }

    fn place_of(&mut self, first: &SignedHeader) -> Result<Place, StoreError> {
        let parent = first.header().fields.parent;
        let below = first.height().saturating_sub(1);
        if let Some(fetch) = &mut self.sync.fetch {
            let planned = fetch.plan.header_at(below).is_some_and(|header| header.id() == parent);
            if planned {
                fetch.plan.truncate(below);
                return Ok(Place::Planned);
            }
        }
        let Some(header) = self.chain.store().header(&parent)? else {
            return Ok(Place::Unknown);
        };
        let (height, final_height) = (header.fields.height, self.chain.ends().final_height);
        let main = self.chain.is_main(&parent, height)?;
        Ok(if height < final_height || (height == final_height && !main) {
            Place::BelowFinal
        } else {
            Place::Kept(Candidate { height, id: parent })
        })
    }

    /// Leaves out the first headers whose blocks are kept: of a branch that was fetched in part.
    fn without_known(
        &mut self,
        mut headers: Vec<SignedHeader>,
    ) -> Result<Vec<SignedHeader>, StoreError> {
        let mut known = 0usize;
        for header in &headers {
            if !self.chain.contains(&header.id())? {
                break;
            }
            known += 1;
        }
        let last = known.checked_sub(1).and_then(|last| headers.get(last));
        if let (Some(last), Some(fetch)) = (last, &mut self.sync.fetch) {
            fetch.plan = Plan::new(Candidate { height: last.height(), id: last.id() });
        }
        headers.drain(..known);
        Ok(headers)
    }

    /// Adds headers to the plan, as far as each stands rightly on the one before; gives how many.
    fn link(
        &mut self,
        now: Time,
        peer: PeerId,
        mut headers: Vec<SignedHeader>,
        full: bool,
        out: &mut Vec<Effect>,
    ) -> usize {
        let latest_slot = self.latest_slot(now);
        let Some(fetch) = &mut self.sync.fetch else { return 0 };
        let mut parent = fetch.plan.last_header().cloned();
        if parent.is_none() {
            // The base is kept, so its header can be read; a failure shows when it is imported.
            let base = self.chain.store().header(&fetch.plan.base().id).ok().flatten();
            parent = base.map(SignedHeader::kept);
        }
        let mut fault = None;
        let mut count = 0;
        for header in &headers {
            let Some(below) = &parent else { break };
            let step = if header.header().fields.parent == below.id() {
                check_step(&header.header().fields, &below.header().fields, latest_slot)
            } else {
                Err(Unfit::Height { found: header.height(), parent: below.height() })
            };
            if let Err(unfit) = step {
                fault = Some(unfit);
                break;
            }
            parent = Some(header.clone());
            count += 1;
        }
        headers.truncate(count);
        fetch.plan.extend(headers);
        fetch.complete = !full || fault.is_some();
        if fault.is_some_and(|unfit| unfit.verdict() == Verdict::Reject) {
            self.penalise(now, peer, "unlinked-headers", out);
            self.change_guide(now);
        }
        count
    }
}
