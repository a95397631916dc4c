//! The writer's half: gathers what is written until it is flushed, and lets it leave in frames when
//! the link takes them.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::AsyncWrite;

use crate::link::alarm::Alarm;
use crate::link::frame::HEADER;
use crate::link::path::MAX_FRAME;
use crate::link::{Connection, Departure};
use crate::transport::WireCount;

/// What waits to leave: one frame at most, so that a writer is made to wait.
#[derive(Debug, Default)]
pub(super) struct Sending {
    pending: Vec<u8>,
    leaving: Option<Leaving>,
    alarm: Alarm,
    /// Bytes of headers that the socket has taken since it was last flushed.
    headers: u64,
}

/// A frame that has left, as far as the link is concerned, and is being handed to the socket: its
/// header and the first bytes of what is pending.
#[derive(Debug)]
struct Leaving {
    header: [u8; HEADER],
    payload: usize,
    written: usize,
}

impl Sending {
    pub(super) fn room(&self) -> usize {
        MAX_FRAME - self.pending.len()
    }

    /// Takes as much as there is room for.
    pub(super) fn accept(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.room());
        self.pending.extend_from_slice(&bytes[..count]);
        count
    }

    /// Lets everything that is pending leave; ready once it has, and the socket has sent it.
    pub(super) fn poll<S: AsyncWrite + Unpin>(
        &mut self,
        socket: &mut S,
        link: &mut Connection,
        count: &WireCount,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let all_left = self.poll_leave(socket, link, cx)?;
        // What has left must be on its way while more has to wait, and whoever writes need not come
        // back to flush: noise would keep it until then.
        ready!(Pin::new(socket).poll_flush(cx))?;
        count.discount_sent(std::mem::take(&mut self.headers));
        all_left.map(Ok)
    }

    /// Hands everything that is pending to the socket; ready once nothing is left.
    fn poll_leave<S: AsyncWrite + Unpin>(
        &mut self,
        socket: &mut S,
        link: &mut Connection,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if let Some(leaving) = &mut self.leaving {
                ready!(leaving.poll(&self.pending, socket, cx))?;
                self.pending.drain(..leaving.payload);
                self.leaving = None;
                self.headers += HEADER as u64;
            }
            if self.pending.is_empty() {
                return Poll::Ready(Ok(()));
            }
            match link.depart(self.pending.len(), cx.waker()) {
                Departure::Leaves(frame) => {
                    let (header, payload) = (frame.encode(), frame.bytes);
                    self.leaving = Some(Leaving { header, payload, written: 0 });
                }
                Departure::Waits(until) => {
                    self.alarm.set(link.clock(), until, cx.waker());
                    return Poll::Pending;
                }
                Departure::Held => return Poll::Pending,
            }
        }
    }
}

impl Leaving {
    fn poll<S: AsyncWrite + Unpin>(
        &mut self,
        pending: &[u8],
        socket: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while self.written < HEADER + self.payload {
            let rest = match self.header.get(self.written..) {
                Some(rest) if !rest.is_empty() => rest,
                _ => &pending[self.written - HEADER..self.payload],
            };
            match ready!(Pin::new(&mut *socket).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.written += count,
            }
        }
        Poll::Ready(Ok(()))
    }
}
