//! A block and the stages it goes through: [`UnverifiedBlock`] (decoded within bounds),
//! [`PartlyVerified`] (its form holds, and it is known which signatures this node has checked
//! before), [`VerifiedBlock`] (every signature holds). Whether it fits the chain comes after.

mod error;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::codec::{self, DecodeError};
use crate::genesis::Rules;
use crate::hash::{merkle_root, tagged};
pub use crate::header::{HEADER_BYTES, Header, HeaderFields, MAX_BLOCK_BYTES};
use crate::ids::{BlockId, ChainId, TxId};
use crate::keys::Keypair;
use crate::signed::SignedHeader;
use crate::transaction::{Transaction, UnverifiedTx, VerifiedTx};
pub use error::BlockError;

/// What a block holds besides its header: the length of the list of transactions.
pub const BODY_OVERHEAD_BYTES: usize = 4;

impl Header {
    /// Checks all that needs neither state, clock nor signature: chain, numbers, and whether the
    /// proposer may propose in that slot.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check_form(&self, rules: &Rules) -> Result<(), BlockError> {
        let (fields, genesis) = (&self.fields, rules.genesis());
        if fields.chain != rules.chain() {
            return Err(BlockError::WrongChain { found: fields.chain, expected: rules.chain() });
        }
        if fields.height == 0 || fields.slot < fields.height {
            return Err(BlockError::Numbers { height: fields.height, slot: fields.slot });
        }
        if !rules.may_propose(fields.slot, &fields.proposer) {
            return Err(BlockError::NotItsSlot { proposer: fields.proposer, slot: fields.slot });
        }
        if fields.tx_count > genesis.limits.block_transactions {
            return Err(BlockError::TooManyTransactions {
                found: fields.tx_count as usize,
                limit: genesis.limits.block_transactions,
            });
        }
        Ok(())
    }
}

/// A block as it is sent and stored, of which nothing has been checked.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Block {
    /// The header.
    pub header: Header,
    /// The transactions, in order.
    pub transactions: Vec<Transaction>,
}

/// A block with the ids of all its parts, of which nothing has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedBlock {
    id: BlockId,
    header: Header,
    transactions: Vec<UnverifiedTx>,
    size: usize,
}

impl UnverifiedBlock {
    /// Decodes one block from all of `bytes`, `limit` bytes at most.
    ///
    /// # Errors
    /// Bytes that are not exactly one block.
    pub fn decode(bytes: &[u8], limit: usize) -> Result<Self, DecodeError> {
        let block: Block = codec::decode(bytes, limit.min(MAX_BLOCK_BYTES))?;
        Ok(block.into())
    }

    /// Puts a header, whose id is known, and an encoded list of transactions together; `limit` bytes
    /// at most in all.
    ///
    /// # Errors
    /// Bytes that are not exactly one list of as many transactions as the header counts.
    pub fn from_body(
        (id, header): (BlockId, Header),
        body: &[u8],
        limit: usize,
    ) -> Result<Self, BlockError> {
        let (size, limit) = (HEADER_BYTES + body.len(), limit.min(MAX_BLOCK_BYTES));
        if size > limit {
            return Err(DecodeError::TooLarge { found: size, limit }.into());
        }
        let (count, mut rest) = match body.split_first_chunk::<4>() {
            Some((count, rest)) => (u32::from_le_bytes(*count), rest),
            None => return Err(DecodeError::Malformed("no count".to_owned()).into()),
        };
        if count != header.fields.tx_count {
            return Err(BlockError::WrongRoot);
        }
        let mut transactions = Vec::new();
        for _ in 0..count {
            transactions.push(UnverifiedTx::take(&mut rest)?);
        }
        if !rest.is_empty() {
            return Err(DecodeError::Malformed("trailing bytes".to_owned()).into());
        }
        Ok(Self { id, header, transactions, size })
    }

    /// Puts a header and transactions together; whether they belong together is seen by
    /// [`UnverifiedBlock::check_contents`].
    #[must_use]
    pub fn assemble(header: Header, transactions: Vec<UnverifiedTx>) -> Self {
        let body = transactions.iter().map(UnverifiedTx::size).sum::<usize>();
        let size = HEADER_BYTES + BODY_OVERHEAD_BYTES + body;
        Self { id: header.id(), header, transactions, size }
    }

    /// The id of the block that these bytes begin with, without decoding its transactions; none
    /// when they are shorter than a header.
    #[must_use]
    pub fn id_of(bytes: &[u8]) -> Option<BlockId> {
        bytes.get(..HEADER_BYTES).map(|header| BlockId(tagged("hearsay/block/1", &[header])))
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> BlockId {
        self.id
    }

    /// Its header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Its transactions, in order.
    #[must_use]
    pub fn transactions(&self) -> &[UnverifiedTx] {
        &self.transactions
    }

    /// The size of its encoding, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Checks all that needs neither state, clock nor signature, and notes which transactions
    /// `known` has seen verified before: their signatures are not checked again.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check_form(
        self,
        rules: &Rules,
        known: impl Fn(&TxId) -> Option<VerifiedTx>,
    ) -> Result<PartlyVerified, BlockError> {
        self.header.check_form(rules)?;
        self.check_contents(rules)?;
        let verified = self.transactions.iter().map(|tx| known(&tx.id())).collect();
        Ok(PartlyVerified { block: self, verified, header_signed: false })
    }

    /// Checks the size, the root and the form of each transaction.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check_contents(&self, rules: &Rules) -> Result<(), BlockError> {
        let limits = rules.genesis().limits;
        if self.size > limits.block_bytes as usize {
            let limit = limits.block_bytes as usize;
            return Err(DecodeError::TooLarge { found: self.size, limit }.into());
        }
        let ids = self.transactions.iter().map(|tx| tx.id().0);
        if self.transactions.len() != self.header.fields.tx_count as usize
            || merkle_root(ids) != self.header.fields.tx_root
        {
            return Err(BlockError::WrongRoot);
        }
        let chain = rules.chain();
        let max_payload = limits.payload_bytes as usize;
        for tx in &self.transactions {
            tx.check_form(chain, max_payload)
                .map_err(|error| BlockError::Transaction { id: tx.id(), error })?;
        }
        Ok(())
    }
}

impl From<Block> for UnverifiedBlock {
    fn from(block: Block) -> Self {
        let transactions = block.transactions.into_iter().map(UnverifiedTx::from).collect();
        Self::assemble(block.header, transactions)
    }
}

/// A block whose form holds, with those of its transactions that are verified already.
#[derive(Clone, Debug)]
pub struct PartlyVerified {
    block: UnverifiedBlock,
    /// In the block's order; none where the signature is still to be checked.
    verified: Vec<Option<VerifiedTx>>,
    /// Whether the header's signature was checked before.
    header_signed: bool,
}

impl PartlyVerified {
    /// The block's id.
    #[must_use]
    pub fn id(&self) -> BlockId {
        self.block.id
    }

    /// Notes that the header's signature was checked before, if this is the header of this block: it
    /// is not checked again.
    #[must_use]
    pub fn with_header(mut self, header: &SignedHeader) -> Self {
        self.header_signed |= header.id() == self.block.id;
        self
    }

    /// How many signatures [`PartlyVerified::verify`] will check: one for the header, and one for
    /// each transaction, but for those that were known.
    #[must_use]
    pub fn signatures_to_check(&self) -> usize {
        usize::from(!self.header_signed) + self.verified.iter().filter(|tx| tx.is_none()).count()
    }

    /// Checks the signatures that are still claims, in one batch. This is the costly step; it
    /// needs nothing but the block, so it may run on any thread.
    ///
    /// # Errors
    /// A signature that does not hold.
    pub fn verify(self) -> Result<VerifiedBlock, BlockError> {
        if !self.header_signed && !self.block.header.signature_holds() {
            return Err(BlockError::BadSignature);
        }
        let unknown: Vec<UnverifiedTx> = self
            .block
            .transactions
            .iter()
            .zip(&self.verified)
            .filter(|(_, verified)| verified.is_none())
            .map(|(tx, _)| tx.clone())
            .collect();
        let ids: Vec<TxId> = unknown.iter().map(UnverifiedTx::id).collect();
        let mut checked = VerifiedTx::verify_all(unknown).into_iter().zip(ids);
        let mut transactions = Vec::with_capacity(self.verified.len());
        for verified in self.verified {
            transactions.push(match verified {
                Some(tx) => tx,
                None => match checked.next() {
                    Some((Ok(tx), _)) => tx,
                    Some((Err(error), id)) => return Err(BlockError::Transaction { id, error }),
                    None => return Err(BlockError::WrongRoot),
                },
            });
        }
        Ok(VerifiedBlock {
            id: self.block.id,
            header: self.block.header,
            transactions,
            size: self.block.size,
        })
    }
}

/// A block in which every signature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedBlock {
    id: BlockId,
    header: Header,
    transactions: Vec<VerifiedTx>,
    size: usize,
}

impl VerifiedBlock {
    /// Makes and signs a block of verified transactions.
    #[must_use]
    pub fn propose(
        chain: ChainId,
        (parent, height): (BlockId, u64),
        slot: u64,
        transactions: Vec<VerifiedTx>,
        key: &Keypair,
    ) -> Self {
        let header = HeaderFields {
            chain,
            height: height.saturating_add(1),
            slot,
            parent,
            tx_root: merkle_root(transactions.iter().map(|tx| tx.id().0)),
            tx_count: u32::try_from(transactions.len()).unwrap_or(u32::MAX),
            proposer: key.public(),
        }
        .sign(key);
        Self::from_parts(header, transactions)
    }

    /// Puts together what this node checked before it stored it.
    #[must_use]
    pub fn from_own_store(header: Header, transactions: Vec<VerifiedTx>) -> Self {
        Self::from_parts(header, transactions)
    }

    /// A block whose signatures were all checked, with its transactions in order.
    pub(crate) fn from_checked(block: UnverifiedBlock, transactions: Vec<VerifiedTx>) -> Self {
        let UnverifiedBlock { id, header, size, .. } = block;
        Self { id, header, transactions, size }
    }

    fn from_parts(header: Header, transactions: Vec<VerifiedTx>) -> Self {
        let size = HEADER_BYTES
            + BODY_OVERHEAD_BYTES
            + transactions.iter().map(VerifiedTx::size).sum::<usize>();
        Self { id: header.id(), header, transactions, size }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> BlockId {
        self.id
    }

    /// Its header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Its height.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.header.fields.height
    }

    /// Its transactions, in order.
    #[must_use]
    pub fn transactions(&self) -> &[VerifiedTx] {
        &self.transactions
    }

    /// The size of its encoding, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// The encoded list of its transactions: what the block holds besides its header.
    #[must_use]
    pub fn encode_body(&self) -> Vec<u8> {
        let transactions = self.transactions.iter().map(VerifiedTx::transaction);
        codec::encode(&transactions.collect::<Vec<_>>())
    }

    /// The block as it is sent.
    #[must_use]
    pub fn to_block(&self) -> Block {
        Block {
            header: self.header.clone(),
            transactions: self.transactions.iter().map(|tx| tx.transaction().clone()).collect(),
        }
    }
}
