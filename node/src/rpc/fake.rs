//! For tests: a node that answers every question at once, or never.

mod pool;
pub(crate) mod wire;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hearsay_chain::{Address, BlockId, GenesisId, Keypair};
use jsonrpsee::server::ServerHandle;
use tokio::sync::mpsc::Receiver;

use crate::api::{
    AccountView, Answer, BanView, BlockRef, BlockView, MemberInfo, MemberLoad, MemberRole,
    MemberSlot, MemberStats, NodeStatus, PeerInfo, PeerRoute, Query, Refused, ScoreView, Submitted,
    SyncStatus, Taker, TxStatus, WaitingTx,
};
use crate::clock::Clock;
use crate::handle::{Handle, Request};
use crate::lab::{LabDesk, LabSettings};
use crate::metrics::Metrics;
use crate::rpc::{Access, serve};
use crate::trace::event::{MemberCause, MemberState};

pub(crate) use self::pool::{fees, mempool, pooled, sender};

pub(crate) const LOCALHOST: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

pub(crate) fn status() -> NodeStatus {
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
        first_body: 1,
        peers: 3,
        mempool: mempool(),
        sync: None,
        verdicts: Default::default(),
        lag_p99_us: None,
    }
}

pub(crate) fn account(address: Address) -> AccountView {
    AccountView { address, balance: u64::MAX, nonce: 4, next_nonce: 6, height: 20 }
}

pub(crate) fn peer() -> PeerInfo {
    PeerInfo {
        peer: "12D4".to_owned(),
        address: "/ip4/127.0.0.1/tcp/7701".to_owned(),
        outbound: true,
        rtt_ms: Some(0.5),
        agent: None,
        route: PeerRoute::Gossipsub,
        mesh_tx: true,
        mesh_block: false,
        first_copies: 10,
        duplicates: 4,
        payload_bytes: 3_000,
        eager: 13,
        eager_bytes: 2_800,
        lazy: 1,
        lazy_bytes: 200,
        control_received: 500,
        control_sent: 1_700,
        sent_copies: 20,
        sent_bytes: 4_000,
    }
}

pub(crate) fn member() -> MemberInfo {
    MemberInfo {
        name: "n0".to_owned(),
        peer: "12D3KooWSerLvUJmQQBn9Mv5Kkm1BJv78BMvFtst6LLnYERTEypN".to_owned(),
        role: MemberRole::Authority,
        version: "0.1.0".to_owned(),
        addresses: vec!["/ip4/127.0.0.1/tcp/7700".to_owned()],
        state: MemberState::Alive,
        cause: None,
        since_ms: 61_000,
        generation: 1_700_000_000_000,
        incarnation: 1,
        load: Some(MemberLoad {
            pool_bytes: 3 << 20,
            tx_per_s: 250,
            queue: 3,
            busy: 0.25,
            height: 20,
            age_ms: 400,
        }),
        rtt_ms: None,
        neighbour: false,
        slot: None,
        own: true,
    }
}

pub(crate) fn member_down() -> MemberInfo {
    MemberInfo {
        name: "a-node-with-a-name-of-length".to_owned(),
        peer: "12D3KooWGuest".to_owned(),
        role: MemberRole::Relay,
        state: MemberState::Down,
        cause: Some(MemberCause::Probe),
        since_ms: 3_725_000,
        load: None,
        rtt_ms: Some(81.25),
        slot: Some(MemberSlot::Far),
        own: false,
        ..member()
    }
}

pub(crate) fn score() -> ScoreView {
    ScoreView {
        peer: "12D5".to_owned(),
        points: 50.0,
        offences: 10,
        last: Some("malformed".to_owned()),
        ban: Some(BanView { left_s: 90, reason: "malformed".to_owned() }),
    }
}

pub(crate) fn block(id: BlockId, height: u64) -> BlockView {
    BlockView {
        id,
        height,
        slot: height + 2,
        slot_start_ms: 1_700_000_000_000,
        parent: BlockId([8; 32]),
        proposer: Keypair::from_seed(&[1; 32]).public(),
        tx_root: "00".repeat(32),
        size: 300,
        pruned: false,
        main: true,
        is_final: false,
        transactions: Vec::new(),
    }
}

/// What the node does with what it is asked.
#[derive(Clone, Default)]
pub(crate) struct Fake {
    /// Takes requests and answers none.
    pub(crate) stuck: bool,
    /// Says that it is catching up to this height.
    pub(crate) behind: Option<u64>,
    /// Does not take transactions, for this reason.
    pub(crate) refuses: Option<Refused>,
    /// So many submissions come while it is busy.
    pub(crate) busy: usize,
    /// Is in the lab.
    pub(crate) in_lab: bool,
    /// What its pool holds.
    pub(crate) waiting: Vec<WaitingTx>,
    /// The states of every transaction: one for each question, the last one for ever.
    pub(crate) life: VecDeque<TxStatus>,
    /// So many questions about transactions come while it reads its pool back.
    pub(crate) restoring: usize,
}

impl Fake {
    fn answer(&mut self, request: Request) {
        // An asker that has given up is no fault of the node's.
        match request {
            Request::Submit { reply, .. } if self.busy > 0 => {
                self.busy -= 1;
                let (reason, message) = ("busy".to_owned(), "try again".to_owned());
                let _ = reply.send(Err(Refused { invalid: false, reason, message }));
            }
            Request::Submit { tx, via, reply } => {
                let taken_by = match via {
                    None | Some(Taker::Here) => None,
                    Some(Taker::Auto) => Some("n1".to_owned()),
                    Some(Taker::Member(name)) => Some(name),
                };
                let id = tx.id();
                let taken = Submitted { id, queued: false, known: false, taken_by };
                let _ = reply.send(self.refuses.clone().map_or(Ok(taken), Err));
            }
            Request::Probe { rounds, reply, .. } => {
                let rtt_us = (0..u64::from(rounds)).collect();
                let _ = reply.send(Ok(hearsay_network::Probed { rtt_us, bytes_per_s: None }));
            }
            Request::Peers { reply } => drop(reply.send(vec![peer()])),
            Request::Members { reply } => {
                drop(reply.send((vec![member(), member_down()], MemberStats::default())));
            }
            Request::Ask { query, reply } => drop(reply.send(self.look_up(query))),
        }
    }

    fn look_up(&mut self, query: Query) -> Answer {
        match query {
            Query::Status => {
                let sync = self.behind.map(|target| SyncStatus {
                    target,
                    headers: target,
                    height: 0,
                    per_second: 0.0,
                    left_s: None,
                    peer: None,
                });
                Answer::Status(Box::new(NodeStatus { sync, ..status() }))
            }
            Query::Mempool => Answer::Mempool(mempool()),
            Query::Senders(_) => Answer::Senders(vec![pool::sender()]),
            Query::Transactions(_) => Answer::Transactions(vec![pool::pooled()]),
            Query::Export => Answer::Export(GenesisId([7; 32]), self.waiting.clone()),
            Query::Fees => Answer::Fees(pool::fees()),
            Query::Estimate { bytes, .. } => Answer::Estimate(pool::estimate(bytes)),
            Query::Test(tx) => Answer::Test(pool::tested(&tx, self.refuses.as_ref())),
            Query::Account(address) => Answer::Account(account(address)),
            Query::Block(BlockRef::Latest) => {
                Answer::Block(Some(Box::new(block(BlockId([9; 32]), 20))))
            }
            Query::Block(BlockRef::Height(height)) => {
                Answer::Block((height <= 20).then(|| Box::new(block(BlockId([9; 32]), height))))
            }
            Query::Block(BlockRef::Id(id)) => Answer::Block(Some(Box::new(block(id, 5)))),
            Query::Scores => Answer::Scores(vec![score()]),
            Query::Ban { .. } | Query::Unban { .. } => Answer::Done(true),
            Query::Evidence { .. } => Answer::Evidence(Vec::new()),
            Query::Tx(_) if self.restoring > 0 => {
                self.restoring -= 1;
                Answer::Restoring
            }
            Query::Tx(_) if self.life.len() > 1 => {
                Answer::Tx(self.life.pop_front().unwrap_or(TxStatus::Unknown))
            }
            Query::Tx(_) => Answer::Tx(self.life.front().cloned().unwrap_or(TxStatus::Unknown)),
        }
    }

    pub(crate) async fn serve(self) -> Server {
        self.serve_with(Access::default()).await
    }

    pub(crate) async fn serve_with(self, access: Access) -> Server {
        let lab = LabSettings::default();
        let lab = self.in_lab.then(|| LabDesk::new(&lab, &Clock::start()).unwrap());
        let (handle, requests) = Handle::in_lab(lab);
        tokio::spawn(self.run(requests));
        let (metrics, node) = (Arc::new(Metrics::new()), handle.clone());
        let (addr, handle) = serve(LOCALHOST, handle, Arc::clone(&metrics), access).await.unwrap();
        Server { addr, handle, metrics, node }
    }

    async fn run(mut self, mut requests: Receiver<Request>) {
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
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    pub(crate) handle: ServerHandle,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) node: Handle,
}
