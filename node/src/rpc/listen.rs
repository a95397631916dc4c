//! The accept loop. jsonrpsee's own bounds requests, not connections, so that idle connections
//! could use up all of the process's file descriptors.

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jsonrpsee::server::StopHandle;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::front::Front;

/// HTTP connections at once, and as many WebSockets. Many more than one user's programs need, and
/// few beside the file descriptors that a process may have (1,024 by default).
pub(super) const MAX_CONNECTIONS: usize = 128;

/// A connection that sends no whole request head for this long is closed, so that forgotten ones
/// make room.
const IDLE: Duration = Duration::from_secs(30);

/// More than any head of a request that a JSON-RPC client sends.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// How long to wait before the next try when the operating system has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves connections until told to stop. At the bound, new ones wait in the operating system's
/// queue until another one ends.
pub(super) async fn accept(listener: TcpListener, front: Front, stop: StopHandle) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let accepting = async {
        // The semaphore is never closed.
        while let Ok(permit) = Arc::clone(&room).acquire_owned().await {
            match listener.accept().await {
                Ok((socket, _)) => {
                    tokio::spawn(connection(socket, front.clone(), stop.clone(), permit));
                }
                Err(error) => {
                    tracing::debug!(%error, "an RPC connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stop.clone().shutdown() => {}
    }
}

async fn connection(
    socket: TcpStream,
    front: Front,
    stop: StopHandle,
    _permit: OwnedSemaphorePermit,
) {
    let Ok(local) = socket.local_addr() else { return };
    // Answers are small and written whole; waiting to fill a packet would only delay them.
    let _ = socket.set_nodelay(true);
    let service = service_fn(move |request| front.clone().answer(request, local.ip()));
    // HTTP/1 alone: one request at a time on each connection, so connections bound requests.
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(socket), service)
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.shutdown() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an RPC connection ended early");
    }
}
