//! From a compact block to the block.

use hearsay_chain::block::{Header, UnverifiedBlock};
use hearsay_chain::codec::DecodeError;
use hearsay_chain::{BlockId, UnverifiedTx, VerifiedTx};

use super::{CompactBlock, Name};

/// How a place in the block is filled.
#[derive(Clone, Debug)]
enum Place {
    /// Nobody here has that name.
    Empty,
    /// Two have it.
    Shared,
    /// One here has that name.
    Named(UnverifiedTx),
    /// It came whole, from the proposer or for the asking.
    Given(UnverifiedTx),
}

/// What a block still lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The block.
    pub block: BlockId,
    /// Places in it, ascending, from 0.
    pub places: Vec<u32>,
}

/// A block that is being put together.
#[derive(Clone, Debug)]
pub struct Rebuild {
    id: BlockId,
    header: Header,
    places: Vec<Place>,
}

impl Rebuild {
    /// Fills the places of a block from those that it carries and those that wait in a pool. Takes time
    /// in proportion to both.
    ///
    /// # Errors
    /// Carried bytes that are no transaction, which [`CompactBlock::decode`] lets none through.
    pub fn new<'a>(
        compact: CompactBlock,
        pool: impl IntoIterator<Item = &'a VerifiedTx>,
    ) -> Result<Self, DecodeError> {
        let key = compact.key();
        let count = compact.names.len() + compact.carried.len();
        let mut places = vec![Place::Empty; count];
        for carried in &compact.carried {
            if let Some(place) = places.get_mut(carried.place as usize) {
                *place = Place::Given(UnverifiedTx::decode(&carried.bytes)?);
            }
        }
        let free = (0..count).filter(|at| matches!(places[*at], Place::Empty));
        let mut wanted: Vec<(Name, usize)> = compact.names.iter().copied().zip(free).collect();
        wanted.sort_unstable();
        for tx in pool {
            let name = key.of(&tx.id());
            let from = wanted.partition_point(|(it, _)| *it < name);
            for (_, at) in wanted[from..].iter().take_while(|(it, _)| *it == name) {
                places[*at] = match &places[*at] {
                    Place::Empty => Place::Named(tx.to_unverified()),
                    _ => Place::Shared,
                };
            }
        }
        Ok(Self { id: compact.header.id(), header: compact.header, places })
    }

    /// The block's id.
    #[must_use]
    pub fn id(&self) -> BlockId {
        self.id
    }

    /// How many of its transactions came from the pool.
    #[must_use]
    pub fn from_pool(&self) -> usize {
        self.places.iter().filter(|it| matches!(it, Place::Named(_))).count()
    }

    /// What it still lacks; none if it is whole.
    #[must_use]
    pub fn missing(&self) -> Option<Missing> {
        let lacks = |place: &Place| matches!(place, Place::Empty | Place::Shared);
        let places = (0..).zip(&self.places).filter(|(_, it)| lacks(it));
        let places: Vec<u32> = places.map(|(at, _)| at).collect();
        (!places.is_empty()).then_some(Missing { block: self.id, places })
    }

    /// Fills a place with what somebody gave for it. What it was asked for can be wrong in one way
    /// alone, which shows once the block is whole.
    pub fn give(&mut self, place: u32, tx: UnverifiedTx) {
        if let Some(place) = self.places.get_mut(place as usize) {
            *place = Place::Given(tx);
        }
    }

    /// The block did not have its header's root: one here had the name of another. All that came by name
    /// is wanted again. Says whether there was any; if not, somebody gave what is not in the block.
    pub fn doubt_names(&mut self) -> bool {
        let named = self.from_pool() > 0;
        for place in &mut self.places {
            if matches!(place, Place::Named(_)) {
                *place = Place::Empty;
            }
        }
        named
    }

    /// The block, if it is whole.
    #[must_use]
    pub fn block(&self) -> Option<UnverifiedBlock> {
        let transactions = self.places.iter().map(|place| match place {
            Place::Empty | Place::Shared => None,
            Place::Named(tx) | Place::Given(tx) => Some(tx.clone()),
        });
        let transactions: Option<Vec<UnverifiedTx>> = transactions.collect();
        Some(UnverifiedBlock::assemble(self.header.clone(), transactions?))
    }
}
