//! `hearsay mempool export` and `import`, against a node that answers at once.

use std::fs;
use std::path::Path;

use hearsay_chain::transaction::Transfer;
use hearsay_chain::{Address, ChainId, Keypair, UnverifiedTx, VerifiedTx};
use tokio::runtime::Runtime;

use super::super::tests::{Ran, run};
use crate::api::{Refused, TxStatus, WaitingTx};
use crate::rpc::fake::{Fake, Server};

fn waiting(nonce: u64) -> WaitingTx {
    let key = Keypair::from_seed(&[1; 32]);
    let transfer = Transfer {
        chain: ChainId([7; 8]),
        sender: key.public(),
        nonce,
        recipient: Address([1; 32]),
        amount: 1,
        fee: 1,
        expiry: None,
        payload: vec![9; 10_000],
    };
    let tx = VerifiedTx::from_own_store(UnverifiedTx::from(transfer.sign(&key)));
    WaitingTx { tx, arrived_us: nonce, local: nonce == 3 }
}

struct Node {
    server: Server,
    _runtime: Runtime,
}

impl Node {
    fn with(fake: Fake) -> Self {
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(fake.serve());
        Self { server, _runtime: runtime }
    }

    fn run(&self, words: &[&str]) -> Ran {
        let url = self.server.url();
        let words: Vec<&str> = ["mempool"].iter().chain(words).copied().collect();
        run(&words.into_iter().chain(["--node", &url]).collect::<Vec<_>>())
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_watch_waits_while_the_node_reads_its_pool_back() {
    let life = [TxStatus::Ready].into();
    let node = Node::with(Fake { life, restoring: 2, ..Fake::default() });
    let (url, id) = (node.server.url(), "ab".repeat(32));
    let watched = run(&["tx", "watch", &id, "--timeout", "2s", "--node", &url]);
    assert_eq!(watched.code(), 5, "{}", watched.says());
    assert!(watched.says().contains(" is ready; "), "{}", watched.says());
}

#[test]
fn what_one_node_exports_another_imports() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("waiting.jsonl");
    // More than a page.
    let node =
        Node::with(Fake { waiting: (0..300).rev().map(waiting).collect(), ..Fake::default() });
    assert_eq!(node.run(&["export", text(&file)]).code(), 0);
    let exported = fs::read_to_string(&file).unwrap();
    assert_eq!(exported.lines().count(), 301);
    let header = format!(
        "{{\"hearsay\":\"mempool\",\"schema\":1,\"genesis\":\"{}\",\"transactions\":300}}",
        "07".repeat(32)
    );
    assert_eq!(exported.lines().next().unwrap(), header);
    assert!(exported.lines().nth(4).unwrap().ends_with("\"arrived_us\":3,\"local\":true}"));
    assert_eq!(node.run(&["export", "-"]).out, exported);
    let again = node.run(&["export", text(&file)]);
    assert!(again.code() == 1 && again.says().contains("--force"), "{}", again.says());
    assert_eq!(node.run(&["export", text(&file), "--force"]).code(), 0);
    let imported = node.run(&["import", text(&file), "--json"]).json();
    assert_eq!(imported, serde_json::json!({ "taken": 300, "known": 0, "refused": {} }));
}

#[test]
fn an_export_that_fails_leaves_the_earlier_one_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("waiting.jsonl");
    fs::write(&file, "an earlier one").unwrap();
    let node = Node::with(Fake { waiting: vec![waiting(0)], ..Fake::default() });
    // Nothing can be written where the new one is to be written first.
    let beside = directory.path().join("waiting.jsonl.part");
    fs::create_dir(&beside).unwrap();
    assert_eq!(node.run(&["export", text(&file), "--force"]).code(), 1);
    assert_eq!(fs::read_to_string(&file).unwrap(), "an earlier one");
    fs::remove_dir(&beside).unwrap();
    assert_eq!(node.run(&["export", text(&file), "--force"]).code(), 0);
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 2);
    assert!(!beside.exists());
}

#[test]
fn what_is_handed_in_to_a_busy_node_is_handed_in_again() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("waiting.jsonl");
    let waiting: Vec<_> = (0..3).map(waiting).collect();
    let node = Node::with(Fake { waiting, busy: 2, ..Fake::default() });
    assert_eq!(node.run(&["export", text(&file)]).code(), 0);
    let imported = node.run(&["import", text(&file), "--json"]).json();
    assert_eq!(imported, serde_json::json!({ "taken": 3, "known": 0, "refused": {} }));
}

#[test]
fn what_a_node_refuses_is_counted_by_reason() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("waiting.jsonl");
    let refuses = Refused {
        invalid: false,
        reason: "nonce-used".to_owned(),
        message: "it is used".to_owned(),
    };
    let waiting: Vec<_> = (0..3).map(waiting).collect();
    let node = Node::with(Fake { waiting, refuses: Some(refuses), ..Fake::default() });
    assert_eq!(node.run(&["export", text(&file)]).code(), 0);
    let ran = node.run(&["import", text(&file)]);
    assert_eq!(ran.code(), 1);
    assert!(ran.says().contains("none of the 3 transactions"), "{}", ran.says());
    assert!(ran.out.contains("refused  3 nonce-used"), "{}", ran.out);
}

#[test]
fn a_file_of_another_network_is_refused_and_one_that_is_not_whole_is_said_with_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("waiting.jsonl");
    let node = Node::with(Fake { waiting: (0..3).map(waiting).collect(), ..Fake::default() });
    assert_eq!(node.run(&["export", text(&file)]).code(), 0);
    let exported = fs::read_to_string(&file).unwrap();
    let import = |content: &str| {
        fs::write(&file, content).unwrap();
        node.run(&["import", text(&file), "--json"])
    };
    let other = import(&exported.replace(&"07".repeat(32), &"08".repeat(32)));
    assert_eq!(other.code(), 4);
    assert!(other.says().contains("another network"), "{}", other.says());
    assert_eq!(other.out, "");
    let short: String = exported.split_inclusive('\n').take(3).collect();
    let ran = import(&short);
    assert_eq!((ran.code(), ran.json()["taken"].as_u64()), (1, Some(2)));
    assert!(
        ran.says().contains("has 2 transactions") && ran.says().contains("3"),
        "{}",
        ran.says()
    );
    let ran = import(&(short + "garbage\n"));
    assert_eq!((ran.code(), ran.json()["taken"].as_u64()), (1, Some(2)));
    assert!(ran.says().contains("line 4 of"), "{}", ran.says());
    let missing = node.run(&["import", "/nowhere/at/all"]);
    assert!(missing.code() == 1 && missing.says().contains("/nowhere/at/all"));
}
