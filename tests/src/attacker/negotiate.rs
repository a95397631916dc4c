//! Multistream-select, as much of it as a stream takes.

use std::io;

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::core::muxing::SubstreamBox;

/// What either side says first.
const HEADER: &str = "/multistream/1.0.0";

/// The other does not speak it.
const NONE: &str = "na";

/// The longest name that is read: a protocol of ours is some 90 bytes.
const LONGEST: usize = 1_024;

/// Protocols that are refused on one stream before it is left.
const MAX_REFUSALS: usize = 16;

/// An unsigned number as protobuf and multistream-select write it.
pub(super) fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(10);
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn line(text: &str) -> Vec<u8> {
    let mut bytes = varint(text.len() as u64 + 1);
    bytes.extend_from_slice(text.as_bytes());
    bytes.push(b'\n');
    bytes
}

/// Reads a length, and so many bytes, of `longest` at most.
pub(super) async fn read_framed(stream: &mut SubstreamBox, longest: usize) -> io::Result<Vec<u8>> {
    let (mut length, mut shift) = (0_usize, 0);
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).await?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
        if shift > 28 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    if length > longest {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn read_line(stream: &mut SubstreamBox) -> io::Result<String> {
    let bytes = read_framed(stream, LONGEST).await?;
    let text = String::from_utf8(bytes).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    Ok(text.trim_end_matches('\n').to_owned())
}

/// Agrees on a protocol for a stream that was opened here.
pub(super) async fn propose(stream: &mut SubstreamBox, protocol: &str) -> io::Result<()> {
    stream.write_all(&[line(HEADER), line(protocol)].concat()).await?;
    stream.flush().await?;
    if read_line(stream).await? != HEADER {
        return Err(io::ErrorKind::InvalidData.into());
    }
    match read_line(stream).await? {
        answer if answer == protocol => Ok(()),
        _ => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// Agrees on a protocol for a stream that the other opened; which.
pub(super) async fn answer(
    stream: &mut SubstreamBox,
    speaks: impl Fn(&str) -> bool,
) -> io::Result<String> {
    if read_line(stream).await? != HEADER {
        return Err(io::ErrorKind::InvalidData.into());
    }
    stream.write_all(&line(HEADER)).await?;
    for _ in 0..MAX_REFUSALS {
        let wanted = read_line(stream).await?;
        let spoken = speaks(&wanted);
        stream.write_all(&line(if spoken { &wanted } else { NONE })).await?;
        stream.flush().await?;
        if spoken {
            return Ok(wanted);
        }
    }
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_seven_bits_at_a_time_the_lowest_first() {
        assert_eq!(varint(0), [0]);
        assert_eq!(varint(127), [127]);
        assert_eq!(varint(300), [0xac, 2]);
        assert_eq!(varint(u64::MAX).len(), 10);
    }
}
