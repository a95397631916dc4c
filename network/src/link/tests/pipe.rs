//! A socket for tests: two ends in one process, with room for so many bytes between them.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use futures::{AsyncRead, AsyncWrite};

#[derive(Debug, Default)]
struct Way {
    bytes: VecDeque<u8>,
    closed: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// One end of a pipe.
#[derive(Debug)]
pub(super) struct End {
    capacity: usize,
    from: Arc<Mutex<Way>>,
    to: Arc<Mutex<Way>>,
}

/// Two ends with room for `capacity` bytes in each direction.
pub(super) fn pipe(capacity: usize) -> (End, End) {
    let ways = [Arc::new(Mutex::new(Way::default())), Arc::new(Mutex::new(Way::default()))];
    let [there, back] = ways;
    let far = End { capacity, from: Arc::clone(&there), to: Arc::clone(&back) };
    (End { capacity, from: back, to: there }, far)
}

impl AsyncRead for End {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut way = self.from.lock().unwrap();
        if way.bytes.is_empty() && !way.closed {
            way.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = buffer.len().min(way.bytes.len());
        for (place, byte) in buffer.iter_mut().zip(way.bytes.drain(..count)) {
            *place = byte;
        }
        if let Some(writer) = way.writer.take() {
            writer.wake();
        }
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for End {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut way = self.to.lock().unwrap();
        let count = bytes.len().min(self.capacity - way.bytes.len());
        if count == 0 {
            way.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        way.bytes.extend(&bytes[..count]);
        if let Some(reader) = way.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut way = self.to.lock().unwrap();
        way.closed = true;
        if let Some(reader) = way.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(()))
    }
}
