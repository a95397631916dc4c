//! Measuring a shaped link from inside: what a message between two nodes meets, neither more nor
//! less. Only nodes whose links are shaped speak this.
//!
//! * A **round trip** is timed from the moment at which a small request is written to its stream to
//!   the moment at which the answer has been read. That the stream has to be agreed on first, which
//!   takes another round trip, is not in it.
//! * A **rate** is measured by sending a number of bytes in one stream. The receiver notes how much
//!   it had read, and when, once half of them had come, and again at the end; the rate is that of
//!   the time between, so that the slow start is not in it. It counts what the payload takes on the
//!   line, 1,500 bytes for each 1,460, since a link's rate is asked for in those terms.
//!
//! Nothing is allocated for what is sent: it is written from, and read into, one small buffer.

use std::io;
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::request_response::{self, Codec, ProtocolSupport};

use crate::link::clock::Clock;
use crate::link::payload_share;

/// The most bytes that one probe sends: over five seconds at 100 Mbit.
pub(crate) const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// A probe's request takes no longer, undilated: the most bytes at 5 Mbit.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Requests that one connection may have open in each direction: one that is measured, and one that
/// its asker has given up.
const MAX_REQUESTS: usize = 2;

/// The size of an echo, in bytes: less than any segment.
const ECHO: usize = 32;

/// Bytes that are written at once.
const PIECE: usize = 16 * 1024;

/// What is asked of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// To answer.
    Echo,
    /// To take so many bytes.
    Take(u64),
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// The answer took so long, undilated.
    RoundTrip(Duration),
    /// The second half came at so many bytes a second, undilated, on the line.
    Rate(f64),
}

/// What a peer is to be answered: the second half, if it has sent one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SecondHalf {
    bytes: u64,
    time: Duration,
}

/// Asks, answers, and looks at the clock meanwhile. Each request has its own.
#[derive(Clone, Debug)]
pub(crate) struct ProbeCodec {
    clock: Clock,
    asked: Option<(Ask, Duration)>,
}

/// The behaviour of a node whose links are shaped.
pub(crate) fn behaviour(clock: Clock) -> request_response::Behaviour<ProbeCodec> {
    request_response::Behaviour::with_codec(
        ProbeCodec { clock, asked: None },
        [("/hearsay/lab/probe/1", ProtocolSupport::Full)],
        request_response::Config::default()
            .with_request_timeout(TIMEOUT.saturating_mul(clock.dilation()))
            .with_max_concurrent_streams(MAX_REQUESTS),
    )
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_owned())
}

async fn read_word<T: AsyncRead + Unpin + Send>(io: &mut T) -> io::Result<u64> {
    let mut word = [0; 8];
    io.read_exact(&mut word).await?;
    Ok(u64::from_le_bytes(word))
}

impl ProbeCodec {
    /// Reads `total` bytes and forgets them.
    async fn swallow<T>(&self, io: &mut T, total: u64) -> io::Result<SecondHalf>
    where
        T: AsyncRead + Unpin + Send,
    {
        let mut buffer = [0; PIECE];
        let (mut read, mut half) = (0, None);
        while read < total {
            let want = (total - read).min(PIECE as u64) as usize;
            let count = io.read(&mut buffer[..want]).await?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            read += count as u64;
            if half.is_none() && read >= total / 2 {
                half = Some((read, self.clock.now()));
            }
        }
        let Some((before, since)) = half else { return Ok(SecondHalf::default()) };
        Ok(SecondHalf { bytes: read - before, time: self.clock.now().saturating_sub(since) })
    }
}

impl Codec for ProbeCodec {
    type Protocol = &'static str;
    type Request = (Ask, SecondHalf);
    type Response = Response;

    async fn read_request<T>(&mut self, _: &Self::Protocol, io: &mut T) -> io::Result<Self::Request>
    where
        T: AsyncRead + Unpin + Send,
    {
        match read_word(io).await? {
            0 => {
                io.read_exact(&mut [0; ECHO]).await?;
                Ok((Ask::Echo, SecondHalf::default()))
            }
            bytes @ 1..=MAX_BYTES => Ok((Ask::Take(bytes), self.swallow(io, bytes).await?)),
            _ => Err(invalid("a probe of too many bytes")),
        }
    }

    async fn read_response<T>(&mut self, _: &Self::Protocol, io: &mut T) -> io::Result<Response>
    where
        T: AsyncRead + Unpin + Send,
    {
        let bytes = read_word(io).await?;
        let time = Duration::from_nanos(read_word(io).await?);
        let (ask, since) = self.asked.ok_or_else(|| invalid("nothing was asked"))?;
        let outcome = match ask {
            Ask::Echo => Outcome::RoundTrip(self.clock.now().saturating_sub(since)),
            Ask::Take(asked) if bytes <= asked && !time.is_zero() => {
                Outcome::Rate(bytes as f64 / payload_share() / time.as_secs_f64())
            }
            Ask::Take(_) => return Err(invalid("too little was sent to measure a rate")),
        };
        Ok(Response::Came(outcome))
    }

    async fn write_request<T>(
        &mut self,
        _: &Self::Protocol,
        io: &mut T,
        (ask, _): Self::Request,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        self.asked = Some((ask, self.clock.now()));
        match ask {
            Ask::Echo => {
                let mut message = [0; 8 + ECHO];
                message[8..].fill(1);
                io.write_all(&message).await?;
            }
            Ask::Take(bytes) => {
                io.write_all(&bytes.to_le_bytes()).await?;
                let (piece, mut left) = ([0; PIECE], bytes);
                while left > 0 {
                    let count = left.min(PIECE as u64);
                    io.write_all(&piece[..count as usize]).await?;
                    left -= count;
                }
            }
        }
        io.flush().await
    }

    async fn write_response<T>(
        &mut self,
        _: &Self::Protocol,
        io: &mut T,
        response: Response,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        let Response::Answer(half) = response else { return Err(invalid("not an answer")) };
        let nanos = u64::try_from(half.time.as_nanos()).unwrap_or(u64::MAX);
        let mut message = [0; 16];
        message[..8].copy_from_slice(&half.bytes.to_le_bytes());
        message[8..].copy_from_slice(&nanos.to_le_bytes());
        io.write_all(&message).await
    }
}

/// An answer as the side that gives it knows it, and as the side that gets it does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Response {
    /// To be sent.
    Answer(SecondHalf),
    /// What it told.
    Came(Outcome),
}
