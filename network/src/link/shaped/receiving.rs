//! The reader's half: reads frames from the socket as they come, as far as the delay line has room,
//! and hands on what has arrived.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::AsyncRead;

use crate::link::Connection;
use crate::link::alarm::Alarm;
use crate::link::frame::{Frame, HEADER};
use crate::link::line::{Head, Line};
use crate::transport::WireCount;

/// What has been read and not been handed on.
#[derive(Debug)]
pub(super) struct Receiving {
    line: Line,
    part: Part,
    /// How long the peer's bytes travel.
    delay: Duration,
    end: Option<End>,
    alarm: Alarm,
}

/// The frame that is being read.
#[derive(Debug)]
enum Part {
    Header { bytes: [u8; HEADER], read: usize },
    Payload { frame: Frame, bytes: Vec<u8>, read: usize },
}

/// How the stream ended, and when that is to be known here.
#[derive(Debug)]
struct End {
    at: Duration,
    error: Option<io::ErrorKind>,
}

impl Default for Part {
    fn default() -> Self {
        Self::Header { bytes: [0; HEADER], read: 0 }
    }
}

impl Default for Receiving {
    fn default() -> Self {
        Self {
            line: Line::default(),
            part: Part::default(),
            delay: Duration::ZERO,
            end: None,
            alarm: Alarm::default(),
        }
    }
}

impl Receiving {
    pub(super) fn poll<S: AsyncRead + Unpin>(
        &mut self,
        socket: &mut S,
        link: &mut Connection,
        count: &WireCount,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let clock = link.clock();
        loop {
            let now = clock.now();
            let head = self.line.head(now, |arrival, bytes| link.deliver(arrival, bytes));
            if head == Head::Here {
                return Poll::Ready(Ok(self.line.take(buffer)));
            }
            // What is further behind is read meanwhile, so that the socket does not fill.
            if self.end.is_none()
                && !self.line.is_full()
                && let Poll::Ready(more) = self.poll_frame(socket, link, count, cx, now)
            {
                if let Err(error) = &more {
                    // Whatever follows a bad frame means nothing.
                    self.end = Some(End { at: now, error: Some(error.kind()) });
                }
                more?;
                continue;
            }
            match (head, &self.end) {
                (Head::At(moment), _) => self.alarm.set(clock, moment, cx.waker()),
                (_, Some(end)) if end.at <= now => {
                    return Poll::Ready(end.error.map_or(Ok(0), |kind| Err(kind.into())));
                }
                (_, Some(end)) => self.alarm.set(clock, end.at, cx.waker()),
                (_, None) => {}
            }
            return Poll::Pending;
        }
    }

    /// Reads a frame, or the stream's end. An end travels as long as anything else.
    fn poll_frame<S: AsyncRead + Unpin>(
        &mut self,
        socket: &mut S,
        link: &mut Connection,
        count: &WireCount,
        cx: &mut Context<'_>,
        now: Duration,
    ) -> Poll<io::Result<()>> {
        loop {
            let (space, read) = match &mut self.part {
                Part::Header { bytes, read } => (&mut bytes[..], read),
                Part::Payload { bytes, read, .. } => (&mut bytes[..], read),
            };
            let error = match ready!(Pin::new(&mut *socket).poll_read(cx, &mut space[*read..])) {
                Ok(0) => None,
                Err(error) => Some(error.kind()),
                Ok(bytes) => {
                    *read += bytes;
                    if *read == space.len() && self.part_is_whole(link, count, now)? {
                        return Poll::Ready(Ok(()));
                    }
                    continue;
                }
            };
            self.end = Some(End { at: now + self.delay, error });
            return Poll::Ready(Ok(()));
        }
    }

    /// Goes on from a header to its payload, and from a payload to the next header; true for the
    /// latter.
    fn part_is_whole(
        &mut self,
        link: &mut Connection,
        count: &WireCount,
        now: Duration,
    ) -> io::Result<bool> {
        match std::mem::take(&mut self.part) {
            Part::Header { bytes, .. } => {
                count.discount_received(HEADER as u64);
                let frame = Frame::decode(&bytes, now)?;
                self.delay = frame.delay;
                link.path.heard(frame.delay);
                self.part = Part::Payload { frame, bytes: vec![0; frame.bytes], read: 0 };
                Ok(false)
            }
            Part::Payload { frame, bytes, .. } => {
                self.line.push(frame.arrival, bytes);
                Ok(true)
            }
        }
    }
}
