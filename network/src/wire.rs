//! What nodes ask each other directly: where they stand, for headers and bodies of blocks, and whether
//! they have transactions, which they may also hand over.

use borsh::{BorshDeserialize, BorshSerialize};
use hearsay_chain::block::MAX_BLOCK_BYTES;
use hearsay_chain::codec::{DecodeError, decode, encode};
use hearsay_chain::transaction::MAX_TX_BYTES;
use hearsay_chain::{BlockId, GenesisId, TxId, block};

use crate::reconcile::{Part, Symbol};
use crate::short_id::ShortKey;

/// The largest encoding of a request, in bytes: an offer of transactions, with the length of each and
/// of the list. Whoever reads a request allocates what comes, up to this; a connection may have eight
/// open.
pub const MAX_REQUEST_BYTES: usize = MAX_OFFER_BYTES + 4 * MAX_OFFER + 16;

/// The largest encoding of a response, in bytes: one block of the largest size always fits.
pub const MAX_RESPONSE_BYTES: usize = MAX_BLOCK_BYTES + 64 * 1024;

/// The most ids in a locator. A chain of 2^64 blocks needs 10 + 64, and headers that are known and
/// not yet on the chain as many again.
pub const MAX_LOCATOR: usize = 150;

/// The most headers in a response: 376 KiB.
pub const MAX_HEADERS: usize = 2_048;

/// The most bodies asked for at once.
pub const MAX_BODIES: usize = 128;

/// The most ids of transactions asked about at once: 4 KiB of them.
pub const MAX_HAVE: usize = 128;

/// The most transactions offered at once.
pub const MAX_OFFER: usize = 32;

/// The most bytes of transactions offered at once: four of the largest size, or 32 with payloads of
/// 1,900 bytes. One always fits.
pub const MAX_OFFER_BYTES: usize = 4 * MAX_TX_BYTES;

/// The most transactions of a block asked for at once: 32 KiB of places. A block of the usual limit, a
/// mebibyte, has fewer, as none is smaller than 165 bytes.
pub const MAX_PLACES: usize = 8_192;

/// The most symbols of a sketch in one answer: 80 KiB, about 3,000 differences.
pub const MAX_SYMBOLS: u32 = 4_096;

/// The most names asked for at once: 8 KiB.
pub const MAX_NAMES: usize = 1_024;

/// Where a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Standing {
    /// Its network.
    pub genesis: GenesisId,
    /// Its tip.
    pub tip: BlockId,
    /// The tip's height.
    pub height: u64,
    /// The height of its last final block.
    pub final_height: u64,
    /// The lowest height of its main chain whose body it still has.
    pub first_body: u64,
}

/// What one node asks of another.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Request {
    /// Says where the asker stands, and asks the same. Answer: [`Response::Standing`].
    Standing(Standing),
    /// Asks for main-chain headers after the first of these ids that the other has on its main
    /// chain, lowest first. Answer: [`Response::Headers`].
    Headers {
        /// What the asker knows, from its end down, ever sparser: [`MAX_LOCATOR`] ids at most.
        locator: Vec<BlockId>,
        /// The most headers that the asker wants.
        max: u16,
    },
    /// Asks for the bodies of these blocks: [`MAX_BODIES`] at most. Answer: [`Response::Bodies`].
    Bodies(Vec<BlockId>),
    /// Asks which of these transactions the other has, in its pool or on its chain: [`MAX_HAVE`] at
    /// most. Answer: [`Response::HaveTransactions`].
    HaveTransactions(Vec<TxId>),
    /// Hands over encoded transactions that the other lacks: [`MAX_OFFER`] at most, of
    /// [`MAX_OFFER_BYTES`] together. They are decoded where gossip is. Answer: [`Response::Offered`].
    OfferTransactions(Vec<Vec<u8>>),
    /// Asks for some transactions of a block. Answer: [`Response::Transactions`].
    BlockTransactions {
        /// The block.
        block: BlockId,
        /// Their places in it, ascending, from 0: [`MAX_PLACES`] at most.
        places: Vec<u32>,
    },
    /// Asks for the next symbols of the pool's ids under a key that the asker drew. Answer:
    /// [`Response::Sketch`].
    Sketch {
        /// The key.
        key: ShortKey,
        /// Which of the ids.
        part: Part,
        /// How many symbols the asker has already: 0 begins anew.
        from: u32,
        /// How many more it wants: [`MAX_SYMBOLS`] at most.
        count: u32,
    },
    /// Asks for transactions of the pool by their names under the key of a sketch. Answer:
    /// [`Response::Transactions`].
    Named {
        /// The key.
        key: ShortKey,
        /// Their names, ascending: [`MAX_NAMES`] at most.
        names: Vec<u64>,
    },
    /// Hands an encoded transaction over that nobody else was told of: the other is to take it and to
    /// spread it, as if it had been handed in there. Answer: [`Response::Offered`].
    TakeTransaction(Vec<u8>),
}

/// What the other answers.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Response {
    /// Where it stands.
    Standing(Standing),
    /// Headers, lowest first, each on top of the one before; empty when it has none to give.
    Headers(Vec<block::Header>),
    /// Encoded lists of transactions, of the first blocks asked for: as many as it has before the
    /// first that it lacks, and as fit. They are decoded where signatures are checked, not here.
    Bodies(Vec<Vec<u8>>),
    /// Which transactions it has: of each asked about, in order, a bit, the lowest of the first byte
    /// first. Bits beyond the last are 0.
    HaveTransactions(Vec<u8>),
    /// They were taken up to be checked, as many as there was room for; what comes of it is seen by
    /// asking.
    Offered,
    /// Encoded transactions, of the first that were asked for, in that order: as many as fit. Places of
    /// a block come without a gap; names that nobody has any more are left out. They are decoded where
    /// they are checked.
    Transactions(Vec<Vec<u8>>),
    /// How many transactions are compared, and the symbols.
    Sketch {
        /// How many: of the part that was asked for, or of the whole pool if that part is too large.
        size: u32,
        /// [`MAX_SYMBOLS`] at most, and no more than were asked for; none if the part is too large.
        symbols: Vec<Symbol>,
    },
}

impl Request {
    /// Its encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Decodes a request from all of `bytes`.
    ///
    /// # Errors
    /// Too large, malformed, trailing bytes, or more ids than allowed.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let request = decode(bytes, MAX_REQUEST_BYTES)?;
        match &request {
            Request::Headers { locator, .. } if locator.len() > MAX_LOCATOR => {
                Err(DecodeError::Malformed(format!("a locator of {} ids", locator.len())))
            }
            Request::Bodies(ids) if ids.len() > MAX_BODIES => {
                Err(DecodeError::Malformed(format!("{} ids", ids.len())))
            }
            Request::HaveTransactions(ids) if ids.len() > MAX_HAVE => {
                Err(DecodeError::Malformed(format!("{} ids", ids.len())))
            }
            Request::OfferTransactions(offered) if offered.len() > MAX_OFFER => {
                Err(DecodeError::Malformed(format!("{} transactions", offered.len())))
            }
            Request::BlockTransactions { places, .. } if places.len() > MAX_PLACES => {
                Err(DecodeError::Malformed(format!("{} places", places.len())))
            }
            Request::Sketch { count, .. } if *count > MAX_SYMBOLS => {
                Err(DecodeError::Malformed(format!("{count} symbols")))
            }
            Request::Sketch { part, .. } if !part.is_proper() => {
                Err(DecodeError::Malformed(format!("no part: {part:?}")))
            }
            Request::TakeTransaction(data) if data.len() > MAX_TX_BYTES => {
                Err(DecodeError::Malformed(format!("a transaction of {} bytes", data.len())))
            }
            Request::Named { names, .. } if names.len() > MAX_NAMES => {
                Err(DecodeError::Malformed(format!("{} names", names.len())))
            }
            _ => Ok(request),
        }
    }
}

impl Response {
    /// Its encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Decodes a response from all of `bytes`.
    ///
    /// # Errors
    /// Too large, malformed, trailing bytes, or more headers or bodies than may be asked for.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let response = decode(bytes, MAX_RESPONSE_BYTES)?;
        match &response {
            Response::Headers(headers) if headers.len() > MAX_HEADERS => {
                Err(DecodeError::Malformed(format!("{} headers", headers.len())))
            }
            Response::Bodies(bodies) if bodies.len() > MAX_BODIES => {
                Err(DecodeError::Malformed(format!("{} bodies", bodies.len())))
            }
            Response::HaveTransactions(bits) if bits.len() > MAX_HAVE / 8 => {
                Err(DecodeError::Malformed(format!("{} bytes of bits", bits.len())))
            }
            Response::Transactions(given) if given.len() > MAX_PLACES => {
                Err(DecodeError::Malformed(format!("{} transactions", given.len())))
            }
            Response::Sketch { symbols, .. } if symbols.len() > MAX_SYMBOLS as usize => {
                Err(DecodeError::Malformed(format!("{} symbols", symbols.len())))
            }
            _ => Ok(response),
        }
    }
}

/// Packs answers into the bits of [`Response::HaveTransactions`].
#[must_use]
pub fn pack(answers: &[bool]) -> Vec<u8> {
    let byte =
        |eight: &[bool]| eight.iter().rev().fold(0_u8, |bits, has| (bits << 1) | u8::from(*has));
    answers.chunks(8).map(byte).collect()
}

/// The answers to `count` questions; none if there are not as many bits as that takes, or more.
#[must_use]
pub fn unpack(bits: &[u8], count: usize) -> Option<Vec<bool>> {
    if bits.len() != count.div_ceil(8) {
        return None;
    }
    let mut answers = bits.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
    let wanted: Vec<bool> = answers.by_ref().take(count).collect();
    answers.all(|rest| !rest).then_some(wanted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn standing() -> Standing {
        Standing {
            genesis: GenesisId([1; 32]),
            tip: BlockId([2; 32]),
            height: 3,
            final_height: 1,
            first_body: 1,
        }
    }

    proptest! {
        #[test]
        fn whatever_decodes_encodes_to_the_same_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(request) = Request::decode(&bytes) {
                prop_assert_eq!(request.encode(), bytes.clone());
            }
            if let Ok(response) = Response::decode(&bytes) {
                prop_assert_eq!(response.encode(), bytes);
            }
        }
    }

    #[test]
    fn a_longest_locator_fits_a_request_and_a_longer_one_is_refused() {
        let ask = |len| Request::Headers { locator: vec![BlockId([7; 32]); len], max: 16 };
        let longest = ask(MAX_LOCATOR);
        assert_eq!(Request::decode(&longest.encode()), Ok(longest));
        let refused = Request::decode(&ask(MAX_LOCATOR + 1).encode());
        assert!(matches!(refused, Err(DecodeError::Malformed(_))), "{refused:?}");
    }

    #[test]
    fn the_most_ids_of_bodies_fit_a_request_and_one_more_is_refused() {
        let most = Request::Bodies(vec![BlockId([7; 32]); MAX_BODIES]);
        assert_eq!(Request::decode(&most.encode()), Ok(most));
        let more = Request::Bodies(vec![BlockId([7; 32]); MAX_BODIES + 1]);
        assert!(Request::decode(&more.encode()).is_err());
    }

    #[test]
    fn the_most_transactions_fit_a_request_and_one_more_is_refused() {
        let have = |count| Request::HaveTransactions(vec![TxId([7; 32]); count]);
        assert_eq!(Request::decode(&have(MAX_HAVE).encode()), Ok(have(MAX_HAVE)));
        assert!(Request::decode(&have(MAX_HAVE + 1).encode()).is_err());
        let offer =
            |count| Request::OfferTransactions(vec![vec![1; MAX_OFFER_BYTES / count]; count]);
        for count in [4, MAX_OFFER] {
            assert_eq!(Request::decode(&offer(count).encode()), Ok(offer(count)));
        }
        assert!(Request::decode(&offer(MAX_OFFER + 1).encode()).is_err());
        let large = Request::OfferTransactions(vec![vec![1; MAX_OFFER_BYTES + 200]]);
        assert!(Request::decode(&large.encode()).is_err());
    }

    #[test]
    fn answers_come_out_of_their_bits_as_they_went_in_and_other_bits_are_no_answer() {
        for count in [0, 1, 7, 8, 9, MAX_HAVE] {
            let answers: Vec<bool> = (0..count).map(|number| number % 3 == 0).collect();
            let bits = pack(&answers);
            assert_eq!(unpack(&bits, count), Some(answers));
            assert_eq!(unpack(&bits, count + 8), None);
        }
        assert_eq!(pack(&[true, false, false, true]), [0b1001]);
        assert_eq!(unpack(&[0b10_0001], 5), None, "a bit beyond the last");
    }

    #[test]
    fn one_transaction_is_handed_on_at_a_time_and_none_that_is_too_large() {
        let of = |bytes| Request::TakeTransaction(vec![1; bytes]).encode();
        assert!(Request::decode(&of(MAX_TX_BYTES)).is_ok());
        assert!(Request::decode(&of(MAX_TX_BYTES + 1)).is_err());
    }

    #[test]
    fn the_encodings_of_what_was_there_before_stay() {
        assert_eq!(Request::Bodies(vec![]).encode()[0], 2);
        assert_eq!(Request::HaveTransactions(vec![]).encode()[0], 3);
        assert_eq!(Request::OfferTransactions(vec![]).encode()[0], 4);
        assert_eq!(Request::TakeTransaction(vec![]).encode()[0], 8);
        assert_eq!(Response::Bodies(vec![]).encode()[0], 2);
        assert_eq!(Response::HaveTransactions(vec![]).encode()[0], 3);
        assert_eq!(Response::Offered.encode()[0], 4);
    }

    #[test]
    fn the_most_headers_fit_a_response() {
        const { assert!(MAX_HEADERS * block::HEADER_BYTES + 5 < MAX_RESPONSE_BYTES) };
    }

    #[test]
    fn trailing_bytes_are_refused() {
        let mut bytes = Request::Standing(standing()).encode();
        assert!(Request::decode(&bytes).is_ok());
        bytes.push(0);
        assert!(Request::decode(&bytes).is_err());
    }

    #[test]
    fn a_length_that_lies_allocates_nothing() {
        // A claim of 2^32 - 1 headers, bodies, or bytes of a body, and none following.
        assert!(Response::decode(&[1, 0xff, 0xff, 0xff, 0xff]).is_err());
        assert!(Response::decode(&[2, 0xff, 0xff, 0xff, 0xff]).is_err());
        assert!(Response::decode(&[2, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]).is_err());
        assert!(Response::decode(&[3, 0xff, 0xff, 0xff, 0xff]).is_err());
        assert!(Request::decode(&[3, 0xff, 0xff, 0xff, 0xff]).is_err());
        assert!(Request::decode(&[4, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]).is_err());
    }
}
