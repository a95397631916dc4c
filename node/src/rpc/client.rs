//! The client's side: where the node is, and what a failed call means.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use http::Uri;
use jsonrpsee::core::client::Error as ClientError;
use jsonrpsee::http_client::transport::Error as TransportError;
use jsonrpsee::http_client::{HttpClient, HttpClientBuilder};
use thiserror::Error;

use super::error::RpcError;
use super::front::{MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a call may take: a little more than the node gives itself, whose answer says more.
const CALL_TIMEOUT: Duration = Duration::from_secs(12);

/// Where a node's RPC is: an HTTP URL, or `HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeUrl(String);

impl FromStr for NodeUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let uri: Uri = url.parse().map_err(|error| format!("not a URL: {error}"))?;
        match uri.scheme_str() {
            Some("http" | "https") => {}
            _ => return Err("only http:// and https:// reach a node".to_owned()),
        }
        if text == url || uri.port().is_some() {
            Ok(Self(url))
        } else {
            Err("the port is missing, as in 127.0.0.1:7780".to_owned())
        }
    }
}

impl fmt::Display for NodeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a call has no result.
#[derive(Debug, Error)]
pub enum CallError {
    /// The node answered with an error of its own.
    #[error(transparent)]
    Node(#[from] RpcError),
    /// No connection could be made, or it broke.
    #[error("{0}")]
    Unreachable(String),
    /// The node took the call, but has not answered.
    #[error("no answer within {CALL_TIMEOUT:?}")]
    TimedOut,
    /// Something answered, but not as a node of this version would.
    #[error("{0}")]
    Protocol(String),
}

impl From<ClientError> for CallError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Call(object) => match RpcError::from_object(&object) {
                Some(error) => Self::Node(error),
                None => Self::Protocol(format!("{} (code {})", object.message(), object.code())),
            },
            ClientError::RequestTimeout => Self::TimedOut,
            ClientError::Transport(error) => match error.downcast_ref::<TransportError>() {
                Some(TransportError::Rejected { status_code: 403 }) => Self::Protocol(
                    "it refuses this host name (HTTP 403); start it with --rpc-host NAME"
                        .to_owned(),
                ),
                Some(TransportError::Rejected { status_code }) => {
                    Self::Protocol(format!("it answers with HTTP {status_code}"))
                }
                Some(TransportError::Http(_)) => Self::Unreachable(root(&*error)),
                _ => Self::Protocol(error.to_string()),
            },
            ClientError::ParseError(_) => {
                Self::Protocol("its answer is not that of a Hearsay node".to_owned())
            }
            error => Self::Protocol(error.to_string()),
        }
    }
}

/// The innermost cause, which says more than "client error (Connect)" around it.
fn root(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(cause) = error.source() {
        error = cause;
    }
    error.to_string()
}

/// A client of the node at `url`, whose methods are those of [`RpcClient`](super::RpcClient).
/// Connects at the first call.
///
/// # Errors
/// A URL that no client can use.
pub fn connect(url: &NodeUrl) -> Result<HttpClient, CallError> {
    connect_within(url, CALL_TIMEOUT)
}

/// The same for calls that may take longer.
///
/// # Errors
/// A URL that no client can use.
pub fn connect_within(url: &NodeUrl, call: Duration) -> Result<HttpClient, CallError> {
    Ok(HttpClientBuilder::default()
        .max_request_size(MAX_REQUEST_BYTES)
        .max_response_size(MAX_RESPONSE_BYTES)
        .connect_timeout(CONNECT_TIMEOUT)
        .request_timeout(call)
        .build(&url.0)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_a_url_or_host_and_port() {
        for (text, url) in [
            ("127.0.0.1:7780", "http://127.0.0.1:7780"),
            ("node.example:80", "http://node.example:80"),
            ("[::1]:7780", "http://[::1]:7780"),
            ("http://node.example", "http://node.example"),
            ("https://node.example/", "https://node.example/"),
        ] {
            assert_eq!(text.parse::<NodeUrl>().unwrap().to_string(), url);
        }
        for wrong in ["", "node.example", "ws://node.example:1", "ftp://x", "a b:1", "http://"] {
            assert!(wrong.parse::<NodeUrl>().is_err(), "{wrong}");
        }
    }
}
