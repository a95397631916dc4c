//! The main chain, from the genesis block to the tip.

use super::replay::Replay;
use super::{Stage, Walk};
use crate::block::{Header, HeaderFields, VerifiedBlock};
use crate::genesis::Rules;
use crate::ids::BlockId;
use crate::ledger::Undo;
use crate::store::{Store, StoreError, TxPlace};

/// What is counted on the way up.
#[derive(Debug)]
pub(super) struct Tally {
    /// For each authority, the height of the last block it built; 0: none.
    built: Vec<u64>,
    /// Transactions of the main chain, as the headers count them.
    pub(super) transactions: u64,
    /// Rows of the transaction index that were asked for and right.
    pub(super) indexed: u64,
    /// A header was missing or wrong, so the two above may be too low.
    pub(super) incomplete: bool,
}

impl Tally {
    pub(super) fn new(rules: &Rules) -> Self {
        let built = vec![0; rules.genesis().authorities.len()];
        Self { built, transactions: 0, indexed: 0, incomplete: false }
    }
}

impl<'a, S: Store> Walk<'a, S> {
    /// Walks up the main chain. Gives what its blocks make of the accounts.
    pub(super) fn main_chain(&mut self) -> Result<Replay<'a, S>, StoreError> {
        let mut replay = Replay::new(self)?;
        let mut parent: Option<HeaderFields> = None;
        for height in 0..=self.ends.height {
            let header = self.main_header(height, parent.as_ref())?;
            if let (Some((id, header)), true) = (&header, height > 0) {
                self.main_block(*id, header, &mut replay)?;
            }
            if header.is_none() {
                self.tally.incomplete = true;
                replay.give_up();
            }
            parent = header.map(|(_, header)| header.fields);
            self.tell(Stage::Blocks, height, Some(self.ends.height));
        }
        Ok(replay)
    }

    /// The header at a height, compared with the one below.
    fn main_header(
        &mut self,
        height: u64,
        parent: Option<&HeaderFields>,
    ) -> Result<Option<(BlockId, Header)>, StoreError> {
        let row = format_args!("height {height}");
        let read = self.store.block_at(height);
        let Some(id) = self.report.present("heights", &row, read, "it is missing")? else {
            return Ok(None);
        };
        if height == self.ends.height && id != self.ends.tip {
            let what = format!("it is block {id}, and the tip is {}", self.ends.tip);
            self.report.note("heights", &row, what);
        }
        let Some(header) = self.kept_header(id)? else { return Ok(None) };
        if height == 0 {
            self.check_genesis(id, &header);
            return Ok(Some((id, header)));
        }
        if header.fields.height != height {
            let what = format!("it is block {id}, whose height is {}", header.fields.height);
            self.report.note("heights", &row, what);
            return Ok(None);
        }
        if let Ok(Some(below)) = self.store.block_at(height - 1)
            && below != header.fields.parent
        {
            let what = format!("it stands on block {}, not on the one below", header.fields.parent);
            self.report.note("headers", &format_args!("block {id}"), what);
        }
        Ok(self.check_header(id, &header, parent).then_some((id, header)))
    }

    fn check_genesis(&mut self, id: BlockId, header: &Header) {
        let genesis = self.rules.genesis().block();
        if id != genesis.id() {
            let what = format!("it is block {id}, not the genesis block {}", genesis.id());
            self.report.note("heights", &"height 0", what);
        } else if *header != genesis {
            let row = format_args!("block {id}");
            self.report.note("headers", &row, "it is not the genesis block's");
        }
    }

    fn main_block(
        &mut self,
        id: BlockId,
        header: &Header,
        replay: &mut Replay<'_, S>,
    ) -> Result<(), StoreError> {
        let fields = &header.fields;
        self.report.audit.blocks += 1;
        self.tally.transactions += u64::from(fields.tx_count);
        if let Some(built) =
            self.rules.place_of(&fields.proposer).and_then(|place| self.tally.built.get_mut(place))
        {
            *built = fields.height;
        }
        let undo = self.kept_undo(id, fields.height)?;
        if fields.height < self.first_body {
            return self.check_pruned(id);
        }
        let Some(block) = self.check_body(id, header)? else {
            replay.give_up();
            self.tally.incomplete = true;
            return Ok(());
        };
        self.report.audit.transactions += block.transactions().len() as u64;
        self.check_places(&block)?;
        replay.apply(&block, undo.as_ref(), &mut self.report)
    }

    /// What takes a block back, which those that are not final must have.
    fn kept_undo(&mut self, id: BlockId, height: u64) -> Result<Option<Undo>, StoreError> {
        if height <= self.ends.final_height {
            return Ok(None);
        }
        let (row, missing) =
            (format_args!("block {id}"), "it is missing, and the block is not final");
        self.report.present("undo", &row, self.store.undo(&id), missing)
    }

    fn check_pruned(&mut self, id: BlockId) -> Result<(), StoreError> {
        let row = format_args!("block {id}");
        let read = self.report.readable("bodies", &row, self.store.body(&id))?;
        if read.flatten().is_some() {
            let what = format!("it is there, and bodies below {} were pruned", self.first_body);
            self.report.note("bodies", &row, what);
        }
        Ok(())
    }

    /// Looks up every transaction of a block in the index.
    fn check_places(&mut self, block: &VerifiedBlock) -> Result<(), StoreError> {
        for (index, tx) in (0..).zip(block.transactions()) {
            let row = format_args!("transaction {}", tx.id());
            let read = self.store.find_transaction(&tx.id());
            let Some(found) = self.report.readable("transactions", &row, read)? else { continue };
            let place = TxPlace { height: block.height(), index };
            match found {
                Some(found) if found == place => self.tally.indexed += 1,
                Some(TxPlace { height, index: at }) => {
                    let what = format!(
                        "it names height {height}, place {at}; it stands at height {}, place {index}",
                        place.height
                    );
                    self.report.note("transactions", &row, what);
                }
                None => {
                    let what = format!("it is missing; it stands at height {}", place.height);
                    self.report.note("transactions", &row, what);
                }
            }
        }
        Ok(())
    }

    /// The last final block may be higher than the builders of today's main chain make it, as some
    /// built on branches that were undone; it is never lower.
    pub(super) fn check_finality(&mut self) {
        let quorum = self.rules.genesis().quorum();
        let mut built = self.tally.built.clone();
        built.sort_unstable_by(|a, b| b.cmp(a));
        // Strictly above it: so many authorities have built at this height or above.
        let last = quorum.checked_sub(1).and_then(|at| built.get(at)).copied().unwrap_or(0);
        let supported = last.saturating_sub(1);
        if self.ends.final_height < supported {
            let what = format!(
                "final height {} is too low: more than two thirds of the authorities have built on \
                 height {supported}",
                self.ends.final_height
            );
            self.report.note("meta", &"the ends of the chain", what);
        }
    }
}
