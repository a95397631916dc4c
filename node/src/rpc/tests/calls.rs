//! Methods, parameters and errors.

use hearsay_chain::transaction::Transfer;
use hearsay_chain::{Address, BlockId, ChainId, Keypair, Transaction, TxId, UnverifiedTx, codec};
use jsonrpsee::core::client::Error as ClientError;
use jsonrpsee::http_client::HttpClient;
use serde_json::json;

use crate::api::{BlockRef, MemberStats, Refused, Submitted, TxStatus};
use crate::handle::Handle;
use crate::lab::{LabChange, ProbeRequest};
use crate::rpc::fake::{
    Fake, LOCALHOST, Server, account, block, fees, member, member_down, mempool, peer, pooled,
    sender, status,
};
use crate::rpc::{
    Access, BlockSelector, CallError, HexBytes, LabClient, RpcClient, RpcError, ServeError,
    connect, serve,
};

fn client(server: &Server) -> HttpClient {
    connect(&server.url().parse().unwrap()).unwrap()
}

fn transaction() -> Transaction {
    let key = Keypair::from_seed(&[1; 32]);
    let transfer = Transfer {
        chain: ChainId([7; 8]),
        sender: key.public(),
        nonce: 6,
        recipient: Address([2; 32]),
        amount: 5,
        fee: 1,
        expiry: None,
        payload: Vec::new(),
    };
    transfer.sign(&key)
}

fn own(error: ClientError) -> RpcError {
    match CallError::from(error) {
        CallError::Node(error) => error,
        other => panic!("not the node's own error: {other:?}"),
    }
}

#[tokio::test]
async fn every_method_answers_through_the_client() {
    let life = [TxStatus::Queued { waiting_for: 4 }].into();
    let server = Fake { life, ..Fake::default() }.serve().await;
    let client = client(&server);
    let tx = transaction();
    let id = UnverifiedTx::from(tx.clone()).id();
    let submitted = client.tx_submit(HexBytes(codec::encode(&tx)), None).await.unwrap();
    assert_eq!(submitted, Submitted { id, queued: false, known: false, taken_by: None });
    let queued = client.tx_status(TxId([1; 32])).await.unwrap();
    assert_eq!(queued, TxStatus::Queued { waiting_for: 4 });
    let address = Address([3; 32]);
    assert_eq!(client.account_get(address).await.unwrap(), account(address));
    assert_eq!(client.node_status().await.unwrap(), status());
    assert_eq!(client.net_peers().await.unwrap(), [peer()]);
    assert_eq!(client.members_list().await.unwrap(), [member(), member_down()]);
    assert_eq!(client.members_stats().await.unwrap(), MemberStats::default());
    assert_eq!(client.mempool_status().await.unwrap(), mempool());
    assert_eq!(client.mempool_senders(None).await.unwrap(), [sender()]);
    assert_eq!(client.mempool_transactions(None).await.unwrap(), [pooled()]);
    assert_eq!(client.mempool_fees().await.unwrap(), fees());
    assert_eq!(client.tx_estimate_fee(Some(900), None).await.unwrap().blocks[0].fee, 9);
    let tested = client.tx_test(HexBytes(codec::encode(&tx))).await.unwrap();
    assert_eq!((tested.id, tested.accepted), (id, true));
    for (wanted, found) in [
        (BlockRef::Latest, block(BlockId([9; 32]), 20)),
        (BlockRef::Height(4), block(BlockId([9; 32]), 4)),
        (BlockRef::Id(BlockId([6; 32])), block(BlockId([6; 32]), 5)),
    ] {
        assert_eq!(client.block_get(BlockSelector(wanted)).await.unwrap(), found);
    }
    let text = server.metrics.encode();
    assert!(text.contains("hearsay_rpc_calls_total{method=\"block_get\",outcome=\"ok\"} 3"));
}

#[tokio::test]
async fn parameters_may_be_given_by_name_and_a_height_as_a_number() {
    let server = Fake::default().serve().await;
    let estimate = server.call("tx_estimateFee", json!({ "bytes": 700 })).await;
    assert_eq!(estimate.json()["result"]["blocks"][0]["fee"], 7);
    let estimate = server.call("tx_estimateFee", json!([])).await;
    assert_eq!(estimate.json()["result"]["bytes"], 173, "a transaction without payload");
    let filter = json!({ "filter": { "state": "queued", "order": "age", "limit": 5 } });
    let listed = server.call("mempool_transactions", filter).await;
    assert_eq!(listed.json()["result"][0]["state"], "queued");
    let found = server.call("block_get", json!({ "block": 4 })).await;
    assert_eq!(found.json()["result"]["height"], 4);
}

#[tokio::test]
async fn a_block_that_is_not_there_is_not_found() {
    let server = Fake::default().serve().await;
    let missing = client(&server).block_get(BlockSelector(BlockRef::Height(21))).await;
    assert_eq!(
        own(missing.unwrap_err()),
        RpcError::NotFound("this node has no block 21".to_owned())
    );
}

#[tokio::test]
async fn a_refusal_reaches_the_client_with_its_reason() {
    for invalid in [true, false] {
        let refused =
            Refused { invalid, reason: "some-reason".to_owned(), message: "a sentence".to_owned() };
        let server = Fake { refuses: Some(refused.clone()), ..Fake::default() }.serve().await;
        let error = client(&server).tx_submit(HexBytes(codec::encode(&transaction())), None).await;
        assert_eq!(own(error.unwrap_err()), RpcError::from(refused));
    }
}

#[tokio::test]
async fn bytes_that_are_no_transaction_are_rejected() {
    let server = Fake::default().serve().await;
    let error = own(client(&server).tx_submit(HexBytes(vec![1, 2, 3]), None).await.unwrap_err());
    assert_eq!((error.code(), error.reason()), (1001, "malformed"));
    let mut trailing = codec::encode(&transaction());
    trailing.push(0);
    assert_eq!(
        own(client(&server).tx_submit(HexBytes(trailing), None).await.unwrap_err()).code(),
        1001
    );
}

#[tokio::test]
async fn parameters_of_the_wrong_form_are_invalid_params() {
    let server = Fake::default().serve().await;
    for (method, params) in [
        ("tx_submit", json!([])),
        ("tx_submit", json!(["xyz"])),
        ("tx_submit", json!([7])),
        ("tx_status", json!(["00"])),
        ("account_get", json!(["hs1nonsense"])),
        ("tx_test", json!(["xyz"])),
        ("mempool_transactions", json!([{ "stat": "ready" }])),
        ("mempool_transactions", json!([{ "state": "included" }])),
        ("mempool_senders", json!([{ "order": "fee" }])),
        ("block_get", json!([-1])),
        ("block_get", json!(["newest"])),
    ] {
        let refused = server.call(method, params.clone()).await;
        assert_eq!(refused.error_code(), -32602, "{method} {params}");
    }
}

#[tokio::test]
async fn an_unknown_method_is_not_found_by_json_rpc() {
    let server = Fake::default().serve().await;
    assert_eq!(server.call("node_stop", json!([])).await.error_code(), -32601);
}

#[tokio::test]
async fn a_node_that_has_stopped_says_so() {
    let (handle, requests) = Handle::new();
    drop(requests);
    let (addr, _server) =
        serve(LOCALHOST, handle, Default::default(), Access::default()).await.unwrap();
    let client = connect(&addr.to_string().parse().unwrap()).unwrap();
    assert_eq!(own(client.node_status().await.unwrap_err()), RpcError::Stopping);
}

#[tokio::test]
async fn a_port_in_use_is_told_with_the_way_out() {
    let server = Fake::default().serve().await;
    let (handle, _requests) = Handle::new();
    let error =
        serve(server.addr, handle, Default::default(), Access::default()).await.unwrap_err();
    assert!(matches!(error, ServeError::InUse(addr) if addr == server.addr));
    assert!(error.to_string().contains("--rpc"), "{error}");
}

#[tokio::test]
async fn a_stopped_server_closes_its_port_and_can_be_waited_for() {
    let server = Fake::default().serve().await;
    let client = client(&server);
    client.node_status().await.unwrap();
    server.handle.stop().unwrap();
    server.handle.clone().stopped().await;
    let gone = CallError::from(client.node_status().await.unwrap_err());
    assert!(matches!(gone, CallError::Unreachable(_)), "{gone:?}");
}

#[tokio::test]
async fn what_is_no_node_is_told_from_a_node_that_is_away() {
    let listener = tokio::net::TcpListener::bind(LOCALHOST).await.unwrap();
    let url = listener.local_addr().unwrap().to_string().parse().unwrap();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut [0; 4_096]).await;
        let page = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
        socket.write_all(page.as_bytes()).await.unwrap();
    });
    let error = CallError::from(connect(&url).unwrap().node_status().await.unwrap_err());
    assert!(matches!(&error, CallError::Protocol(says) if says.contains("Hearsay")), "{error:?}");
}

#[tokio::test]
async fn the_methods_of_the_lab_exist_in_the_lab_alone() {
    let requests = [
        ("lab_set", json!([{ "skew_ms": 5 }])),
        (
            "lab_probe",
            json!([{ "peer": hearsay_network::peer_id(&[1; 32]).to_string(), "rounds": 2 }]),
        ),
    ];
    let server = Fake::default().serve().await;
    for (method, params) in &requests {
        assert_eq!(server.call(method, params.clone()).await.error_code(), -32601, "{method}");
    }
    let server = Fake { in_lab: true, ..Fake::default() }.serve().await;
    for ((method, params), result) in
        requests.into_iter().zip([json!(null), json!({ "rtt_us": [0, 1], "bytes_per_s": null })])
    {
        assert_eq!(server.call(method, params).await.json()["result"], result);
    }
    let change = json!([{ "default": { "loss": 2.0 } }]);
    let refused = server.call("lab_set", change).await.json();
    assert_eq!(refused["error"]["data"]["reason"], "out-of-range");
    assert_eq!(server.call("lab_set", json!([{ "skew": 5 }])).await.error_code(), -32602);
    let client = client(&server);
    client.lab_set(LabChange::default()).await.unwrap();
    let probe = ProbeRequest { peer: "nobody".to_owned(), rounds: 1, bytes: 0 };
    assert_eq!(own(client.lab_probe(probe).await.unwrap_err()).reason(), "out-of-range");
}

#[tokio::test]
async fn a_transaction_may_be_meant_for_another_member() {
    let server = Fake::default().serve().await;
    let hex = HexBytes(codec::encode(&transaction()));
    for (via, taken_by) in [(None, None), (Some("here"), None), (Some("n7"), Some("n7"))] {
        let via = via.map(str::to_owned);
        let submitted = client(&server).tx_submit(hex.clone(), via).await.unwrap();
        assert_eq!(submitted.taken_by.as_deref(), taken_by);
    }
}
