//! Holds `WIRE.md` against the code: its test vectors and the figures of its tables.
//!
//! With `HEARSAY_WRITE_VECTORS=1` the vectors are written into the file instead.

use std::env;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use hearsay_chain::block::{HEADER_BYTES, MAX_BLOCK_BYTES};
use hearsay_chain::codec::encode;
use hearsay_chain::genesis::{Limits, Schedule};
use hearsay_chain::hash::{merkle_root, tagged};
use hearsay_chain::transaction::{MAX_PAYLOAD_BYTES, MAX_TX_BYTES, Transfer};
use hearsay_chain::{Genesis, Keypair, TxId, VerifiedBlock, VerifiedTx};
use hearsay_network::compact::{self, BlockMessage, CompactBlock, Names};
use hearsay_network::push::{self, Frame, Item, Origin, Payload};
use hearsay_network::reconcile::{Coder, MAX_BITS, MAX_SET, Part, Symbol};
use hearsay_network::score::Offence;
use hearsay_network::short_id::ShortKey;
use hearsay_network::topic::{Topics, message_id};
use hearsay_network::wire::{self, Request, Response, Standing, pack};
use hearsay_network::{GossipConfig, Topic, bundle};

/// The text.
const TEXT: &str = include_str!("../WIRE.md");

/// Where the text is written to.
const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/WIRE.md");

/// What stands before the vectors and after them.
const MARKS: [&str; 2] = ["<!-- vectors -->\n```text\n", "```\n<!-- /vectors -->"];

/// The number drawn for the names of the compact block.
const SALT: u64 = 7;

/// The key 00 … 0f.
fn short_key() -> ShortKey {
    ShortKey(std::array::from_fn(|at| u8::try_from(at).unwrap()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The keys, the network, the transactions and the block that all vectors are made of.
struct Inputs {
    a: Keypair,
    b: Keypair,
    genesis: Genesis,
    one: VerifiedTx,
    two: VerifiedTx,
    block: VerifiedBlock,
}

impl Inputs {
    fn new() -> Self {
        let (a, b) = (Keypair::from_seed(&[1; 32]), Keypair::from_seed(&[2; 32]));
        let genesis = Genesis {
            name: "wire".to_owned(),
            time_ms: 1_700_000_000_000,
            slot_ms: 1_000,
            schedule: Schedule::RoundRobin,
            authorities: vec![b.public()],
            limits: Limits {
                block_bytes: 1_048_576,
                block_transactions: 5_000,
                payload_bytes: 4_096,
            },
            allocations: [(a.address(), 1_000_000)].into(),
        };
        let chain = genesis.chain();
        let tx = |nonce, expiry, payload: &[u8]| {
            let transfer = Transfer {
                chain,
                sender: a.public(),
                nonce,
                recipient: b.address(),
                amount: 5,
                fee: 1,
                expiry,
                payload: payload.to_vec(),
            };
            VerifiedTx::verify(transfer.sign(&a).into()).unwrap()
        };
        let (one, two) = (tx(0, None, b"hi"), tx(1, Some(9), b""));
        let parent = (genesis.block().id(), 0);
        let transactions = vec![one.clone(), two.clone()];
        let block = VerifiedBlock::propose(chain, parent, 1, transactions, &b);
        Self { a, b, genesis, one, two, block }
    }

    fn topic(&self, topic: Topic) -> String {
        Topics::new(self.genesis.id()).ident(topic).hash().into_string()
    }

    fn compact(&self) -> CompactBlock {
        CompactBlock::of(&self.block, SALT, |id| *id == self.two.id(), &self.b)
    }

    fn chain_vectors(&self) -> Vec<(&'static str, String)> {
        let Self { a, genesis, one, two, block, .. } = self;
        let leaves = [one.id().0, two.id().0, [3; 32]];
        vec![
            ("tagged", hex(&tagged("hearsay/example/1", &[b"abc"]))),
            ("key-a", a.public().to_string()),
            ("address-a", hex(&a.address().0)),
            ("address-a-text", a.address().to_string()),
            ("genesis", hex(&encode(genesis))),
            ("genesis-id", genesis.id().to_string()),
            ("genesis-block-id", genesis.block().id().to_string()),
            ("tx-1", hex(&one.encode())),
            ("tx-1-id", one.id().to_string()),
            ("tx-2-id", two.id().to_string()),
            ("merkle-3", hex(&merkle_root(leaves))),
            ("header", hex(&encode(block.header()))),
            ("block-id", block.id().to_string()),
        ]
    }

    fn gossip_vectors(&self) -> Vec<(&'static str, String)> {
        let Self { one, two, block, .. } = self;
        let (topic, data) = (self.topic(Topic::Tx), bundle::of(&[one.encode(), two.encode()]));
        let parts: [&[u8]; 2] = [&block.id().0, &SALT.to_le_bytes()];
        let names = Names::new(&block.id(), SALT);
        let names = [one, two].map(|tx| names.of(&tx.id()).0).concat();
        let id = TxId(std::array::from_fn(|at| u8::try_from(at).unwrap()));
        vec![
            ("bundle", hex(&data)),
            ("message-id-bundle", hex(&message_id(&topic, &data))),
            ("message-id-tx-1", hex(&message_id(&topic, &one.encode()))),
            ("topic-tx", topic),
            ("block-whole", hex(&BlockMessage::whole(&encode(&block.to_block())))),
            ("compact-key", hex(&tagged("hearsay/compact/1", &parts)[..16])),
            ("compact-names", hex(&names)),
            ("block-compact", hex(&BlockMessage::compact(&self.compact()))),
            ("short-id", hex(&short_key().of(&id).to_le_bytes())),
            ("symbols", symbols().iter().map(|symbol| hex(&encode(symbol))).collect()),
            ("push-frame", hex(&self.frame().encode())),
        ]
    }

    fn frame(&self) -> Frame {
        let data = self.one.encode();
        let id = message_id(&self.topic(Topic::Tx), &data);
        let short = u64::from_le_bytes(std::array::from_fn(|at| id[at]));
        let item = Item { topic: Topic::Tx, data: Payload(Arc::from(data)) };
        Frame {
            parts: vec![
                push::Part::Messages { origin: Origin(7), items: vec![item] },
                push::Part::Have(vec![short]),
                push::Part::Want(vec![1]),
                push::Part::Lazy(vec![Origin(8)]),
                push::Part::Beacon { origin: Origin(7), number: 1 },
            ],
        }
    }

    fn requests(&self) -> Vec<(&'static str, Request)> {
        let (tip, block) = (self.genesis.block().id(), self.block.id());
        let standing =
            Standing { genesis: self.genesis.id(), tip, height: 0, final_height: 0, first_body: 1 };
        let (key, part) = (short_key(), Part::new(2, 3));
        let ids = vec![self.one.id(), self.two.id()];
        vec![
            ("request-standing", Request::Standing(standing)),
            ("request-headers", Request::Headers { locator: vec![tip], max: 16 }),
            ("request-bodies", Request::Bodies(vec![block])),
            ("request-have", Request::HaveTransactions(ids)),
            ("request-offer", Request::OfferTransactions(vec![self.one.encode()])),
            ("request-block-transactions", Request::BlockTransactions { block, places: vec![0] }),
            ("request-sketch", Request::Sketch { key, part, from: 0, count: 4 }),
            ("request-named", Request::Named { key, names: vec![1, 2] }),
            ("request-take", Request::TakeTransaction(self.one.encode())),
        ]
    }

    fn responses(&self) -> Vec<(&'static str, Response)> {
        let symbols = symbols().into_iter().take(3).collect();
        vec![
            ("response-headers", Response::Headers(vec![self.block.header().clone()])),
            ("response-bodies", Response::Bodies(vec![self.block.encode_body()])),
            ("response-have", Response::HaveTransactions(pack(&[true, false]))),
            ("response-transactions", Response::Transactions(vec![self.one.encode()])),
            ("response-sketch", Response::Sketch { size: 3, symbols }),
        ]
    }

    /// Every vector, by name.
    fn vectors(&self) -> Vec<(&'static str, String)> {
        let mut all = self.chain_vectors();
        all.extend(self.gossip_vectors());
        all.extend(self.requests().iter().map(|(name, it)| (*name, hex(&it.encode()))));
        all.extend(self.responses().iter().map(|(name, it)| (*name, hex(&it.encode()))));
        all
    }
}

/// The first symbols of three elements.
fn symbols() -> Vec<Symbol> {
    Coder::new([0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, 0xff]).next(8)
}

/// What stands before the vectors, they, and what stands after them.
fn split(text: &str) -> [&str; 3] {
    let (before, rest) = text.split_once(MARKS[0]).expect("a mark before the vectors");
    let (vectors, after) = rest.split_once(MARKS[1]).expect("a mark after the vectors");
    [before, vectors, after]
}

#[test]
fn the_vectors_of_the_text_are_what_the_code_makes() {
    let made = Inputs::new().vectors();
    let [before, vectors, after] = split(TEXT);
    if env::var_os("HEARSAY_WRITE_VECTORS").is_some() {
        let lines: String = made.iter().map(|(name, value)| format!("{name} {value}\n")).collect();
        fs::write(PATH, [before, MARKS[0], lines.as_str(), MARKS[1], after].concat()).unwrap();
        return;
    }
    for (name, value) in &made {
        let found = vectors.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        assert_eq!(found, Some(value.as_str()), "{name}");
    }
    assert_eq!(vectors.lines().count(), made.len(), "vectors that the code does not make");
}

#[test]
fn what_the_vectors_encode_is_read_again_and_holds() {
    let inputs = Inputs::new();
    inputs.genesis.check().unwrap();
    for (name, request) in inputs.requests() {
        assert_eq!(Request::decode(&request.encode()), Ok(request), "{name}");
    }
    for (name, response) in inputs.responses() {
        assert_eq!(Response::decode(&response.encode()), Ok(response), "{name}");
    }
    let frame = inputs.frame();
    assert_eq!(Frame::decode(&frame.encode(), 1 << 16), Ok(frame));
    let rules = hearsay_chain::Rules::new(inputs.genesis.clone());
    assert_eq!(inputs.compact().verify(&rules).unwrap().id(), inputs.block.id());
}

/// A number as the text writes it.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn ms(time: Duration) -> String {
    grouped(u64::try_from(time.as_millis()).unwrap())
}

#[test]
fn the_figures_of_the_tables_are_those_of_the_code() {
    let (gossip, push) = (GossipConfig::default(), push::Config::default());
    let counts = [
        ("MAX_PAYLOAD_BYTES", MAX_PAYLOAD_BYTES),
        ("MAX_TX_BYTES", MAX_TX_BYTES),
        ("HEADER_BYTES", HEADER_BYTES),
        ("MAX_BLOCK_BYTES", MAX_BLOCK_BYTES),
        ("MAX_COMPACT_BYTES", compact::MAX_COMPACT_BYTES),
        ("MAX_BUNDLE_BYTES", bundle::MAX_BUNDLE_BYTES),
        ("MAX_BUNDLE", bundle::MAX_BUNDLE),
        ("MAX_PARTS", push::MAX_PARTS),
        ("MAX_ITEMS", push::MAX_ITEMS),
        ("MAX_IDS", push::MAX_IDS),
        ("MAX_WANT", push::MAX_WANT),
        ("MAX_REQUEST_BYTES", wire::MAX_REQUEST_BYTES),
        ("MAX_RESPONSE_BYTES", wire::MAX_RESPONSE_BYTES),
        ("MAX_LOCATOR", wire::MAX_LOCATOR),
        ("MAX_HEADERS", wire::MAX_HEADERS),
        ("MAX_BODIES", wire::MAX_BODIES),
        ("MAX_HAVE", wire::MAX_HAVE),
        ("MAX_OFFER", wire::MAX_OFFER),
        ("MAX_OFFER_BYTES", wire::MAX_OFFER_BYTES),
        ("MAX_PLACES", wire::MAX_PLACES),
        ("MAX_SYMBOLS", wire::MAX_SYMBOLS as usize),
        ("MAX_NAMES", wire::MAX_NAMES),
        ("MAX_SET", MAX_SET),
        ("MAX_BITS", usize::from(MAX_BITS)),
        ("mesh", gossip.mesh),
        ("mesh_low", gossip.mesh_low),
        ("mesh_high", gossip.mesh_high),
        ("idontwant_bytes", gossip.idontwant_bytes),
    ];
    let times = [
        ("heartbeat", ms(gossip.heartbeat)),
        ("announce_every", ms(push.announce_every)),
        ("acknowledge_every", ms(push.acknowledge_every)),
        ("patience", ms(push.patience)),
        ("want_timeout", ms(push.want_timeout)),
        ("rounds", push.rounds.map(ms).join(", ")),
        ("beacon_every", ms(push.beacon_every)),
        ("cached_for", ms(push.cached_for)),
        ("seen_for", ms(push.seen_for)),
    ];
    let counts = counts.map(|(name, count)| (name, grouped(count as u64)));
    for (name, value) in counts.into_iter().chain(times) {
        let cells = format!("`{name}` | {value} |");
        assert!(TEXT.contains(&cells), "no cells {cells:?}");
    }
    for offence in [Offence::Invalid, Offence::Misuse, Offence::Lie] {
        let row = format!("\n| {} |", offence.points());
        assert!(TEXT.contains(&row), "no row {row:?}");
    }
}
