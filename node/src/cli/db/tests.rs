use std::path::Path;

use hearsay_chain::genesis::{Limits, Schedule};
use hearsay_chain::store::RocksStore;
use hearsay_chain::{Chain, Genesis, Keypair, Rules, VerifiedBlock};
use serde_json::Value;

use crate::cli::tests::{Ran, run};
use crate::run::{store_options, store_path};
use crate::start::{StartError, from_snapshot};

/// A data directory with a genesis of two authorities, and a chain of this many blocks.
struct World {
    dir: tempfile::TempDir,
    genesis: Genesis,
}

impl World {
    fn with(blocks: u64) -> Self {
        let keys = [1, 2].map(|seed| Keypair::from_seed(&[seed; 32]));
        let genesis = Genesis {
            name: "test".to_owned(),
            time_ms: 0,
            slot_ms: 1_000,
            schedule: Schedule::RoundRobin,
            authorities: keys.iter().map(Keypair::public).collect(),
            limits: Limits::default(),
            allocations: [(keys[0].address(), 1_000)].into(),
        };
        let dir = tempfile::tempdir().unwrap();
        let text = toml::to_string(&genesis).unwrap();
        std::fs::write(dir.path().join("genesis.toml"), text).unwrap();
        let world = Self { dir, genesis };
        let mut chain = world.chain("a");
        let rules = Rules::new(world.genesis.clone());
        let mut parent = (world.genesis.block().id(), 0);
        for height in 1..=blocks {
            // One authority builds most, so that some blocks are not final.
            let slot = height * 2;
            let key = keys.iter().find(|key| rules.may_propose(slot, &key.public())).unwrap();
            let block =
                VerifiedBlock::propose(world.genesis.chain(), parent, slot, Vec::new(), key);
            parent = (block.id(), height);
            chain.import(block, u64::MAX).unwrap();
        }
        drop(chain);
        world
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    fn chain(&self, data: &str) -> Chain<RocksStore> {
        let path = store_path(&self.dir.path().join(data));
        let store = RocksStore::open(path, self.genesis.id(), store_options()).unwrap();
        Chain::open(store, self.genesis.clone()).unwrap()
    }

    /// Runs `hearsay db` on one of the data directories.
    fn db(&self, data: &str, words: &[&str]) -> Ran {
        let (data, genesis) = (self.path(data), self.path("genesis.toml"));
        let place = ["--data-dir", &data, "--genesis", &genesis];
        run(&[&["db"], words, &place].concat())
    }
}

#[test]
fn a_sound_store_is_told_with_exit_code_zero() {
    let world = World::with(5);
    let ran = world.db("a", &["check", "--json"]);
    assert_eq!(ran.code(), 0, "{}", ran.says());
    let json = ran.json();
    assert_eq!((&json["clean"], &json["blocks"]), (&Value::Bool(true), &Value::from(5)));
    assert!(world.db("a", &["check", "--no-signatures"]).out.contains("findings      0"));
}

#[test]
fn a_damaged_store_is_told_with_exit_code_one_and_starts_no_node() {
    let world = World::with(5);
    let taken = world.db("a", &["snapshot", "s", "--json"]).json();
    let snapshot = Path::new(taken["path"].as_str().unwrap()).to_owned();
    let rules = Rules::new(world.genesis.clone());
    let largest = std::fs::read_dir(&snapshot)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sst"))
        .max_by_key(|path| std::fs::metadata(path).unwrap().len())
        .unwrap();
    let mut bytes = std::fs::read(&largest).unwrap();
    bytes[40] ^= 1;
    // In a file of its own: the store has the same one.
    std::fs::remove_file(&largest).unwrap();
    std::fs::write(&largest, bytes).unwrap();
    let ran = world.db("a", &["check", snapshot.to_str().unwrap(), "--json"]);
    assert_eq!(ran.code(), 1);
    assert!(!ran.json()["findings"].as_array().unwrap().is_empty());
    let new = world.dir.path().join("new");
    let error = from_snapshot(&snapshot, &new, &rules, &mut |_| ()).unwrap_err();
    assert!(matches!(error, StartError::Unsound { .. }), "{error}");
    assert!(!new.exists());
    assert_eq!(world.db("a", &["check"]).code(), 0);
}

#[test]
fn a_new_node_starts_from_a_sound_snapshot_and_only_a_new_one() {
    let world = World::with(5);
    let taken = world.db("a", &["snapshot", "--json"]).json();
    let snapshot = Path::new(taken["path"].as_str().unwrap());
    let rules = Rules::new(world.genesis.clone());
    let new = world.dir.path().join("new");
    let audit = from_snapshot(snapshot, &new, &rules, &mut |_| ()).unwrap();
    assert_eq!((audit.blocks, world.chain("new").ends().height), (5, 5));
    let again = from_snapshot(snapshot, &new, &rules, &mut |_| ()).unwrap_err();
    assert!(matches!(again, StartError::NotNew(_)), "{again}");
}

#[test]
fn a_store_that_a_node_has_open_is_left_alone() {
    let world = World::with(1);
    let _open = world.chain("a");
    for words in [&["check"][..], &["stats"], &["export", "x"]] {
        assert!(world.db("a", words).says().contains("hearsay db snapshot"), "{words:?}");
    }
    assert_eq!(world.db("a", &["import", &world.path("genesis.toml")]).code(), 1);
}

#[test]
fn what_one_store_exports_another_imports() {
    let world = World::with(9);
    let file = world.path("blocks");
    let json = world.db("a", &["export", &file, "--to", "6", "--json"]).json();
    assert_eq!((&json["added"], &json["to"]), (&Value::from(6), &Value::from(6)));
    let json = world.db("a", &["export", &file, "--json"]).json();
    assert_eq!((&json["before"], &json["added"]), (&Value::from(6), &Value::from(3)));
    let json = world.db("b", &["import", &file, "--json"]).json();
    assert_eq!((&json["added"], &json["height"]), (&Value::from(9), &Value::from(9)));
    assert_eq!(world.db("b", &["check"]).code(), 0);
    let (a, b) = (world.db("a", &["stats", "--json"]), world.db("b", &["stats", "--json"]));
    assert_eq!(a.json()["tables"], b.json()["tables"]);
}

#[test]
fn a_file_that_is_no_archive_is_told_by_name_and_left_as_it_was() {
    let world = World::with(1);
    let file = world.path("genesis.toml");
    let before = std::fs::read(&file).unwrap();
    for words in [["export", &file], ["import", &file]] {
        let says = world.db("a", &words).says();
        assert!(says.contains("genesis.toml: it is not an archive"), "{says}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn a_chain_is_taken_back_when_it_is_meant() {
    let world = World::with(4);
    // The second authority never built, so nothing is final.
    let to = ["revert", "--to", "2", "--yes", "--json"];
    let ran = world.db("a", &to);
    assert_eq!((&ran.json()["from"], &ran.json()["height"]), (&Value::from(4), &Value::from(2)));
    assert_eq!(world.db("a", &["check"]).code(), 0);
    assert!(world.db("a", &to).says().contains("the chain ends at height 2"));
    let final_one = world.db("a", &["revert", "--to", "0", "--yes"]);
    assert!(final_one.says().contains("not above final height 0"));
}

#[test]
fn no_command_makes_a_store_where_none_is_but_import() {
    let world = World::with(1);
    for words in [&["check"][..], &["stats"], &["revert", "--to", "1", "--yes"], &["snapshot"]] {
        assert!(world.db("none", words).says().contains("there is no store here"), "{words:?}");
    }
    assert!(!world.dir.path().join("none").exists());
}
