//! Tests of the address book.

use proptest::prelude::*;

use super::*;
use crate::members::profile::Key;

const GENESIS: GenesisId = GenesisId([7; 32]);
const DAY: u64 = 86_400;
const NOW: u64 = 1_800_000_000;

fn peer(n: u16) -> PeerId {
    let mut bytes = [0; 32];
    bytes[..2].copy_from_slice(&n.to_be_bytes());
    Key(bytes).to_peer_id()
}

fn address(port: u16) -> Multiaddr {
    format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap()
}

fn book(peers: u16) -> Book {
    let mut book = Book::new(GENESIS);
    (0..peers).for_each(|n| book.seen(peer(n), &[address(n + 1), address(n + 2)], NOW));
    book
}

#[test]
fn a_book_survives_the_disk() {
    let mut book = book(20);
    book.succeeded(&peer(3), NOW + 5);
    book.failed(&peer(4));
    let read = Book::parse(&book.to_string(), GENESIS).unwrap();
    assert_eq!(read, Parsed { book, refused: 0 });
}

#[test]
fn a_full_book_fits_the_bound() {
    let long: Multiaddr = "/ip6/2a00:1450:4001:182a:1111:2222:3333:4444/tcp/65535".parse().unwrap();
    let mut book = Book::new(GENESIS);
    for n in 0..MAX_ENTRIES as u16 {
        book.seen(peer(n), &vec![long.clone(); MAX_ADDRESSES], u64::from(u32::MAX));
    }
    assert!(book.to_string().len() < MAX_BOOK_BYTES / 2, "{}", book.to_string().len());
}

#[test]
fn those_that_answered_lately_come_first() {
    let mut book = book(5);
    book.succeeded(&peer(1), NOW - DAY / 2);
    book.succeeded(&peer(2), NOW);
    book.succeeded(&peer(3), NOW);
    book.failed(&peer(3));
    book.failed(&peer(4));
    let order: Vec<PeerId> = book.candidates(NOW).into_iter().map(|(peer, _)| peer).collect();
    assert_eq!(order, [2, 3, 1, 0, 4].map(peer));
}

#[test]
fn a_full_book_forgets_the_worst() {
    let mut book = book(MAX_ENTRIES as u16);
    (0..MAX_ENTRIES as u16).filter(|n| *n != 77).for_each(|n| book.succeeded(&peer(n), NOW));
    book.failed(&peer(77));
    book.seen(peer(5_000), &[address(1)], NOW);
    assert_eq!(book.len(), MAX_ENTRIES);
    assert!(book.get(&peer(77)).is_none() && book.get(&peer(5_000)).is_some());
}

#[test]
fn many_that_were_only_told_of_do_not_push_out_one_that_answered() {
    let mut book = book(1);
    book.succeeded(&peer(0), NOW - DAY);
    (1..3_000).for_each(|n| book.seen(peer(n), &[address(1)], NOW));
    assert!(book.get(&peer(0)).is_some());
}

#[test]
fn what_cannot_be_dialled_is_not_kept() {
    let mut book = Book::new(GENESIS);
    let absurd = ["/ip4/0.0.0.0/tcp/1", "/dns4/example.com/tcp/1", "/ip4/1.1.1.1/tcp/0"];
    book.seen(peer(1), &absurd.map(|text| text.parse().unwrap()), NOW);
    assert!(book.is_empty());
    book.seen(peer(1), &vec![address(1); 9], NOW);
    assert_eq!(book.get(&peer(1)).unwrap().addresses.len(), MAX_ADDRESSES);
}

#[test]
fn wrong_lines_cost_themselves_alone() {
    let good = book(3).to_string();
    let id = peer(50);
    let many = ["/ip4/1.1.1.1/tcp/1"; MAX_ADDRESSES + 1].join(",");
    let wrong = [
        "nonsense".to_owned(),
        format!("{id} 1 1 1"),
        format!("{id} 1 1 1 /ip4/1.1.1.1/tcp/1 more"),
        format!("{id} -1 1 1 /ip4/1.1.1.1/tcp/1"),
        format!("{id} 1 99999999999999 1 /ip4/1.1.1.1/tcp/1"),
        format!("{id} 1 1 99999999999 /ip4/1.1.1.1/tcp/1"),
        format!("{id} 1 1 1 /ip4/0.0.0.0/tcp/1"),
        format!("{id} 1 1 1 /ip4/1.1.1.1/tcp/1,"),
        format!("{id} 1 1 1 {many}"),
        "12D3KooW 1 1 1 /ip4/1.1.1.1/tcp/1".to_owned(),
        format!("{} 1 1 1 /ip4/1.1.1.1/tcp/1", peer(0)),
    ];
    let text = format!("{good}\n# by hand\n{}\n", wrong.join("\n"));
    let read = Book::parse(&text, GENESIS).unwrap();
    assert_eq!(read, Parsed { book: book(3), refused: wrong.len() });
}

#[test]
fn a_text_of_another_kind_version_or_network_is_refused_as_such() {
    let parse = |text: &str| Book::parse(text, GENESIS).unwrap_err();
    assert_eq!(parse(""), BookError::NoBook);
    assert_eq!(parse("{}"), BookError::NoBook);
    assert_eq!(parse(&format!("hearsay-peers 2 {GENESIS}\n")), BookError::Version);
    assert_eq!(parse(&Book::new(GenesisId([8; 32])).to_string()), BookError::Foreign);
    assert_eq!(parse(&"x".repeat(MAX_BOOK_BYTES + 1)), BookError::TooLong);
}

#[test]
fn more_lines_than_a_book_has_are_not_read() {
    let head = Book::new(GENESIS).to_string();
    let line = |n| format!("{} 1 1 0 /ip4/1.1.1.1/tcp/1\n", peer(n));
    let text: String = std::iter::once(head).chain((0..3_000).map(line)).collect();
    let read = Book::parse(&text, GENESIS).unwrap();
    assert_eq!((read.book.len(), read.refused), (MAX_ENTRIES, 2_000));
}

fn any_book() -> impl Strategy<Value = Book> {
    let entry = (0u16..6, 1u16..4, 0u64..4, 0u64..4, 0u32..3);
    prop::collection::vec(entry, 0..8).prop_map(|entries| {
        let mut book = Book::new(GENESIS);
        for (n, port, last_seen, last_success, failures) in entries {
            let addresses = vec![address(port)];
            book.entries.insert(peer(n), Entry { addresses, last_seen, last_success, failures });
        }
        book
    })
}

fn merged(a: &Book, b: &Book) -> Book {
    let mut merged = a.clone();
    merged.merge(b, NOW);
    merged
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(hearsay-peers 1 )?[0-7]{0,64}\n?(\\PC|\n| ){0,300}") {
        let _ = Book::parse(&text, GENESIS);
        let headed = format!("{}{text}", Book::new(GENESIS));
        prop_assert!(Book::parse(&headed, GENESIS).is_ok());
    }

    #[test]
    fn the_order_of_merging_does_not_matter(a in any_book(), b in any_book(), c in any_book()) {
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(merged(&a, &a), a);
    }

    #[test]
    fn every_book_survives_the_disk(book in any_book()) {
        prop_assert_eq!(Book::parse(&book.to_string(), GENESIS).unwrap(), Parsed { book, refused: 0 });
    }
}
