//! Frames on a stream: a length, in as few bytes as it needs, and the frame.

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use std::io;

use crate::push::Frame;
use crate::push::varint::{self, Partial, Taken};

/// The bytes of a frame's length at most: 35 bits, far beyond any limit.
const LENGTH_BYTES: usize = 5;

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

/// A frame is longer than any that is taken.
const BEYOND: &str = "a frame beyond the limit";

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
    let (length, length_bytes) = read_length(from).await?;
    if length > limit {
        return Err(Unread::Garbled(BEYOND));
    }
    let mut bytes = Vec::new();
    from.take(length as u64).read_to_end(&mut bytes).await?;
    if bytes.len() < length {
        return Err(Unread::Over(io::ErrorKind::UnexpectedEof.into()));
    }
    let frame = Frame::decode(&bytes, limit)
        .map_err(|_| Unread::Garbled("a frame that does not decode"))?;
    Ok((frame, length.saturating_add(length_bytes)))
}

/// Reads a length; also gives how many bytes it took.
async fn read_length<R: AsyncRead + Unpin>(from: &mut R) -> Result<(usize, usize), Unread> {
    let mut partial = Partial::default();
    for took in 1..=LENGTH_BYTES {
        let mut byte = [0];
        from.read_exact(&mut byte).await?;
        let [byte] = byte;
        match partial.take(byte) {
            Taken::More => {}
            Taken::Whole(length) => {
                let length = usize::try_from(length).map_err(|_| Unread::Garbled(BEYOND))?;
                return Ok((length, took));
            }
            Taken::Wrong => return Err(Unread::Garbled("a length that could be shorter")),
        }
    }
    Err(Unread::Garbled(BEYOND))
}

/// Writes a frame and flushes it. Gives the bytes that it took.
///
/// Length and frame are written as one: the multiplexer makes a frame of its own of each write, and
/// spends twelve bytes on it.
///
/// # Errors
/// The stream has failed, or the frame is longer than any peer takes.
pub(super) async fn write_frame<W: AsyncWrite + Unpin>(
    to: &mut W,
    frame: &Frame,
    limit: usize,
) -> io::Result<usize> {
    // Room for the length is left before the frame, as it is not known yet.
    let mut bytes = vec![0; LENGTH_BYTES];
    frame.append(&mut bytes);
    let length = bytes.len().saturating_sub(LENGTH_BYTES);
    if length > limit || varint::bytes_of(length as u64) > LENGTH_BYTES {
        return Err(io::Error::other(BEYOND));
    }
    let mut prefix = Vec::with_capacity(LENGTH_BYTES);
    varint::push(&mut prefix, length as u64);
    let begin = LENGTH_BYTES.saturating_sub(prefix.len());
    bytes[begin..LENGTH_BYTES].copy_from_slice(&prefix);
    to.write_all(&bytes[begin..]).await?;
    to.flush().await?;
    Ok(bytes.len().saturating_sub(begin))
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::Arc;
    use std::task::{Context, Poll};

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

    /// Takes what it is given whole, and counts how often.
    #[derive(Default)]
    struct Writes(usize);

    impl AsyncWrite for Writes {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.0 += 1;
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn a_frame_is_written_at_once_and_costs_fourteen_bytes_beside_its_message() {
        let mut writes = Writes::default();
        let took = block_on(write_frame(&mut writes, &frame(300), LIMIT)).unwrap();
        // Two of the frame's length, kind, origin and count, and two of the message's.
        assert_eq!((writes.0, took), (1, 300 + 2 + 1 + 8 + 1 + 2));
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_anything_is_read() {
        for length in [vec![0x81, 0x80, 4, 0], vec![0xff; 6]] {
            let ends = length.len() as u64 - 1;
            let mut from = Cursor::new(length);
            let read = block_on(read_frame(&mut from, LIMIT));
            assert!(matches!(read, Err(Unread::Garbled(BEYOND))));
            assert_eq!(from.position(), ends);
        }
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
        bytes[1] ^= 0xff;
        let read = block_on(read_frame(&mut Cursor::new(&bytes), LIMIT));
        assert!(matches!(read, Err(Unread::Garbled(_))));
    }
}
