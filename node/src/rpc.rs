//! The node's interface for its user: JSON-RPC 2.0 over HTTP and WebSocket, and beside it on the
//! same port `GET /metrics`, `/health` and `/ready`.
//!
//! One trait is both the server and the client ([`RpcClient`]), so the two cannot drift apart. A
//! request passes, in this order: a bound on connections, the check that no web page is behind it
//! ([`Access`]), the plain paths, bounds on size and time, and JSON-RPC itself.

mod access;
mod api;
mod client;
mod error;
mod exports;
#[cfg(test)]
pub(crate) mod fake;
mod follow;
mod front;
mod listen;
mod methods;
mod params;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use jsonrpsee::server::{ServerHandle, stop_channel};
use thiserror::Error;
use tokio::net::TcpListener;

pub use self::access::{Access, AccessError};
pub use self::api::{LabClient, LabServer, RpcClient, RpcServer};
pub use self::client::{CallError, NodeUrl, connect, connect_within};
pub use self::error::RpcError;
pub use self::params::{BlockSelector, HexBytes};
use crate::handle::Handle;
use crate::metrics::Metrics;

/// Why the RPC cannot listen.
#[derive(Debug, Error)]
pub enum ServeError {
    /// Another program has the port.
    #[error(
        "{0} is in use already, perhaps by another node; stop that one, or give this one another \
         address with --rpc"
    )]
    InUse(SocketAddr),
    /// The operating system refused.
    #[error("cannot listen on {addr} for the RPC: {source}")]
    Bind {
        /// The address asked for.
        addr: SocketAddr,
        /// What it said.
        source: io::Error,
    },
}

/// Serves the RPC on `addr` until the returned handle is told to stop or is dropped. Returns the
/// address that is listened on, whose port is a free one if `addr` has port 0.
///
/// # Errors
/// The address cannot be listened on.
pub async fn serve(
    addr: SocketAddr,
    handle: Handle,
    metrics: Arc<Metrics>,
    access: Access,
) -> Result<(SocketAddr, ServerHandle), ServeError> {
    let bind = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => ServeError::InUse(addr),
        _ => ServeError::Bind { addr, source },
    };
    let listener = TcpListener::bind(addr).await.map_err(bind)?;
    let bound = listener.local_addr().map_err(bind)?;
    let (stop, server) = stop_channel();
    let front = front::Front::new(handle, metrics, access, &stop);
    tokio::spawn(listen::accept(listener, front, stop));
    Ok((bound, server))
}

#[cfg(test)]
mod tests;
