//! `/metrics`, `/health`, `/ready`, and what else a request line may say.

use crate::rpc::fake::Fake;

#[tokio::test]
async fn metrics_are_served_as_openmetrics_text() {
    let server = Fake::default().serve().await;
    server.metrics.heights(20, 17);
    let response = server.get("/metrics").await;
    assert_eq!(response.status, 200);
    assert!(response.head.contains("content-type: application/openmetrics-text"), "{response:?}");
    assert!(response.body.contains("hearsay_height 20\n"), "{response:?}");
}

#[tokio::test]
async fn a_node_that_answers_is_healthy_and_ready() {
    let server = Fake::default().serve().await;
    for path in ["/health", "/ready"] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_stuck_engine_is_neither_healthy_nor_ready() {
    let server = Fake { stuck: true, ..Fake::default() }.serve().await;
    for path in ["/health", "/ready"] {
        let response = server.get(path).await;
        assert_eq!(response.status, 503, "{path}");
        assert_eq!(response.body, "the engine has not answered for 1s\n");
    }
    assert_eq!(server.get("/metrics").await.status, 200, "metrics need no engine");
}

#[tokio::test]
async fn a_node_that_catches_up_is_healthy_but_not_ready() {
    let server = Fake { behind: Some(40), ..Fake::default() }.serve().await;
    assert_eq!(server.get("/health").await.status, 200);
    let response = server.get("/ready").await;
    assert_eq!(response.status, 503);
    assert_eq!(response.body, "catching up: at height 20 of 40\n");
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let server = Fake::default().serve().await;
    let local = [("host", "localhost")];
    assert_eq!(server.get("/admin").await.status, 404);
    assert_eq!(server.get("/").await.status, 405);
    assert_eq!(server.send("POST /metrics", &local, "x").await.status, 405);
    assert_eq!(server.send("OPTIONS /", &local, "").await.status, 405);
}
