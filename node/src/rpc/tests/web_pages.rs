//! Requests as a browser sends them for a page.

use serde_json::json;

use crate::rpc::Access;
use crate::rpc::fake::{Fake, Server};

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"node_status"}"#;
const JSON: (&str, &str) = ("content-type", "application/json");
const LOCAL: (&str, &str) = ("host", "localhost");
const WALLET: (&str, &str) = ("origin", "https://wallet.example");

async fn with_wallet() -> Server {
    let access = Access::new(&[], &["https://wallet.example".to_owned()]).unwrap();
    Fake::default().serve_with(access).await
}

#[tokio::test]
async fn a_page_of_another_origin_reaches_nothing() {
    let server = Fake::default().serve().await;
    let evil = ("origin", "https://evil.example");
    for line in ["POST /", "GET /metrics", "GET /health", "OPTIONS /"] {
        let refused = server.send(line, &[LOCAL, JSON, evil], CALL).await;
        assert_eq!(refused.status, 403, "{line}");
        assert!(!refused.head.contains("access-control-"), "{refused:?}");
    }
    assert_eq!(server.upgrade(&[LOCAL, evil]).await.0, 403);
}

#[tokio::test]
async fn a_page_of_this_machine_is_a_page_too() {
    let server = Fake::default().serve().await;
    for origin in ["http://localhost:3000", "null"] {
        let refused = server.send("POST /", &[LOCAL, JSON, ("origin", origin)], CALL).await;
        assert_eq!(refused.status, 403, "{origin}");
    }
}

#[tokio::test]
async fn a_name_rebound_to_this_machine_reaches_nothing() {
    let server = Fake::default().serve().await;
    // Of its own server a page reads without an `Origin`; what gives it away is the name.
    let rebound = ("host", "evil.example:7780");
    for line in ["GET /metrics", "GET /ready", "POST /"] {
        assert_eq!(server.send(line, &[rebound, JSON], CALL).await.status, 403, "{line}");
    }
    assert_eq!(server.upgrade(&[rebound]).await.0, 403);
    let line = "POST http://evil.example/";
    assert_eq!(server.send(line, &[LOCAL, JSON], CALL).await.status, 403);
}

#[tokio::test]
async fn programs_of_this_machine_are_answered_under_each_of_its_names() {
    let server = Fake::default().serve().await;
    for host in ["localhost", "127.0.0.1:7780", "[::1]"] {
        let answer = server.send("POST /", &[("host", host), JSON], CALL).await;
        assert_eq!(answer.json()["result"]["name"], "n0", "{host}");
    }
}

#[tokio::test]
async fn an_allowed_page_is_answered_and_the_browser_is_told_so() {
    let server = with_wallet().await;
    let preflight = server.send("OPTIONS /", &[LOCAL, WALLET], "").await;
    assert_eq!(preflight.status, 204);
    assert!(preflight.head.contains("access-control-allow-headers: content-type"));
    let answer = server.send("POST /", &[LOCAL, WALLET, JSON], CALL).await;
    assert_eq!(answer.json()["result"]["name"], "n0");
    for response in [preflight, answer] {
        let head = response.head;
        assert!(head.contains("access-control-allow-origin: https://wallet.example"), "{head}");
    }
}

#[tokio::test]
async fn a_configured_host_name_is_answered() {
    let access = Access::new(&["node.example".to_owned()], &[]).unwrap();
    let server = Fake::default().serve_with(access).await;
    assert_eq!(server.send("GET /health", &[("host", "node.example")], "").await.status, 200);
    assert_eq!(server.send("GET /health", &[("host", "evil.example")], "").await.status, 403);
}

#[tokio::test]
async fn a_websocket_of_an_allowed_page_carries_calls() {
    let server = with_wallet().await;
    let (status, mut socket) = server.upgrade(&[LOCAL, WALLET]).await;
    assert_eq!(status, 101);
    socket.send(CALL).await;
    let answer = socket.receive().await;
    assert_eq!((&answer["id"], &answer["result"]["height"]), (&json!(1), &json!(20)));
}
