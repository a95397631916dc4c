//! Whole commands, from their words to what they print.

mod transactions;

use std::path::Path;

use clap::CommandFactory;
use hearsay_chain::store::OpenErrorKind;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::*;
use crate::rpc::fake::{Fake, Server};

/// What a command did.
pub(super) struct Ran {
    result: Result<(), Failure>,
    pub(super) out: String,
    talk: String,
}

impl Ran {
    pub(super) fn code(&self) -> u8 {
        self.result.as_ref().map_or_else(Failure::exit_code, |()| 0)
    }

    pub(super) fn says(&self) -> String {
        self.result.as_ref().map_or_else(ToString::to_string, |()| String::new())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {:?}", self.out))
    }
}

fn parse(words: &[&str]) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("hearsay").chain(words.iter().copied()))
}

pub(super) fn run(words: &[&str]) -> Ran {
    let (mut out, mut talk) = (Vec::new(), Vec::new());
    let mut console = Console::new(&mut out, &mut talk);
    let result =
        parse(words).unwrap_or_else(|error| panic!("{error}")).command.execute(&mut console);
    Ran { result, out: String::from_utf8(out).unwrap(), talk: String::from_utf8(talk).unwrap() }
}

/// A fake node, and a home directory with the key `alice`.
struct World {
    home: tempfile::TempDir,
    server: Server,
    _runtime: Runtime,
}

impl World {
    fn with(fake: Fake) -> Self {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(run(&["key", "new", "alice", "--home", text(home.path())]).code(), 0);
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(fake.serve());
        Self { home, server, _runtime: runtime }
    }

    /// Runs a client command; its words are separated by spaces.
    fn run(&self, words: &str) -> Ran {
        let url = self.server.url();
        let mut words: Vec<&str> = words.split(' ').collect();
        words.extend(["--node", &url]);
        if matches!(words[0], "account") || words[..2] == ["tx", "send"] {
            words.extend(["--home", text(self.home.path())]);
        }
        run(&words)
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn wrong_usage_is_told_with_exit_code_two_and_help_with_zero() {
    for (words, code) in [
        (&["--help"][..], 0),
        (&["tx", "send", "--help"], 0),
        (&["--version"], 0),
        (&[], 2),
        (&["tx", "status", "not-an-id"], 2),
        (&["tx", "send", "--from", "a", "--to", "hs1x", "--amount", "1", "--fee", "1"], 2),
        (&["status", "--node", "ws://x:1"], 2),
        (&["block", "last"], 2),
        (&["genesis", "new", "--name", "x"], 2),
        (&["run", "--rpc", "here"], 2),
    ] {
        assert_eq!(parse(words).unwrap_err().exit_code(), code, "{words:?}");
    }
}

#[test]
fn each_kind_of_failure_has_its_exit_code() {
    let says = String::new;
    let data = |kind| Failure::Data { kind, says: says() };
    let url = "localhost:1".parse().unwrap();
    for (failure, code) in [
        (Failure::NobodyReads, 0),
        (Failure::Failed(says()), 1),
        (Failure::Usage(says()), 2),
        (Failure::Unreachable { url, cause: says() }, 3),
        (Failure::Refused(says()), 4),
        (Failure::TimedOut(says()), 5),
        (data(OpenErrorKind::Locked), 10),
        (data(OpenErrorKind::Foreign), 11),
        (data(OpenErrorKind::Damaged), 12),
        (data(OpenErrorKind::Newer), 13),
        (data(OpenErrorKind::OtherNetwork), 14),
        (data(OpenErrorKind::Permission), 15),
        (data(OpenErrorKind::ReadOnly), 16),
        (data(OpenErrorKind::Full), 17),
        (data(OpenErrorKind::Failed), 18),
        (data(OpenErrorKind::Older), 19),
        (data(OpenErrorKind::Missing), 20),
    ] {
        assert_eq!(failure.exit_code(), code, "{failure:?}");
    }
}

#[test]
fn words_of_another_program_reach_it_as_they_are() {
    let Command::External(words) = parse(&["testnet", "run", "--out", "x"]).unwrap().command else {
        panic!("not taken for another program's");
    };
    assert_eq!(words, ["testnet", "run", "--out", "x"]);
}

#[test]
fn a_time_has_a_unit() {
    assert_eq!(tx_send::duration("1m 30s").unwrap().as_secs(), 90);
    assert_eq!(tx_send::duration("500ms").unwrap().as_millis(), 500);
    for wrong in ["60", "-1s", "soon", ""] {
        assert!(tx_send::duration(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_key_is_made_shown_listed_and_never_replaced() {
    let home = tempfile::tempdir().unwrap();
    let key = |words: &[&str]| run(&[&["key"], words, &["--home", text(home.path())]].concat());
    let made = key(&["new", "alice", "--json"]);
    assert_eq!(made.json()["name"], "alice");
    assert_eq!(key(&["show", "alice", "--json"]).json(), made.json());
    let address = made.json()["address"].as_str().unwrap().to_owned();
    assert_eq!(key(&["address", "alice"]).out, format!("{address}\n"));
    assert_eq!(key(&["list"]).out, format!("NAME   ADDRESS\nalice  {address}\n"));
    let again = key(&["new", "alice"]);
    assert_eq!(again.code(), 1);
    assert!(again.says().contains("--force"), "{}", again.says());
    assert_ne!(key(&["new", "alice", "--force", "--json"]).json(), made.json());
    assert_eq!(key(&["new", "a b"]).code(), 2);
    assert_eq!(key(&["show", "bob"]).code(), 1);
}

#[test]
fn no_keys_is_an_empty_list() {
    let home = tempfile::tempdir().unwrap();
    let list = run(&["key", "list", "--home", text(home.path())]);
    assert_eq!((list.out.as_str(), list.code()), ("", 0));
    assert!(list.talk.starts_with("no keys in "), "{}", list.talk);
    assert_eq!(run(&["key", "list", "--json", "--home", text(home.path())]).out, "[]\n");
}

#[test]
fn a_genesis_is_printed_or_written_and_names_keys_by_name() {
    let home = tempfile::tempdir().unwrap();
    let base = text(home.path());
    run(&["key", "new", "alice", "--home", base]);
    let words = [
        "genesis",
        "new",
        "--name",
        "demo",
        "--slot",
        "500ms",
        "--start",
        "2030-01-01T00:00:00Z",
        "--authority",
        "alice",
        "--alloc",
        "alice=7",
        "--home",
        base,
    ];
    let printed = run(&words);
    assert!(printed.out.contains("slot_ms = 500\n"), "{}", printed.out);
    assert!(printed.out.contains("time_ms = 1893456000000\n"), "{}", printed.out);
    let file = home.path().join("genesis.toml");
    let written = run(&[&words[..], &["--out", text(&file)]].concat());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), printed.out);
    let genesis = crate::genesis_file::read(&file).unwrap();
    assert!(written.talk.contains(&genesis.id().to_string()), "{}", written.talk);
    assert_eq!(genesis.allocations.values().collect::<Vec<_>>(), [&7]);
    assert_eq!(run(&[&words[..], &["--out", text(&file)]].concat()).code(), 1);
    assert_eq!(run(&[&words[..], &["--alloc", "alice=8"]].concat()).code(), 2);
    assert_eq!(run(&[&words[..], &["--authority", "alice"]].concat()).code(), 2);
}

#[test]
fn every_question_is_answered_for_people_and_for_programs() {
    let world = World::with(Fake::default());
    for (words, shown, key) in [
        ("status", "network       test\n", "genesis"),
        ("mempool", "ready         1\n", "queued"),
        ("account alice", "balance     18446744073709551615 units\n", "next_nonce"),
        ("block latest", "slot start    2023-11-14T22:13:20Z\n", "slot_start_ms"),
        ("block 7", "height        7\n", "parent"),
        (&format!("tx status {}", "ab".repeat(32)), "state  unknown\n", "state"),
    ] {
        let human = world.run(words);
        assert!(human.out.contains(shown), "{words}: {}", human.out);
        let json = world.run(&format!("{words} --json")).json();
        assert!(json.get(key).is_some(), "{words}: {json}");
    }
    assert!(world.run("peers").out.contains("12D4  out  0.5 ms  tx"), "{}", world.run("peers").out);
    assert!(world.run("peers").out.contains("7.0 kB   2.2 kB"), "{}", world.run("peers").out);
    assert_eq!(world.run("peers --json").json()[0]["first_copies"], 10);
    assert_eq!(world.run("peers --json").json()[0]["route"], "gossipsub");
}

#[test]
fn a_block_that_is_not_there_is_a_failure() {
    let world = World::with(Fake::default());
    let missing = world.run("block 21");
    assert_eq!((missing.code(), missing.says().as_str()), (1, "this node has no block 21"));
}

#[test]
fn the_pool_is_shown_with_its_senders_transactions_and_fees() {
    let world = World::with(Fake::default());
    let summary = world.run("mempool").out;
    for line in [
        "least fee     5 units for 1,000 bytes\n",
        "oldest        2m 1s\n",
        "unbroadcast   1\n",
        "  3, 7-9\n",
        "16-31            2      500    ####################....................\n",
    ] {
        assert!(summary.contains(line), "{line:?} is not in:\n{summary}");
    }
    let json = world.run("mempool --json").json();
    assert_eq!((&json["oldest_ms"], &json["count"]), (&121_000.into(), &2.into()));
    assert_eq!(json["top_senders"][0]["gaps"][1]["last"], 9);
    assert!(world.run("mempool senders --gaps --order age").out.contains("3, 7-9"));
    assert_eq!(world.run("mempool senders --json").json()[0]["queued"], 1);
    let listed = world.run("mempool transactions --state queued --older-than 2m --order nonce");
    assert!(listed.out.contains("queued (waiting for nonce 3), local\n"), "{}", listed.out);
    assert_eq!(world.run("mempool transactions --json").json()[0]["waiting_for"], 3);
    assert!(world.run("mempool fees").out.starts_with("least fee  5 units for 1,000 bytes\n"));
    assert_eq!(world.run("mempool fees --json").json()["bands"][0]["count"], 2);
}

#[test]
fn a_node_that_is_away_is_unreachable() {
    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = listener.local_addr().unwrap().to_string();
    drop(listener);
    let asked = run(&["status", "--node", &url]);
    assert_eq!(asked.code(), 3, "{}", asked.says());
    assert!(asked.says().contains("is it running?"), "{}", asked.says());
}

#[test]
fn members_are_listed_for_people_and_for_programs() {
    let world = World::with(Fake::default());
    let ran = world.run("members");
    assert_eq!(ran.code(), 0, "{}", ran.says());
    assert!(ran.out.contains("n0") && ran.out.contains("down (probe)"), "{}", ran.out);
    let json = world.run("members --json").json();
    assert_eq!(json.as_array().map(Vec::len), Some(2));
    for key in ["name", "peer", "state", "incarnation", "load", "since_ms", "addresses", "role"] {
        assert!(json[0].get(key).is_some(), "{key}");
    }
    assert_eq!((&json[0]["state"], &json[0]["own"]), (&"alive".into(), &true.into()));
    assert_eq!((&json[1]["cause"], &json[1]["slot"]), (&"probe".into(), &"far".into()));
}
