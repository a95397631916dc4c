//! The subscription to the news of members.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::api::MemberNews;
use crate::handle::NEWS_QUEUE;
use crate::rpc::fake::wire::WebSocket;
use crate::rpc::fake::{Fake, Server, member, member_down};
use crate::trace::event::MemberChange;

const SUBSCRIBE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"members_subscribe","params":[]}"#;

async fn subscribed(server: &Server) -> WebSocket {
    let (status, mut socket) = server.upgrade(&[("host", "localhost")]).await;
    assert_eq!(status, 101);
    socket.send(SUBSCRIBE).await;
    let answer = socket.receive().await;
    assert!(answer["result"].is_number() || answer["result"].is_string(), "{answer}");
    socket
}

fn news(change: MemberChange) -> Arc<MemberNews> {
    Arc::new(MemberNews { change, mistaken: None, member: member_down() })
}

async fn receive(socket: &mut WebSocket) -> Value {
    tokio::time::timeout(Duration::from_secs(30), socket.receive()).await.expect("an answer")
}

#[tokio::test]
async fn each_change_is_told_to_whoever_follows() {
    let server = Fake::default().serve().await;
    let mut socket = subscribed(&server).await;
    server.node.news_desk().send(news(MemberChange::Suspected)).unwrap();
    server.node.news_desk().send(news(MemberChange::Down)).unwrap();
    for change in ["suspected", "down"] {
        let told = receive(&mut socket).await;
        assert_eq!(told["method"], "members_news");
        let result = &told["params"]["result"];
        assert_eq!(
            (&result["change"], &result["member"]["state"]),
            (&change.into(), &"down".into())
        );
    }
    assert_ne!(member().peer, member_down().peer);
}

#[tokio::test]
async fn whoever_does_not_keep_up_is_told_so_and_told_no_more() {
    let server = Fake::default().serve().await;
    let mut socket = subscribed(&server).await;
    // More than anybody keeps for it, before it can take any: this test's runtime has one thread.
    for _ in 0..=NEWS_QUEUE {
        server.node.news_desk().send(news(MemberChange::Updated)).unwrap();
    }
    let told = receive(&mut socket).await;
    let error = told["params"]["error"].as_str().expect("an error instead of news");
    assert!(error.contains("subscribe again"), "{error}");
    assert!(server.node.news_desk().send(news(MemberChange::Updated)).is_err(), "nobody follows");
}
