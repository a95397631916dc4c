//! A compact block's way from gossip to its verdict, which it gets by its header and its names alone.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use hearsay_chain::block::{Header, HeaderFields};
use hearsay_chain::chain::{Unfit, check_step};
use hearsay_chain::fork_choice::Candidate;
use hearsay_chain::{BlockError, BlockId, SignedHeader, Store, StoreError, Turn};
use hearsay_network::PeerId;
use hearsay_network::compact::{CompactBlock, Rebuild};
use lru::LruCache;

use super::super::blocks::{known, orphan};
use super::super::input::Time;
use super::super::jobs::{Job, Owner};
use super::super::transactions::Objection;
use super::super::work::Work;
use super::super::{Effect, Engine};
use super::rebuilding::Rebuilding;
use crate::trace::event::Kind;

/// Turns whose relayed blocks are remembered: many more than blocks come in the time that one is put
/// together and stored, from when on the store knows.
const MAX_TURNS: NonZeroUsize = NonZeroUsize::new(1_024).expect("not zero");

/// Blocks of one turn that are relayed: two are proof enough that its authority made more than one.
const MAX_OF_TURN: usize = 2;

/// How far above the next height a block without a parent may be to be put together. One further up
/// comes with its branch: whoever catches up has few of its transactions, and would ask for them twice.
const NEAR: u64 = 4;

/// A pool of this many is looked through as it lies, which takes 8 ms (development profile): twice what it
/// takes to have those of a block come in the order of what they pay, and a sixth if one is missing.
const SMALL_POOL: usize = 100_000;

/// Of a larger one, those that pay best come first, this many times as many as the block has: a block
/// takes those.
const BEST_TIMES: usize = 2;

/// Transactions that are looked at in all: a million take ten times as long, in which nothing else is
/// done. With more it is better to ask for the rest.
const LOOKED_AT: usize = 2_000_000;

/// The blocks that were relayed for each turn before they were whole.
#[derive(Debug)]
pub(super) struct Turns(LruCache<Turn, Vec<BlockId>>);

impl Default for Turns {
    fn default() -> Self {
        Self(LruCache::new(MAX_TURNS))
    }
}

impl Turns {
    /// Notes a block unless two others of its turn were noted.
    fn note(&mut self, turn: Turn, id: BlockId) {
        let blocks = self.0.get_or_insert_mut(turn, Vec::new);
        if blocks.len() < MAX_OF_TURN && !blocks.contains(&id) {
            blocks.push(id);
        }
    }

    /// The other blocks that were noted of a turn.
    fn others(&self, turn: &Turn, id: &BlockId) -> Vec<BlockId> {
        let blocks = self.0.peek(turn).into_iter().flatten();
        blocks.filter(|other| *other != id).copied().collect()
    }
}

/// How a header stands to what is here.
enum Footing {
    /// Rightly on its parent.
    Fits,
    /// Its parent is not here.
    Orphan(BlockId),
    /// It does not fit its parent, or the parent is of no use.
    Unfit(Unfit),
}

/// What a block is worth whose header is signed.
enum Worth {
    /// To be relayed, and put together.
    Relay,
    /// To be put together alone.
    Take(Objection),
    /// The same, but its parent is not here.
    Orphan(Objection),
    /// Nothing.
    Nothing(Objection),
}

/// A compact block that is on its way, and whoever waits for its verdict.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Arrived {
    pub(in crate::engine) id: BlockId,
    pub(in crate::engine) block: Arc<CompactBlock>,
    pub(in crate::engine) message_bytes: usize,
    pub(in crate::engine) owner: Owner,
    /// Others that came meanwhile with the same header and other names: one of each peer.
    pub(in crate::engine) rivals: Vec<Arrived>,
}

/// Rivals that one waits with: an honest one has its place beside so many liars.
const MAX_RIVALS: usize = 16;

impl Arrived {
    fn from(&self) -> Option<PeerId> {
        match &self.owner {
            Owner::Gossip { ticket, .. } => Some(ticket.from),
            Owner::Submit { .. } | Owner::Offer { .. } => None,
        }
    }

    /// Whether another one with the same header is to be looked at if this one turns out to be forged.
    pub(in crate::engine) fn may_wait(&self, rival: &Arrived) -> bool {
        let ahead = || std::iter::once(self).chain(&self.rivals);
        self.rivals.len() < MAX_RIVALS
            && ahead().all(|it| it.block != rival.block && it.from() != rival.from())
    }

    /// What it and its rivals hold in memory, in bytes.
    pub(in crate::engine) fn bytes(&self) -> usize {
        let rivals = self.rivals.iter().map(|it| it.message_bytes);
        rivals.fold(self.message_bytes, usize::saturating_add)
    }
}

impl<S: Store> Engine<S> {
    /// Refuses what can be refused without looking at signatures, and has those of header and names
    /// checked else.
    pub(in crate::engine) fn on_compact_block(
        &mut self,
        now: Time,
        block: CompactBlock,
        message_bytes: usize,
        owner: Owner,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let id = block.header.id();
        let rivals = Vec::new();
        let arrived = Arrived { id, block: Arc::new(block), message_bytes, owner, rivals };
        // Anybody can put other names under a header. Until it is known whose are signed, none of them
        // is the block.
        let Some(arrived) = self.jobs.wait_behind(arrived) else { return Ok(()) };
        let mut objection = self.early_block_objection(now, &arrived.block.header)?;
        if self.compact.given_up.contains(&id) {
            objection = Some(known());
        }
        if let Some(objection) = objection {
            self.judge(now, Kind::Block, id.0, &arrived.owner, Err(&objection), out);
            return Ok(());
        }
        self.check_compact(arrived, out);
        Ok(())
    }

    fn check_compact(&mut self, arrived: Arrived, out: &mut Vec<Effect>) {
        let work = Work::Compact(self.chain.rules().clone(), Arc::clone(&arrived.block));
        let job = self.jobs.start(Job::Compact(arrived));
        out.push(Effect::Check { job, work });
    }

    /// The signatures of header and names were checked: the block is judged and relayed, and put
    /// together.
    pub(in crate::engine) fn on_checked_compact(
        &mut self,
        now: Time,
        arrived: Arrived,
        checked: Result<SignedHeader, BlockError>,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let Arrived { id, block, message_bytes, owner, mut rivals } = arrived;
        let Owner::Gossip { ticket, taken, .. } = &owner else { return Ok(()) };
        let (from, since) = (ticket.from, *taken);
        let header = match checked {
            Ok(header) => header,
            Err(error) => {
                self.judge(now, Kind::Block, id.0, &owner, Err(&error.into()), out);
                if !rivals.is_empty() {
                    let mut next = rivals.remove(0);
                    next.rivals = rivals;
                    self.check_compact(next, out);
                }
                return Ok(());
            }
        };
        for rival in rivals {
            self.judge(now, Kind::Block, id.0, &rival.owner, Err(&known()), out);
        }
        let worth = self.worth_of(now, &header)?;
        let answer = match &worth {
            Worth::Relay => Ok(()),
            Worth::Take(objection) | Worth::Orphan(objection) | Worth::Nothing(objection) => {
                Err(objection)
            }
        };
        self.judge(now, Kind::Block, id.0, &owner, answer, out);
        let orphan = matches!(worth, Worth::Orphan(_));
        match worth {
            Worth::Relay => self.compact.turns.note(Turn::of(header.header()), id),
            Worth::Take(_) | Worth::Orphan(_) => {}
            Worth::Nothing(_) => return Ok(()),
        }
        let fields = &header.header().fields;
        let (height, parent) = (fields.height, fields.parent);
        let is_near = height <= self.next_height().saturating_add(NEAR);
        if orphan && !is_near {
            // Who relays a block has its parent, or is putting it together; the block itself it may
            // not have yet, and would have nothing to show for it.
            let claim = Candidate { height: height.saturating_sub(1), id: parent };
            self.sync.heard_of(&from, claim);
            self.advance_sync(now, out)?;
        }
        let has_room = self.compact.rebuilding.has_room_for(&Turn::of(header.header()));
        if !is_near || !has_room {
            return Ok(());
        }
        let Ok(mut rebuild) = Rebuild::new(Arc::unwrap_or_clone(block)) else { return Ok(()) };
        if self.pool.len() > SMALL_POOL {
            let count = rebuild.count().saturating_mul(BEST_TIMES);
            rebuild.look_in(self.pool.best().take(count));
        }
        rebuild.look_in(self.pool.transactions().take(LOOKED_AT));
        let gone = self.compact.rebuilding.insert(Rebuilding {
            header,
            rebuild,
            from,
            senders: Vec::new(),
            since,
            message_bytes,
            orphan,
            checking: false,
            questions: Vec::new(),
            asked_parts: Vec::new(),
            asked_body: Vec::new(),
            givers: BTreeMap::new(),
            misnaming: Vec::new(),
            waiting: Vec::new(),
        });
        for rebuilding in gone {
            self.give_up(now, rebuilding, "room", out);
        }
        self.advance_rebuilding(now, id, out)
    }

    /// What a block is worth by its header.
    fn worth_of(&self, now: Time, header: &SignedHeader) -> Result<Worth, StoreError> {
        let (id, fields) = (header.id(), &header.header().fields);
        if self.chain.contains(&id)? || self.compact.is_rebuilding(&id) {
            return Ok(Worth::Nothing(known()));
        }
        Ok(match self.footing(now, fields)? {
            Footing::Unfit(unfit) => Worth::Nothing(unfit.into()),
            Footing::Orphan(parent) => Worth::Orphan(orphan(parent)),
            Footing::Fits if self.is_surplus_of_turn(header.header())? => {
                let objection = Unfit::Equivocation { slot: fields.slot }.into();
                // All nodes choose alike, so it is taken where it beats the tip.
                if (Candidate { height: fields.height, id }) > self.chain.tip() {
                    Worth::Take(objection)
                } else {
                    Worth::Nothing(objection)
                }
            }
            Footing::Fits => Worth::Relay,
        })
    }

    fn footing(&self, now: Time, fields: &HeaderFields) -> Result<Footing, StoreError> {
        let parent = fields.parent;
        let latest = self.latest_slot(now);
        let fits = |parent: &Header| match check_step(fields, &parent.fields, latest) {
            Ok(()) => Footing::Fits,
            Err(unfit) => Footing::Unfit(unfit),
        };
        if let Some(header) = self.chain.store().header(&parent)? {
            let (height, final_height) = (header.fields.height, self.chain.ends().final_height);
            let at_final = height == final_height && !self.chain.is_main(&parent, height)?;
            if height < final_height || at_final {
                return Ok(Footing::Unfit(Unfit::BelowFinal { final_height }));
            }
            return Ok(fits(&header));
        }
        if self.chain.may_follow(&parent)? {
            return Ok(Footing::Unfit(Unfit::OnInvalid { ancestor: parent }));
        }
        Ok(match self.compact.rebuilding.get(&parent) {
            Some(parent) if !parent.orphan => fits(parent.header.header()),
            // It will be here soon; whether this one fits is seen then.
            None if self.jobs.has_block(&parent) => Footing::Fits,
            _ => Footing::Orphan(parent),
        })
    }

    /// Whether two other blocks of its turn are known or were relayed.
    fn is_surplus_of_turn(&self, header: &Header) -> Result<bool, StoreError> {
        if self.chain.is_surplus(header)? {
            return Ok(true);
        }
        let (turn, id) = (Turn::of(header), header.id());
        let mut others = self.compact.turns.others(&turn, &id);
        if let Some(stored) = self.chain.store().turn(&turn)?
            && stored != id
            && !others.contains(&stored)
        {
            others.push(stored);
        }
        Ok(others.len() >= MAX_OF_TURN)
    }
}
