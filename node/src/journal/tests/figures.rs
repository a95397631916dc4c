//! What the journal costs. Run by hand: `cargo test --release -- --ignored --nocapture figures`.

use std::hint::black_box;

use super::*;

const COUNT: u64 = 50_000;

#[test]
#[ignore = "prints figures, for people"]
fn figures() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(FILE_NAME);
    let mut node = start(directory.path(), GENESIS);
    node.restored();
    let all: Vec<Kept> = (0..COUNT).map(|number| add(number, 0)).collect();
    let again = all.clone();
    let begun = Instant::now();
    for kept in all {
        node.journal.keep(black_box(kept));
    }
    let kept = begun.elapsed();
    node.wait_until("all to be written", |node| node.count() == COUNT);
    let written = begun.elapsed();
    let length = fs::metadata(&path).unwrap().len();
    let size = tx(0, 0).size() as u64;
    println!("told: {:.0} ns each", kept.as_nanos() as f64 / COUNT as f64);
    println!("in the file after {} ms", written.as_millis());
    println!("{} bytes each, of which {size} are the transaction", length / COUNT);
    let begun = Instant::now();
    node.journal.close();
    println!("closed in {} ms", begun.elapsed().as_millis());
    let begun = Instant::now();
    let mut node = start(directory.path(), GENESIS);
    assert_eq!(node.restored().len() as u64, COUNT);
    println!("read again in {} ms", begun.elapsed().as_millis());
    for kept in &again[..COUNT as usize * 3 / 4] {
        let Kept::Add { tx, .. } = kept else { continue };
        node.journal.keep(Kept::Remove(tx.id()));
    }
    let begun = Instant::now();
    node.wait_until("the file to be small", |node| {
        node.gauge("hearsay_mempool_journal_bytes") < length / 3
    });
    println!("made small in {} ms", begun.elapsed().as_millis());
}
