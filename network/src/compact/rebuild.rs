//! From a compact block to the block.

use hearsay_chain::block::{Header, UnverifiedBlock};
use hearsay_chain::codec::DecodeError;
use hearsay_chain::hash::merkle_root;
use hearsay_chain::{BlockId, TxId, UnverifiedTx, VerifiedTx};

use super::{CompactBlock, Name, Names};

/// How a place in the block is filled.
#[derive(Clone, Debug)]
enum Place {
    /// Nobody here has that name.
    Empty,
    /// Two have it.
    Shared,
    /// One here has that name.
    Named(UnverifiedTx),
    /// It came whole, from the proposer.
    Carried(UnverifiedTx),
    /// It came for the asking.
    Given(UnverifiedTx),
}

/// What came of something given for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gift {
    /// It has the name of the place, and fills it.
    Taken,
    /// It has another name. Whoever gave it lied, or else the proposer did who named it.
    Misnamed,
    /// The place does not want for anything, or there is none.
    Unwanted,
}

/// A block that is being put together.
#[derive(Clone, Debug)]
pub struct Rebuild {
    id: BlockId,
    header: Header,
    key: Names,
    /// The name of what belongs to each place; none where it was carried.
    names: Vec<Option<Name>>,
    places: Vec<Place>,
}

impl Rebuild {
    /// Fills those places of a block that it carries itself.
    ///
    /// # Errors
    /// Carried bytes that are no transaction, which [`CompactBlock::decode`] lets none through.
    pub fn new(compact: CompactBlock) -> Result<Self, DecodeError> {
        let key = compact.key();
        let count = compact.names.len() + compact.carried.len();
        let mut places = vec![Place::Empty; count];
        for carried in &compact.carried {
            if let Some(place) = places.get_mut(carried.place as usize) {
                *place = Place::Carried(UnverifiedTx::decode(&carried.bytes)?);
            }
        }
        let mut named = compact.names.into_iter();
        let name = |place: &Place| match place {
            Place::Empty => named.next(),
            _ => None,
        };
        let names = places.iter().map(name).collect();
        Ok(Self { id: compact.header.id(), header: compact.header, key, names, places })
    }

    /// Fills empty places from transactions that wait in a pool, and looks at no more of them than it
    /// takes: with those first that are most likely in a block, the cost is that of the block.
    ///
    /// What follows the last that was wanted may share a name with one before it; that shows by the
    /// root.
    pub fn look_in<'a>(&mut self, pool: impl IntoIterator<Item = &'a VerifiedTx>) {
        let mut wanted: Vec<(Name, usize)> = Vec::new();
        for (at, (name, place)) in self.names.iter().zip(&self.places).enumerate() {
            if let (Some(name), Place::Empty) = (name, place) {
                wanted.push((*name, at));
            }
        }
        wanted.sort_unstable();
        let mut filter = Filter::default();
        wanted.iter().for_each(|(name, _)| filter.add(*name));
        let mut empty = wanted.len();
        let mut pool = pool.into_iter();
        while empty > 0
            && let Some(tx) = pool.next()
        {
            let name = self.key.of(&tx.id());
            if !filter.may_have(name) {
                continue;
            }
            let from = wanted.partition_point(|(it, _)| *it < name);
            let same = wanted.get(from..).unwrap_or_default().iter();
            for (_, at) in same.take_while(|(it, _)| *it == name) {
                let Some(place) = self.places.get_mut(*at) else { continue };
                match place {
                    Place::Empty => {
                        *place = Place::Named(tx.to_unverified());
                        empty -= 1;
                    }
                    Place::Named(other) if other.id() == tx.id() => {}
                    _ => *place = Place::Shared,
                }
            }
        }
    }

    /// The block's id.
    #[must_use]
    pub fn id(&self) -> BlockId {
        self.id
    }

    /// The block's header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How many transactions it has.
    #[must_use]
    pub fn count(&self) -> usize {
        self.places.len()
    }

    /// How many of them came from the pool.
    #[must_use]
    pub fn from_pool(&self) -> usize {
        self.places.iter().filter(|it| matches!(it, Place::Named(_))).count()
    }

    /// How many the proposer carried.
    #[must_use]
    pub fn carried(&self) -> usize {
        self.places.iter().filter(|it| matches!(it, Place::Carried(_))).count()
    }

    /// Whether the proposer carried what is at a place.
    #[must_use]
    pub fn is_carried(&self, place: u32) -> bool {
        matches!(self.places.get(place as usize), Some(Place::Carried(_)))
    }

    /// What came whole and is kept here alone, in bytes: what the pool has is shared with it.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let bytes = self.places.iter().map(|place| match place {
            Place::Carried(tx) | Place::Given(tx) => tx.size(),
            Place::Empty | Place::Shared | Place::Named(_) => 0,
        });
        bytes.sum()
    }

    /// The places that it still lacks, ascending, from 0.
    #[must_use]
    pub fn missing(&self) -> Vec<u32> {
        let lacks = |place: &Place| matches!(place, Place::Empty | Place::Shared);
        (0..).zip(&self.places).filter(|(_, it)| lacks(it)).map(|(at, _)| at).collect()
    }

    /// What fills a place, if anything does.
    #[must_use]
    pub fn at(&self, place: u32) -> Option<&UnverifiedTx> {
        match self.places.get(place as usize)? {
            Place::Empty | Place::Shared => None,
            Place::Named(tx) | Place::Carried(tx) | Place::Given(tx) => Some(tx),
        }
    }

    /// Fills a place with what somebody gave for it, if it has the right name.
    pub fn give(&mut self, place: u32, tx: UnverifiedTx) -> Gift {
        let at = place as usize;
        let (Some(Some(name)), Some(place)) = (self.names.get(at), self.places.get_mut(at)) else {
            return Gift::Unwanted;
        };
        if !matches!(place, Place::Empty | Place::Shared) {
            return Gift::Unwanted;
        }
        if self.key.of(&tx.id()) != *name {
            return Gift::Misnamed;
        }
        *place = Place::Given(tx);
        Gift::Taken
    }

    /// The block did not have its header's root: one here had the name of another. All that came from
    /// the pool is wanted again. Says whether there was any; if not, the proposer named what is not in
    /// the block.
    pub fn doubt_names(&mut self) -> bool {
        let named = self.from_pool() > 0;
        for place in &mut self.places {
            if matches!(place, Place::Named(_)) {
                *place = Place::Empty;
            }
        }
        named
    }

    /// Whether these are the ids of a block that the proposer named rightly: then whoever gave
    /// something with another name lied.
    #[must_use]
    pub fn names_hold(&self, ids: impl IntoIterator<Item = TxId>) -> bool {
        let mut names = self.names.iter().zip(ids);
        names.all(|(name, id)| name.is_none_or(|name| self.key.of(&id) == name))
    }

    /// The block, if it is whole. Whether it is the one that the header was signed for is seen by its
    /// root.
    #[must_use]
    pub fn block(&self) -> Option<UnverifiedBlock> {
        let transactions = (0..).zip(&self.places).map(|(at, _)| self.at(at).cloned());
        let transactions: Option<Vec<UnverifiedTx>> = transactions.collect();
        Some(UnverifiedBlock::assemble(self.header.clone(), transactions?))
    }

    /// Whether it is whole and has its header's root.
    #[must_use]
    pub fn root_holds(&self) -> bool {
        let ids = (0..).zip(&self.places).map(|(at, _)| self.at(at).map(|tx| tx.id().0));
        let ids: Option<Vec<[u8; 32]>> = ids.collect();
        ids.is_some_and(|ids| merkle_root(ids) == self.header.fields.tx_root)
    }
}

/// Tells most names that are not wanted by one look: a search among thousands costs more than all
/// else that is done with a transaction of the pool.
struct Filter(Vec<u64>);

impl Default for Filter {
    fn default() -> Self {
        // A bit for each value of two bytes, 8 KiB: of 4,000 names 6 % are taken for one of them.
        Self(vec![0; 1 << 10])
    }
}

impl Filter {
    fn bit(name: Name) -> (usize, u64) {
        let low = u16::from_le_bytes([name.0[0], name.0[1]]);
        (usize::from(low >> 6), 1 << (low & 63))
    }

    fn add(&mut self, name: Name) {
        let (word, bit) = Self::bit(name);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    fn may_have(&self, name: Name) -> bool {
        let (word, bit) = Self::bit(name);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }
}
