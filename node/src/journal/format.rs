//! What stands in a journal: a header, and then records, each with its length and its checksum.
//!
//! ```text
//! header   magic [8] · schema u32 · genesis id [32] · CRC-32 of these u32
//! record   length of the body u32 · CRC-32 of the body u32 · body
//! body     0 · local u8 · arrived u64 (microseconds since the Unix epoch) · length u32 · transaction
//!          1 · transaction id [32]
//! ```
//!
//! Numbers are little-endian. The magic and the schema stand raw at the same place in every schema, so
//! that each version can tell another's file.

use std::io::{self, Read};

use borsh::{BorshDeserialize, BorshSerialize};
use hearsay_chain::transaction::MAX_TX_BYTES;
use hearsay_chain::{GenesisId, TxId, UnverifiedTx, codec};

use super::crc::crc32;

/// What every journal begins with.
const MAGIC: [u8; 8] = *b"hs-pool\n";

/// The layout above.
pub(super) const SCHEMA: u32 = 1;

/// Bytes of the header.
pub(super) const HEADER_BYTES: usize = 8 + 4 + 32 + 4;

/// Bytes before the body of a record.
const FRAME_BYTES: usize = 4 + 4;

/// The longest body: the largest transaction and what is said of it.
const MAX_BODY_BYTES: usize = MAX_TX_BYTES + 1 + 1 + 8 + 4;

/// Why a file is not this node's journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Foreign {
    /// It has not the beginning of a journal, or it is damaged.
    Unknown,
    /// It was written by another version of this program.
    Schema(u32),
    /// It is of another network.
    Genesis(GenesisId),
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) enum Record {
    /// A transaction came in.
    Add { local: bool, arrived_unix_us: u64, tx: Vec<u8> },
    /// One left.
    Remove { id: TxId },
}

/// The header of a network's journal.
pub(super) fn header(genesis: GenesisId) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&SCHEMA.to_le_bytes());
    header[12..44].copy_from_slice(&genesis.0);
    let crc = crc32(&header[..44]);
    header[44..].copy_from_slice(&crc.to_le_bytes());
    header
}

/// Reads a header.
pub(super) fn check_header(bytes: &[u8], genesis: GenesisId) -> Result<(), Foreign> {
    let Some((magic, rest)) = bytes.split_first_chunk::<8>() else { return Err(Foreign::Unknown) };
    let Some((schema, _)) = rest.split_first_chunk() else { return Err(Foreign::Unknown) };
    if *magic != MAGIC {
        return Err(Foreign::Unknown);
    }
    match u32::from_le_bytes(*schema) {
        SCHEMA => {}
        other => return Err(Foreign::Schema(other)),
    }
    let Ok(header) = <[u8; HEADER_BYTES]>::try_from(bytes) else { return Err(Foreign::Unknown) };
    if header[44..] != crc32(&header[..44]).to_le_bytes() {
        return Err(Foreign::Unknown);
    }
    let mut found = [0; 32];
    found.copy_from_slice(&header[12..44]);
    if found == genesis.0 { Ok(()) } else { Err(Foreign::Genesis(GenesisId(found))) }
}

/// Appends a record.
pub(super) fn append(record: &Record, out: &mut Vec<u8>) {
    let body = codec::encode(record);
    // No body is longer than a transaction and a little.
    out.extend_from_slice(&(body.len() as u32).to_le_bytes());
    out.extend_from_slice(&crc32(&body).to_le_bytes());
    out.extend_from_slice(&body);
}

/// Reads the transaction of a record that was read before.
pub(super) fn read_add(bytes: &[u8]) -> Option<(UnverifiedTx, bool, u64)> {
    match parse(bytes)? {
        Record::Add { local, arrived_unix_us, tx } => {
            Some((UnverifiedTx::decode(&tx).ok()?, local, arrived_unix_us))
        }
        Record::Remove { .. } => None,
    }
}

/// Whether this is one record, as it was written.
pub(super) fn is_sound(bytes: &[u8]) -> bool {
    body(bytes).is_some()
}

fn parse(bytes: &[u8]) -> Option<Record> {
    codec::decode(body(bytes)?, MAX_BODY_BYTES).ok()
}

fn body(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (crc, body) = rest.split_first_chunk()?;
    let is_sound = u32::from_le_bytes(*length) as usize == body.len()
        && u32::from_le_bytes(*crc) == crc32(body);
    is_sound.then_some(body)
}

/// How a journal ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With its last record.
    Whole,
    /// In the middle of a record, or with what the file system leaves when the machine stops: whoever
    /// wrote it was killed.
    Torn,
    /// With something that is no record, and more after it.
    Damaged,
}

/// Reads records one by one, and stops at the first that is not whole and sound.
pub(super) struct Reader<R> {
    input: R,
    /// Where the next record begins.
    pub(super) at: u64,
    /// The length of the file.
    length: u64,
    buffer: Vec<u8>,
}

impl<R: Read> Reader<R> {
    /// Reads what stands behind the header of a file of `length` bytes.
    pub(super) fn new(input: R, length: u64) -> Self {
        Self { input, at: HEADER_BYTES as u64, length, buffer: Vec::new() }
    }

    /// The next record, with its own length in the file.
    pub(super) fn next(&mut self) -> io::Result<Result<(Record, u32), End>> {
        let left = self.length.saturating_sub(self.at);
        if left == 0 {
            return Ok(Err(End::Whole));
        }
        if left < FRAME_BYTES as u64 {
            return Ok(Err(End::Torn));
        }
        self.buffer.resize(FRAME_BYTES, 0);
        self.input.read_exact(&mut self.buffer)?;
        let length = self.buffer.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        if length == 0 {
            return self.end_of_zeros();
        }
        if length as usize > MAX_BODY_BYTES {
            return Ok(Err(End::Damaged));
        }
        let total = length + FRAME_BYTES as u32;
        if left < u64::from(total) {
            return Ok(Err(End::Torn));
        }
        self.buffer.resize(total as usize, 0);
        self.input.read_exact(&mut self.buffer[FRAME_BYTES..])?;
        let Some(record) = parse(&self.buffer) else {
            // The last one may have been on its way when the machine stopped.
            let is_last = left == u64::from(total);
            return Ok(Err(if is_last { End::Torn } else { End::Damaged }));
        };
        self.at += u64::from(total);
        Ok(Ok((record, total)))
    }

    /// A file system that was stopped may have made the file longer and not have written to it yet.
    fn end_of_zeros(&mut self) -> io::Result<Result<(Record, u32), End>> {
        let mut is_zero = self.buffer.iter().all(|byte| *byte == 0);
        while is_zero {
            self.buffer.resize(1 << 16, 0);
            let read = self.input.read(&mut self.buffer)?;
            if read == 0 {
                break;
            }
            is_zero = self.buffer[..read].iter().all(|byte| *byte == 0);
        }
        Ok(Err(if is_zero { End::Torn } else { End::Damaged }))
    }
}
