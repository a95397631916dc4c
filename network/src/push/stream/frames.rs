//! Frames on a stream: a length of four bytes, big-endian, and the frame.

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use std::io;

use crate::push::Frame;

/// The bytes of a frame's length.
pub(super) const LENGTH_BYTES: usize = 4;

/// Why no frame could be read.
#[derive(Debug)]
pub(super) enum Unread {
    /// The stream has ended or failed.
    Over(io::Error),
    /// What came is no frame: a stable word for it.
    Garbled(&'static str),
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Unread::Over(error)
    }
}

/// Reads a frame of at most `limit` bytes. Also gives the bytes that it took.
///
/// What is allocated follows what has come, not what was claimed.
///
/// # Errors
/// The stream is over, or what came is no frame.
pub(super) async fn read_frame<R: AsyncRead + Unpin>(
    from: &mut R,
    limit: usize,
) -> Result<(Frame, usize), Unread> {
    let mut length = [0; LENGTH_BYTES];
    from.read_exact(&mut length).await?;
    let length = u32::from_be_bytes(length) as usize;
    if length > limit {
        return Err(Unread::Garbled("a frame beyond the limit"));
    }
    let mut bytes = Vec::new();
    from.take(length as u64).read_to_end(&mut bytes).await?;
    if bytes.len() < length {
        return Err(Unread::Over(io::ErrorKind::UnexpectedEof.into()));
    }
    let frame = Frame::decode(&bytes, limit)
        .map_err(|_| Unread::Garbled("a frame that does not decode"))?;
    Ok((frame, length.saturating_add(LENGTH_BYTES)))
}

/// Writes a frame and flushes it. Gives the bytes that it took.
///
/// # Errors
/// The stream has failed, or the frame is longer than any peer takes.
pub(super) async fn write_frame<W: AsyncWrite + Unpin>(
    to: &mut W,
    frame: &Frame,
    limit: usize,
) -> io::Result<usize> {
    let bytes = frame.encode();
    let length = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= limit);
    let length = length.ok_or_else(|| io::Error::other("a frame beyond the limit"))?;
    to.write_all(&length.to_be_bytes()).await?;
    to.write_all(&bytes).await?;
    to.flush().await?;
    Ok(bytes.len().saturating_add(LENGTH_BYTES))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::executor::block_on;
    use futures::io::Cursor;

    use super::*;
    use crate::push::{Item, Origin, Part, Payload};
    use crate::topic::Topic;

    const LIMIT: usize = 1 << 16;

    fn frame(bytes: usize) -> Frame {
        let item = Item { topic: Topic::Tx, data: Payload(Arc::from(vec![7; bytes])) };
        Frame { parts: vec![Part::Messages { origin: Origin(1), items: vec![item] }] }
    }

    fn written(frames: &[Frame]) -> Vec<u8> {
        let mut to = Cursor::new(Vec::new());
        for frame in frames {
            block_on(write_frame(&mut to, frame, LIMIT)).unwrap();
        }
        to.into_inner()
    }

    #[test]
    fn frames_come_back_one_by_one() {
        let frames = [frame(1), Frame::default(), frame(40_000)];
        let bytes = written(&frames);
        let (mut from, mut read) = (Cursor::new(&bytes), 0);
        for frame in frames {
            let (back, took) = block_on(read_frame(&mut from, LIMIT)).unwrap();
            assert_eq!(back, frame);
            read += took;
        }
        assert_eq!(read, bytes.len());
        assert!(matches!(block_on(read_frame(&mut from, LIMIT)), Err(Unread::Over(_))));
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_anything_is_read() {
        let mut from = Cursor::new(u32::MAX.to_be_bytes());
        assert!(matches!(block_on(read_frame(&mut from, LIMIT)), Err(Unread::Garbled(_))));
        assert_eq!(from.position(), 4);
        let mut to = Cursor::new(Vec::new());
        assert!(block_on(write_frame(&mut to, &frame(LIMIT), LIMIT)).is_err());
        assert!(to.into_inner().is_empty());
    }

    #[test]
    fn a_frame_that_is_cut_short_is_an_end_and_one_of_other_bytes_is_garbled() {
        let mut bytes = written(&[frame(100)]);
        let cut = &bytes[..bytes.len() - 1];
        let read = block_on(read_frame(&mut Cursor::new(cut), LIMIT));
        assert!(matches!(read, Err(Unread::Over(_))));
        bytes[4] ^= 0xff;
        let read = block_on(read_frame(&mut Cursor::new(&bytes), LIMIT));
        assert!(matches!(read, Err(Unread::Garbled(_))));
    }
}
