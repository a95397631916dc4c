//! A node that answers every question at once, or never, and the means to ask it.

use std::net::SocketAddr;
use std::sync::Arc;

use hearsay_chain::{Address, BlockId, GenesisId, Keypair, TxId};
use jsonrpsee::server::ServerHandle;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::Receiver;

use crate::api::{
    AccountView, Answer, BlockRef, BlockView, MempoolStatus, NodeStatus, PeerInfo, Query, Refused,
    Submitted, SyncStatus, TxStatus,
};
use crate::handle::{Handle, Request};
use crate::metrics::Metrics;
use crate::rpc::{Access, serve};

pub(super) const LOCALHOST: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

pub(super) fn status() -> NodeStatus {
    NodeStatus {
        name: "n0".to_owned(),
        peer: "12D3".to_owned(),
        version: "0.1.0".to_owned(),
        network: "test".to_owned(),
        genesis: GenesisId([7; 32]),
        listen: vec!["/ip4/127.0.0.1/tcp/7700".to_owned()],
        authority: Some(Keypair::from_seed(&[1; 32]).public()),
        uptime_ms: 61_000,
        slot: 30,
        slot_ms: 1_000,
        tip: BlockId([9; 32]),
        height: 20,
        final_height: 17,
        peers: 3,
        mempool: mempool(),
        sync: None,
        verdicts: Default::default(),
    }
}

pub(super) fn mempool() -> MempoolStatus {
    MempoolStatus { count: 2, ready: 1, queued: 1, bytes: 500, ..MempoolStatus::default() }
}

pub(super) fn account(address: Address) -> AccountView {
    AccountView { address, balance: u64::MAX, nonce: 4, next_nonce: 6, height: 20 }
}

pub(super) fn peer() -> PeerInfo {
    PeerInfo {
        peer: "12D4".to_owned(),
        address: "/ip4/127.0.0.1/tcp/7701".to_owned(),
        outbound: true,
        rtt_ms: Some(0.5),
        agent: None,
        mesh_tx: true,
        mesh_block: false,
        first_copies: 10,
        duplicates: 4,
        payload_bytes: 3_000,
    }
}

pub(super) fn block(id: BlockId, height: u64) -> BlockView {
    BlockView {
        id,
        height,
        slot: height + 2,
        slot_start_ms: 1_700_000_000_000,
        parent: BlockId([8; 32]),
        proposer: Keypair::from_seed(&[1; 32]).public(),
        tx_root: "00".repeat(32),
        size: 300,
        main: true,
        is_final: false,
        transactions: Vec::new(),
    }
}

/// What the node does with what it is asked.
#[derive(Clone, Default)]
pub(super) struct Fake {
    /// Takes requests and answers none.
    pub(super) stuck: bool,
    /// Says that it is catching up to this height.
    pub(super) behind: Option<u64>,
    /// Does not take transactions, for this reason.
    pub(super) refuses: Option<Refused>,
}

impl Fake {
    fn answer(&self, request: Request) {
        // An asker that has given up is no fault of the node's.
        match request {
            Request::Submit { tx, reply } => {
                let taken = Submitted { id: tx.id(), queued: false };
                let _ = reply.send(self.refuses.clone().map_or(Ok(taken), Err));
            }
            Request::Peers { reply } => drop(reply.send(vec![peer()])),
            Request::Ask { query, reply } => drop(reply.send(self.look_up(query))),
        }
    }

    fn look_up(&self, query: Query) -> Answer {
        match query {
            Query::Status => {
                let sync = self.behind.map(|target| SyncStatus { target, peer: None });
                Answer::Status(Box::new(NodeStatus { sync, ..status() }))
            }
            Query::Mempool => Answer::Mempool(mempool()),
            Query::Account(address) => Answer::Account(account(address)),
            Query::Block(BlockRef::Latest) => {
                Answer::Block(Some(Box::new(block(BlockId([9; 32]), 20))))
            }
            Query::Block(BlockRef::Height(height)) => Answer::Block(
                (height <= 20).then(|| Box::new(block(BlockId([9; 32]), height))),
            ),
            Query::Block(BlockRef::Id(id)) => Answer::Block(Some(Box::new(block(id, 5)))),
            Query::Tx(TxId([1, ..])) => Answer::Tx(TxStatus::Queued { waiting_for: 4 }),
            Query::Tx(_) => Answer::Tx(TxStatus::Unknown),
        }
    }

    pub(super) async fn serve(self) -> Server {
        self.serve_with(Access::default()).await
    }

    pub(super) async fn serve_with(self, access: Access) -> Server {
        let (handle, requests) = Handle::new();
        tokio::spawn(self.run(requests));
        let metrics = Arc::new(Metrics::new());
        let (addr, handle) = serve(LOCALHOST, handle, Arc::clone(&metrics), access).await.unwrap();
        Server { addr, handle, metrics }
    }

    async fn run(self, mut requests: Receiver<Request>) {
        let mut unanswered = Vec::new();
        while let Some(request) = requests.recv().await {
            if self.stuck {
                unanswered.push(request);
            } else {
                self.answer(request);
            }
        }
    }
}

/// A served RPC; it ends when this is dropped.
pub(super) struct Server {
    pub(super) addr: SocketAddr,
    pub(super) handle: ServerHandle,
    pub(super) metrics: Arc<Metrics>,
}

/// A response as it stands on the wire.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Response {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(super) fn error_code(&self) -> i64 {
        self.json()["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error: {self:?}"))
    }
}

impl Server {
    pub(super) fn url(&self) -> String {
        self.addr.to_string()
    }

    /// Sends a request as it is, and reads until the server closes.
    pub(super) async fn raw(&self, request: &[u8]) -> Response {
        let mut socket = TcpStream::connect(self.addr).await.unwrap();
        // The server may refuse, and close, before it has read everything.
        let _ = socket.write_all(request).await;
        let mut bytes = Vec::new();
        let _ = socket.read_to_end(&mut bytes).await;
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no response: {text:?}"));
        Response { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    /// Sends a request line such as `GET /` with these headers.
    pub(super) async fn send(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let mut text = format!("{line} HTTP/1.1\r\nconnection: close\r\n");
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            text += &format!("content-length: {}\r\n", body.len());
        }
        self.raw(format!("{text}\r\n{body}").as_bytes()).await
    }

    pub(super) async fn get(&self, path: &str) -> Response {
        self.send(&format!("GET {path}"), &[("host", "localhost")], "").await
    }

    /// Posts a body as a JSON-RPC client does.
    pub(super) async fn post(&self, body: &str) -> Response {
        let headers = [("host", "localhost"), ("content-type", "application/json")];
        self.send("POST /", &headers, body).await
    }

    /// Calls a method, whatever its parameters.
    pub(super) async fn call(&self, method: &str, params: Value) -> Response {
        let request = serde_json::json!({
            "jsonrpc": "2.0", "id": 1, "method": method, "params": params
        });
        self.post(&request.to_string()).await
    }
}
