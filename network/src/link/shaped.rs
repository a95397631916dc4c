//! The stream whose bytes take as long as the link's model says.

mod receiving;
mod sending;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::{AsyncRead, AsyncWrite};

use super::Connection;
use crate::transport::WireCount;
use receiving::Receiving;
use sending::Sending;

/// A stream over `S` that plays a link.
#[derive(Debug)]
pub(crate) struct Shaped<S> {
    socket: S,
    link: Connection,
    sending: Sending,
    receiving: Receiving,
    count: WireCount,
}

impl<S> Shaped<S> {
    pub(super) fn new(socket: S, link: Connection, count: WireCount) -> Self {
        let (sending, receiving) = (Sending::default(), Receiving::default());
        Self { socket, link, sending, receiving, count }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Shaped<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let Self { socket, link, receiving, count, .. } = &mut *self;
        receiving.poll(socket, link, count, cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Shaped<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Self { socket, link, sending, count, .. } = &mut *self;
        if sending.room() == 0
            && let Poll::Ready(result) = sending.poll(socket, link, count, cx)
        {
            result?;
        }
        if sending.room() == 0 { Poll::Pending } else { Poll::Ready(Ok(sending.accept(bytes))) }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { socket, link, sending, count, .. } = &mut *self;
        sending.poll(socket, link, count, cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.socket).poll_close(cx)
    }
}
