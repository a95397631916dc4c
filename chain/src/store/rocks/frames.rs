//! Looks over the frames of RocksDB's logs: its write-ahead logs and its manifest.
//!
//! Both are a run of blocks of 32 KiB, each a run of frames: checksum (4 bytes), length (2), type
//! (1), payload. No frame spans two blocks; a block's last six bytes or fewer are zeros. RocksDB
//! takes a frame that reaches beyond the end of the file for one that a crash cut short, and drops
//! it with all that stands behind it in the block. So one bit that flips in a length takes commits,
//! or tables, away in silence; and one that flips in a type has it read for ever, or take the whole
//! file for an older one's. Here a file must be whole up to one frame that was cut short, and
//! nothing whole may stand behind that; or up to zeros, which some file systems leave at the end of
//! what was being written when the power went.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use super::refusal::Refusal;

const BLOCK: usize = 32 << 10;
const HEADER: usize = 7;

/// Frames carry one of these types: a record whole, or its first, middle or last part; or what a
/// log says of the log before it. We set nothing that makes RocksDB write others.
const TYPES: [u8; 5] = [1, 2, 3, 4, 130];

/// Refuses a log that is damaged otherwise than by being cut short in its last frame.
pub(in crate::store) fn refuse_damaged(path: &Path) -> Result<(), Refusal> {
    let mut file = fs::File::open(path)?;
    let mut block = vec![0; BLOCK];
    let mut start = 0;
    loop {
        let length = fill(&mut file, &mut block)?;
        if let Err(at) = check(&block[..length]) {
            if is_zero(&block[at..length]) && rest_is_zero(&mut file, &mut block)? {
                return Ok(());
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let at = start + at as u64;
            return Err(Refusal::Damaged(format!("{name} has a checksum mismatch at byte {at}")));
        }
        if length < BLOCK {
            return Ok(());
        }
        start += length as u64;
    }
}

/// Reads a whole block, or what is left of the file.
fn fill(file: &mut fs::File, block: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < block.len() {
        match file.read(&mut block[length..])? {
            0 => break,
            read => length += read,
        }
    }
    Ok(length)
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

fn rest_is_zero(file: &mut fs::File, block: &mut [u8]) -> io::Result<bool> {
    loop {
        match fill(file, block)? {
            0 => return Ok(true),
            length if !is_zero(&block[..length]) => return Ok(false),
            _ => {}
        }
    }
}

/// Checks a block, the last one of a file if it is short. Fails with where it is damaged.
fn check(block: &[u8]) -> Result<(), usize> {
    let mut at = 0;
    while let Some(rest) = block.get(at..).filter(|rest| rest.len() >= HEADER) {
        match frame(rest) {
            Some(length) => at += length,
            None if block.len() < BLOCK && is_cut_short(rest) => return Ok(()),
            None => return Err(at),
        }
    }
    let trailer = &block[at..];
    if block.len() == BLOCK && !is_zero(trailer) { Err(at) } else { Ok(()) }
}

/// The length of the whole frame that bytes begin with, if they do.
fn frame(bytes: &[u8]) -> Option<usize> {
    let header = bytes.first_chunk::<HEADER>()?;
    let end = HEADER + length_in(header);
    let covered = bytes.get(HEADER - 1..end)?;
    (TYPES.contains(&header[6]) && masked(crc(!0, covered)) == checksum_in(header)).then_some(end)
}

/// Whether bytes may be the beginning of a frame that a crash cut short: then no part of them is a
/// whole frame, whatever the length says.
fn is_cut_short(bytes: &[u8]) -> bool {
    let Some(header) = bytes.first_chunk::<HEADER>() else { return true };
    if HEADER + length_in(header) <= bytes.len() || !TYPES.contains(&header[6]) {
        return false;
    }
    let mut state = crc(!0, &header[6..]);
    let expected = checksum_in(header);
    let whole = bytes[HEADER..].iter().any(|byte| {
        state = crc(state, &[*byte]);
        masked(state) == expected
    });
    !whole && (1..bytes.len()).all(|at| frame(&bytes[at..]).is_none())
}

fn length_in(header: &[u8; HEADER]) -> usize {
    usize::from(u16::from_le_bytes([header[4], header[5]]))
}

fn checksum_in(header: &[u8; HEADER]) -> u32 {
    u32::from_le_bytes([header[0], header[1], header[2], header[3]])
}

/// CRC-32C by byte: of its 256 states one step on.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut state = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            state = (state >> 1) ^ (0x82F6_3B78 * (state & 1));
            bit += 1;
        }
        table[byte] = state;
        byte += 1;
    }
    table
};

/// Takes the state of a CRC-32C over more bytes; it begins as all ones.
fn crc(state: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(state, |state, byte| (state >> 8) ^ TABLE[(state as u8 ^ byte) as usize])
}

/// The finished checksum as RocksDB writes it, so that a checksum over checksums stays one.
fn masked(state: u32) -> u32 {
    (!state).rotate_right(15).wrapping_add(0xA282_EAD8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(kind: u8, payload: &[u8]) -> Vec<u8> {
        let covered: Vec<u8> = [&[kind], payload].concat();
        let mut frame = masked(crc(!0, &covered)).to_le_bytes().to_vec();
        frame.extend((payload.len() as u16).to_le_bytes());
        frame.extend(covered);
        frame
    }

    fn log() -> Vec<u8> {
        [framed(1, b"the first"), framed(1, b"the second one"), framed(1, b"third")].concat()
    }

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(!crc(!0, b"123456789"), 0xE306_9283);
    }

    #[test]
    fn a_log_may_be_cut_anywhere() {
        let log = log();
        for length in 0..=log.len() {
            assert_eq!(check(&log[..length]), Ok(()), "{length}");
        }
    }

    #[test]
    fn no_bit_of_a_log_flips_unseen() {
        let log = log();
        for bit in 0..log.len() * 8 {
            let mut log = log.clone();
            log[bit / 8] ^= 1 << (bit % 8);
            assert!(check(&log).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn zeros_may_follow_to_the_end_of_the_file_and_nothing_after_them() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("000001.log");
        let mut bytes = [log(), vec![0; 3 * BLOCK]].concat();
        fs::write(&path, &bytes).unwrap();
        refuse_damaged(&path).unwrap();
        *bytes.last_mut().unwrap() = 1;
        fs::write(&path, &bytes).unwrap();
        let error = refuse_damaged(&path).unwrap_err();
        assert!(error.to_string().contains("000001.log"), "{error}");
    }

    #[test]
    fn in_a_block_with_another_behind_it_nothing_may_be_cut_short() {
        let mut block = log();
        block.extend(framed(2, &vec![7; BLOCK - block.len() - HEADER - 3]));
        block.extend([0; 3]);
        assert_eq!((block.len(), check(&block)), (BLOCK, Ok(())));
        for damaged in [BLOCK - 1, BLOCK - 9, 4, 5, 6] {
            let mut block = block.clone();
            block[damaged] ^= 0x80;
            assert!(check(&block).is_err(), "{damaged}");
        }
    }
}
