//! Every HTTP request on its way to JSON-RPC.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hearsay_chain::transaction::MAX_TX_BYTES;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW,
    CONTENT_TYPE, HeaderValue, VARY,
};
use http::{Method, Request, Response, StatusCode};
use hyper::body::{Body, Incoming};
use jsonrpsee::server::http::response::too_large;
use jsonrpsee::server::{
    BatchRequestConfig, HttpBody, PingConfig, Server, ServerConfig, StopHandle, TowerService,
};
use tokio::time::timeout;
use tower::Service;
use tower::layer::util::Identity;

use super::access::Access;
use super::listen::MAX_CONNECTIONS;
use super::methods::Methods;
use crate::api::NodeStatus;
use crate::handle::Handle;
use crate::metrics::{CONTENT_TYPE as METRICS_TYPE, Metrics};

/// The largest request: the largest transaction in hex and what JSON-RPC puts around it. A batch
/// must fit as well.
pub(super) const MAX_REQUEST_BYTES: u32 = 2 * MAX_TX_BYTES as u32 + 2 * 1024;

/// The largest answer: the largest block (4 MiB) as JSON, where hex doubles payloads and each
/// transaction's fields take twice the bytes that they are encoded in.
pub(super) const MAX_RESPONSE_BYTES: u32 = 16 << 20;

/// Calls in one batch; more small transactions than this would not fit a request anyway.
const MAX_BATCH: u32 = 64;

/// Answers that may wait for a WebSocket's reader before the connection is held back.
const WEBSOCKET_QUEUE: u32 = 64;

/// Subscriptions of one WebSocket. There is one thing to subscribe to, so more than one is a mistake
/// or a replacement of the one before.
const MAX_SUBSCRIPTIONS: u32 = 4;

/// A request whose body has not arrived, or whose answer is not ready, by then is given up. Longer
/// than a method's own patience, which gives the better answer; batches share it.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The same in a lab, where probes take as long as the links do, and links may be slow.
pub(super) const LAB_REQUEST_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// How soon the engine must answer to count as healthy.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(1);

type JsonRpc = TowerService<Identity, Identity>;

/// What stands before JSON-RPC. One for each connection, cheap to clone.
#[derive(Clone)]
pub(super) struct Front {
    node: Handle,
    metrics: Arc<Metrics>,
    access: Arc<Access>,
    rpc: JsonRpc,
}

impl Front {
    pub(super) fn new(
        node: Handle,
        metrics: Arc<Metrics>,
        access: Access,
        stop: &StopHandle,
    ) -> Self {
        let config = ServerConfig::builder()
            .max_request_body_size(MAX_REQUEST_BYTES)
            .max_response_body_size(MAX_RESPONSE_BYTES)
            .max_connections(MAX_CONNECTIONS as u32)
            .max_subscriptions_per_connection(MAX_SUBSCRIPTIONS)
            .set_batch_request_config(BatchRequestConfig::Limit(MAX_BATCH))
            .set_message_buffer_capacity(WEBSOCKET_QUEUE)
            .enable_ws_ping(PingConfig::default())
            .build();
        let methods = Methods::new(node.clone(), Arc::clone(&metrics))
            .into_module()
            .expect("no two methods have the same name");
        let rpc =
            Server::builder().set_config(config).to_service_builder().build(methods, stop.clone());
        Self { node, metrics, access: Arc::new(access), rpc }
    }

    /// Answers one request that came in at `local`.
    pub(super) async fn answer(
        self,
        request: Request<Incoming>,
        local: IpAddr,
    ) -> Result<Response<HttpBody>, Infallible> {
        let origin = match self.access.check(&request, local) {
            Ok(origin) => origin,
            Err(denied) => {
                tracing::debug!(%denied, "an RPC request was refused");
                return Ok(text(StatusCode::FORBIDDEN, denied.to_string()));
            }
        };
        let preflight = origin.is_some() && request.method() == Method::OPTIONS;
        let mut response = if preflight { preflight_answer() } else { self.route(request).await };
        if let Some(origin) = origin {
            let headers = response.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
        Ok(response)
    }

    async fn route(self, request: Request<Incoming>) -> Response<HttpBody> {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        match request.uri().path() {
            "/metrics" | "/health" | "/ready" if !reads => {
                let mut response =
                    text(StatusCode::METHOD_NOT_ALLOWED, "only GET is allowed here".to_owned());
                response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
                response
            }
            "/metrics" => with_type(StatusCode::OK, METRICS_TYPE, self.metrics.encode()),
            "/health" => match self.status().await {
                Ok(_) => text(StatusCode::OK, "healthy".to_owned()),
                Err(reason) => text(StatusCode::SERVICE_UNAVAILABLE, reason),
            },
            "/ready" => match self.status().await.and_then(ready) {
                Ok(()) => text(StatusCode::OK, "ready".to_owned()),
                Err(reason) => text(StatusCode::SERVICE_UNAVAILABLE, reason),
            },
            "/" => self.json_rpc(request).await,
            _ => text(
                StatusCode::NOT_FOUND,
                "there are / (JSON-RPC), /metrics, /health and /ready".to_owned(),
            ),
        }
    }

    async fn status(&self) -> Result<NodeStatus, String> {
        // Without a turn of the engine, which may be waiting for the disk.
        if let Some(why) = self.node.halt().why() {
            return Err(why);
        }
        match timeout(HEALTH_TIMEOUT, self.node.status()).await {
            Ok(status) => status.map_err(|stopping| stopping.to_string()),
            Err(_) => Err(format!("the engine has not answered for {HEALTH_TIMEOUT:?}")),
        }
    }

    async fn json_rpc(mut self, request: Request<Incoming>) -> Response<HttpBody> {
        // jsonrpsee answers an oversized body of unannounced length with an internal error, so its
        // length must be announced. Every client that has a whole message to send does so.
        match request.body().size_hint().exact() {
            Some(length) if length > u64::from(MAX_REQUEST_BYTES) => {
                return too_large(MAX_REQUEST_BYTES);
            }
            Some(_) => {}
            None => {
                let says = "a request must announce its length in Content-Length";
                return text(StatusCode::LENGTH_REQUIRED, says.to_owned());
            }
        }
        let limit = if self.node.is_in_lab() { LAB_REQUEST_TIMEOUT } else { REQUEST_TIMEOUT };
        match timeout(limit, self.rpc.call(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                tracing::warn!(%error, "an RPC request failed");
                text(StatusCode::INTERNAL_SERVER_ERROR, "the request failed".to_owned())
            }
            Err(_) => {
                text(StatusCode::REQUEST_TIMEOUT, format!("the request took longer than {limit:?}"))
            }
        }
    }
}

/// Whether a node can be relied on for fresh answers.
fn ready(status: NodeStatus) -> Result<(), String> {
    match status.sync {
        None => Ok(()),
        Some(sync) => Err(format!("catching up: at height {} of {}", status.height, sync.target)),
    }
}

/// Tells a browser what an allowed page may send.
fn preflight_answer() -> Response<HttpBody> {
    let mut response = text(StatusCode::NO_CONTENT, String::new());
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type"));
    response
}

fn text(status: StatusCode, mut says: String) -> Response<HttpBody> {
    if !says.is_empty() {
        says.push('\n');
    }
    with_type(status, "text/plain; charset=utf-8", says)
}

fn with_type(status: StatusCode, kind: &'static str, body: String) -> Response<HttpBody> {
    let mut response = Response::new(HttpBody::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
