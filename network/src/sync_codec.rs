//! Requests and responses on a stream: the whole stream is one value, its size bounded as it is
//! read.

use std::io;

use borsh::BorshDeserialize;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use hearsay_chain::codec::DecodeError;
use libp2p::request_response::Codec;

use crate::wire::{MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, Request, Response};

/// Reads and writes [`Request`] and [`Response`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SyncCodec;

/// Reads to the end of the stream, `limit` bytes at most; one byte more is read to notice excess.
async fn read_all<T: AsyncRead + Unpin + Send>(io: &mut T, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io.take(limit as u64 + 1).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

/// Whether a request or a response failed as it was none, which no peer does by mistake. A stream that
/// ended before anything came is not meant: the other has given up. Nor is a response that was cut
/// short: the multiplexer gives an end also where a connection is closed while it is on its way.
pub(crate) fn is_malformed(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|error| error.is::<DecodeError>())
}

/// Bytes that are read to their end and beyond, or not.
struct Ends<'a> {
    bytes: &'a [u8],
    beyond: bool,
}

impl io::Read for Ends<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = io::Read::read(&mut self.bytes, to)?;
        self.beyond |= read == 0 && !to.is_empty();
        Ok(read)
    }
}

/// Whether bytes that are no response could be the beginning of one.
fn is_cut_short(bytes: &[u8]) -> bool {
    let mut ends = Ends { bytes, beyond: false };
    Response::deserialize_reader(&mut ends).is_err() && ends.beyond
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

async fn write_all<T: AsyncWrite + Unpin + Send>(io: &mut T, bytes: &[u8]) -> io::Result<()> {
    io.write_all(bytes).await?;
    io.close().await
}

impl Codec for SyncCodec {
    type Protocol = String;
    type Request = Request;
    type Response = Response;

    async fn read_request<T>(&mut self, _: &String, io: &mut T) -> io::Result<Request>
    where
        T: AsyncRead + Unpin + Send,
    {
        let bytes = read_all(io, MAX_REQUEST_BYTES).await?;
        if bytes.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Request::decode(&bytes).map_err(invalid)
    }

    async fn read_response<T>(&mut self, _: &String, io: &mut T) -> io::Result<Response>
    where
        T: AsyncRead + Unpin + Send,
    {
        let bytes = read_all(io, MAX_RESPONSE_BYTES).await?;
        Response::decode(&bytes).map_err(|error| match is_cut_short(&bytes) {
            true => io::ErrorKind::UnexpectedEof.into(),
            false => invalid(error),
        })
    }

    async fn write_request<T>(&mut self, _: &String, io: &mut T, request: Request) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write_all(io, &request.encode()).await
    }

    async fn write_response<T>(
        &mut self,
        _: &String,
        io: &mut T,
        response: Response,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write_all(io, &response.encode()).await
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use futures::io::Cursor;

    use super::*;

    fn read(bytes: Vec<u8>) -> io::Result<Request> {
        let mut stream = Cursor::new(bytes);
        block_on(SyncCodec.read_request(&String::new(), &mut stream))
    }

    fn read_response(bytes: Vec<u8>) -> io::Result<Response> {
        let mut stream = Cursor::new(bytes);
        block_on(SyncCodec.read_response(&String::new(), &mut stream))
    }

    #[test]
    fn what_is_no_response_is_told_from_one_that_was_cut_short() {
        let response = Response::Bodies(vec![vec![7; 40], vec![8; 30]]).encode();
        for end in 0..response.len() {
            let error = read_response(response[..end].to_vec()).unwrap_err();
            assert!(!is_malformed(&error), "cut short at {end}");
        }
        assert!(read_response(response.clone()).is_ok());
        let trailing = [response, vec![0]].concat();
        for bytes in [trailing, vec![0xee; 40], vec![4; MAX_RESPONSE_BYTES + 1]] {
            assert!(is_malformed(&read_response(bytes).unwrap_err()));
        }
    }

    #[test]
    fn what_is_no_request_is_told_from_a_stream_that_ended() {
        for bytes in [vec![9; 40], vec![2, 1, 0, 0, 0, 7], vec![4; MAX_REQUEST_BYTES + 1]] {
            assert!(is_malformed(&read(bytes).unwrap_err()));
        }
        assert!(!is_malformed(&read(Vec::new()).unwrap_err()));
        assert!(read(Request::Bodies(Vec::new()).encode()).is_ok());
    }
}
