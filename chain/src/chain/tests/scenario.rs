//! Long random stories for a chain: what four authorities, honest or not, may send it.

use std::collections::BTreeMap;

use super::*;
use crate::store::Table;

/// SplitMix64: the same story for the same seed.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// A number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }
}

/// Blocks in the order in which they arrive, each with its parent before it.
pub(super) struct Story {
    pub(super) rules: Genesis,
    pub(super) blocks: Vec<VerifiedBlock>,
}

/// Phases of a story: while two of the four authorities build, nothing becomes final and branches
/// grow long; while all of them do, the last block becomes final soon.
const PHASE: usize = 30;

/// Makes a story. Beside the main chain, branches of all lengths overtake it, and every now and then
/// an authority makes a second or third block in one slot.
pub(super) fn story(seed: u64, length: usize) -> Story {
    story_of(seed, length, 4)
}

/// The same with this many authorities who build at most: with two, nothing becomes final.
pub(super) fn story_of(seed: u64, length: usize, most: usize) -> Story {
    let mut dice = Dice(seed);
    let rules = genesis(4);
    let mut chain = Chain::open(MemoryStore::new(rules.id()), rules.clone()).unwrap();
    let mut blocks: Vec<VerifiedBlock> = Vec::new();
    // The next nonce of the payer after each block.
    let mut nonces = BTreeMap::from([(rules.block().id(), 0)]);
    // Blocks to come of a branch that is to overtake the main chain.
    let mut to_come = 0;
    while blocks.len() < length {
        let ends = chain.ends();
        let parent = match (blocks.last(), to_come) {
            (Some(last), 1..) => {
                to_come -= 1;
                last.id()
            }
            _ if dice.below(12) == 0 => {
                to_come = dice.below(1 + (ends.height - ends.final_height) as usize);
                let fork = ends.height - to_come as u64;
                chain.store().block_at(fork).unwrap().unwrap()
            }
            _ => parent(&mut dice, &chain, &blocks),
        };
        let Some(header) = chain.store().header(&parent).unwrap() else {
            to_come = 0;
            continue;
        };
        let on = (header.id(), header.fields.height);
        let nonce = nonces[&on.0];
        let pays = dice.below(3) > 0;
        let tx = pays.then(|| pay(rules.chain(), 0, nonce, 1 + dice.below(3) as u8, 1));
        let next = nonce + u64::from(pays);
        let builders = if (blocks.len() / PHASE).is_multiple_of(2) { 2 } else { most };
        let by = dice.below(builders) as u8;
        let new = block(&rules, on, header.fields.slot, by, tx.into_iter().collect());
        let mut made = vec![(new.clone(), next)];
        let twins = if to_come > 0 { 0 } else { [0, 0, 0, 0, 0, 0, 0, 1, 1, 2][dice.below(10)] };
        for extra in 0..twins {
            let tx = pay(rules.chain(), 0, nonce, 1, 2 + extra);
            let slot = slot(&new);
            let twin = VerifiedBlock::propose(rules.chain(), on, slot, vec![tx], &authority(by));
            made.push((twin, nonce + 1));
        }
        for (block, nonce) in made {
            nonces.insert(block.id(), nonce);
            chain.import(block.clone(), FAR_SLOT).unwrap();
            blocks.push(block);
        }
    }
    Story { rules, blocks }
}

fn parent(dice: &mut Dice, chain: &Chain<MemoryStore>, blocks: &[VerifiedBlock]) -> BlockId {
    let ends = chain.ends();
    match dice.below(10) {
        // The last block may be the head of a branch that catches up.
        0..4 if !blocks.is_empty() => blocks[blocks.len() - 1].id(),
        4..7 => ends.tip,
        7 if blocks.len() > 4 => blocks[blocks.len() - 1 - dice.below(4)].id(),
        _ => {
            let height = ends.final_height
                + dice.below((ends.height - ends.final_height + 1) as usize) as u64;
            chain.store().block_at(height).unwrap().unwrap()
        }
    }
}

/// Every row of a store.
pub(super) fn rows(store: &impl Store) -> Vec<(Table, Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    for table in Table::ALL {
        let mut visit = |key: &[u8], row: &[u8]| {
            rows.push((table, key.to_vec(), row.to_vec()));
            Ok(())
        };
        store.scan(table, &mut visit).unwrap();
    }
    rows
}

/// Asserts that two chains are the same in all that they keep, on disk and at hand.
pub(super) fn assert_same<A: Store, B: Store>(one: &Chain<A>, other: &Chain<B>, when: &str) {
    assert_eq!(one.ends(), other.ends(), "{when}");
    assert_eq!(one.store().ends().unwrap(), Some(one.ends()), "{when}");
    assert_eq!(other.store().ends().unwrap(), Some(other.ends()), "{when}");
    assert_eq!(one.support, other.support, "{when}");
    assert_eq!(one.first_body(), other.first_body(), "{when}");
    assert_eq!(one.store().first_body().unwrap(), one.first_body(), "{when}");
    assert_same_rows(one, other, &Table::ALL, when);
}

/// Asserts that two chains keep the same in some tables.
pub(super) fn assert_same_rows<A: Store, B: Store>(
    one: &Chain<A>,
    other: &Chain<B>,
    tables: &[Table],
    when: &str,
) {
    type Row = (Table, Vec<u8>, Vec<u8>);
    let rows = |mut rows: Vec<Row>| {
        rows.retain(|(table, ..)| tables.contains(table));
        rows
    };
    let (one, other) = (rows(self::rows(one.store())), rows(self::rows(other.store())));
    if one != other {
        let short = |(table, key, _): &Row| (*table, hex::encode(key));
        let lacks = |these: &[Row], those: &[Row]| -> Vec<_> {
            these.iter().filter(|row| !those.contains(row)).map(short).collect()
        };
        let (first, second) = (lacks(&one, &other), lacks(&other, &one));
        panic!("{when}: only one has {first:?}, only the other {second:?}");
    }
}

#[test]
fn a_story_has_deep_reorganisations_and_finality_and_equivocation() {
    let story = story(1, 400);
    let mut chain = Chain::open(MemoryStore::new(story.rules.id()), story.rules.clone()).unwrap();
    let (mut deepest, mut reorgs, mut third) = (0, 0, 0);
    for block in &story.blocks {
        match chain.import(block.clone(), FAR_SLOT).unwrap() {
            Import::Tip(change) => {
                deepest = deepest.max(change.undone.len());
                reorgs += usize::from(!change.undone.is_empty());
            }
            Import::Refused(Unfit::Equivocation { .. }) => third += 1,
            _ => {}
        }
    }
    let evidence = chain.take_evidence().len();
    assert!(deepest > 4 && reorgs > 20, "{deepest} {reorgs}");
    assert!(evidence > 10 && third > 2, "{evidence} {third}");
    assert!(chain.ends().final_height > 50, "{:?}", chain.ends());
}
