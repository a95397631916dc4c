use hearsay_chain::Chain;
use hearsay_chain::store::Changes;

use super::*;
use crate::makers::Makers;

/// A store of eight blocks, of which two stand beside the main chain.
fn forked(dir: &Path, makers: &Makers) -> RocksStore {
    let options = RocksOptions { durability: Durability::Buffered, ..RocksOptions::default() };
    let store = RocksStore::open(dir, makers.rules().id(), options).unwrap();
    let mut chain = Chain::open(store, makers.genesis().clone()).unwrap();
    let line = makers.line(6, 2);
    chain.import_run(line.clone(), u64::MAX).unwrap();
    let mut parent = (line[2].id(), line[2].height());
    for slot in [9, 10] {
        let block = makers.block(parent, slot, vec![]);
        parent = (block.id(), block.height());
        chain.import(block, u64::MAX).unwrap();
    }
    drop(chain);
    RocksStore::open(dir, makers.rules().id(), options).unwrap()
}

fn makers() -> Makers {
    Makers::new("test", (4, 2), (0, 10))
}

#[test]
fn a_sound_store_is_found_sound_and_left_as_it_was() {
    let (home, makers) = (tempfile::tempdir().unwrap(), makers());
    let dir = home.path().join("chain");
    drop(forked(&dir, &makers));
    let files = || {
        let entries = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| (path.clone(), fs::read(path).unwrap())).collect::<BTreeMap<_, _>>()
    };
    let before = files();
    let report = examine(&dir, makers.genesis()).unwrap();
    assert!(before == files(), "something was changed");
    assert_eq!((report.main.len(), report.kept.len()), (7, 9));
    assert_eq!(report.transactions.len(), 12);
}

#[test]
fn a_place_without_a_store_has_nothing() {
    let home = tempfile::tempdir().unwrap();
    let report = examine(&home.path().join("chain"), makers().genesis()).unwrap();
    assert_eq!(report.ends, None);
}

#[test]
fn whatever_is_missing_or_wrong_is_found() {
    let makers = makers();
    let line = makers.line(6, 2);
    let (third, tip) = (&line[2], &line[5]);
    let payer = makers.payment(0, 0).sender();
    let paid = third.transactions()[0].id();
    let wrong = [
        ("height", Changes { heights: [(3, None)].into(), ..Changes::default() }),
        ("heights for", Changes { heights: [(7, Some(tip.id()))].into(), ..Changes::default() }),
        ("missing", Changes { forgotten: vec![third.id()], ..Changes::default() }),
        ("bodies", Changes { pruned: vec![third.id()], ..Changes::default() }),
        (
            "accounts",
            Changes { accounts: [(payer, Account::default())].into(), ..Changes::default() },
        ),
        ("places", Changes { transactions: [(paid, None)].into(), ..Changes::default() }),
        ("undos", Changes { undo: [(tip.id(), None)].into(), ..Changes::default() }),
        (
            "headers",
            Changes { blocks: vec![makers.block((tip.id(), 6), 20, vec![])], ..Changes::default() },
        ),
        (
            "stands on and beside",
            Changes { side: [((3, third.id()), true)].into(), ..Changes::default() },
        ),
    ];
    for (what, changes) in wrong {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("chain");
        forked(&dir, &makers).commit(changes.clone()).unwrap();
        let error = examine(&dir, makers.genesis()).expect_err(&format!("{changes:?}"));
        assert!(format!("{error:#}").contains(what), "{error:#} for {changes:?}");
    }
}

#[test]
fn a_block_whose_signature_does_not_hold_is_found() {
    let (home, makers) = (tempfile::tempdir().unwrap(), makers());
    let dir = home.path().join("chain");
    let options = RocksOptions { durability: Durability::Buffered, ..RocksOptions::default() };
    let store = RocksStore::open(&dir, makers.rules().id(), options).unwrap();
    let mut chain = Chain::open(store, makers.genesis().clone()).unwrap();
    let block = makers.line(1, 1).remove(0);
    let mut header = block.header().clone();
    header.signature.0[3] ^= 1;
    let forged = VerifiedBlock::from_own_store(header, block.transactions().to_vec());
    chain.import(forged, u64::MAX).unwrap();
    drop(chain);
    let error = examine(&dir, makers.genesis()).unwrap_err();
    assert!(format!("{error:#}").contains("signature"), "{error:#}");
}
