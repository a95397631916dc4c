//! Bounds on size and number, and what is no JSON-RPC.

use std::sync::Arc;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::rpc::fake::Fake;
use crate::rpc::front::MAX_REQUEST_BYTES;
use crate::rpc::listen::MAX_CONNECTIONS;
use crate::rpc::methods::{MAX_CALLS, PATIENCE};

#[tokio::test]
async fn what_is_no_json_is_a_parse_error() {
    let server = Fake::default().serve().await;
    for body in ["{", "hello", "[1,"] {
        assert_eq!(server.post(body).await.error_code(), -32700, "{body}");
    }
}

#[tokio::test]
async fn json_that_is_no_request_is_an_invalid_request() {
    let server = Fake::default().serve().await;
    assert_eq!(server.post("{\"jsonrpc\":\"2.0\",\"id\":1}").await.error_code(), -32600);
}

#[tokio::test]
async fn only_json_is_taken() {
    let server = Fake::default().serve().await;
    // A page may send this type without asking first, so it must not be a way in.
    let headers = [("host", "localhost"), ("content-type", "text/plain")];
    assert_eq!(server.send("POST /", &headers, "{}").await.status, 415);
}

#[tokio::test]
async fn a_request_of_the_greatest_size_is_read_and_a_greater_one_is_not() {
    let server = Fake::default().serve().await;
    let most = MAX_REQUEST_BYTES as usize;
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"node_status"}"#;
    let fits = server.post(&format!("{call:most$}")).await;
    assert_eq!(fits.json()["result"]["height"], 20);
    let large = server.post(&format!("{call:0$}", most + 1)).await;
    assert_eq!((large.status, large.error_code()), (413, -32007));
}

#[tokio::test]
async fn the_largest_transaction_fits_a_request() {
    let server = Fake::default().serve().await;
    let hex = "00".repeat(hearsay_chain::transaction::MAX_TX_BYTES);
    // It is read as a transaction, which it is not; an oversized request would be -32007.
    assert_eq!(server.call("tx_submit", json!({ "transaction": hex })).await.error_code(), 1001);
}

#[tokio::test]
async fn a_body_of_unannounced_length_is_refused() {
    let server = Fake::default().serve().await;
    let request = "POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                   content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n\
                   2\r\n{}\r\n0\r\n\r\n";
    assert_eq!(server.raw(request.as_bytes()).await.status, 411);
}

#[tokio::test]
async fn a_batch_is_answered_call_by_call_up_to_its_bound() {
    let server = Fake::default().serve().await;
    let call = |id| json!({ "jsonrpc": "2.0", "id": id, "method": "mempool_status" });
    let batch = |size: u64| json!((0..size).map(call).collect::<Vec<_>>()).to_string();
    let answers = server.post(&batch(64)).await.json();
    assert_eq!(answers.as_array().unwrap().len(), 64);
    assert!(answers.as_array().unwrap().iter().all(|answer| answer["result"]["count"] == 2));
    assert_eq!(server.post(&batch(65)).await.error_code(), -32010);
}

#[tokio::test]
async fn at_the_bound_a_connection_waits_until_another_one_ends() {
    let server = Arc::new(Fake::default().serve().await);
    let mut served = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        served.push(TcpStream::connect(server.addr).await.unwrap());
    }
    let asker = tokio::spawn({
        let server = Arc::clone(&server);
        async move { server.get("/health").await.status }
    });
    // While one of those inside is answered over and over, the one outside is not answered once.
    for _ in 0..100 {
        let inside = served.last_mut().unwrap();
        inside.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"healthy\n") {
            answer.push(inside.read_u8().await.unwrap());
        }
    }
    assert!(!asker.is_finished());
    served.pop();
    assert_eq!(asker.await.unwrap(), 200);
}

#[tokio::test]
async fn calls_beyond_the_bound_are_told_that_the_node_is_busy() {
    let server = Fake { stuck: true, ..Fake::default() }.serve().await;
    let (_, mut socket) = server.upgrade(&[("host", "localhost")]).await;
    for id in 0..=MAX_CALLS {
        let call = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"node_status"}}"#);
        socket.send(&call).await;
    }
    // The engine answers none, so what comes before the calls are given up is the refusal of the
    // one too many.
    let refusal = timeout(PATIENCE / 2, socket.receive()).await.unwrap();
    assert_eq!(refusal["error"]["code"], 1005);
}
