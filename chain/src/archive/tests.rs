use std::io::Cursor;

use proptest::prelude::*;

use super::*;
use crate::audit::{Options, audit};
use crate::chain::Chain;
use crate::store::{MemoryStore, Store};
use crate::testing::{FAR_SLOT, empty, genesis, lived, on, root, run, take};

impl File for Cursor<Vec<u8>> {
    fn cut(&mut self, bytes: u64) -> std::io::Result<()> {
        self.get_mut().truncate(usize::try_from(bytes).unwrap());
        Ok(())
    }
}

fn exported(chain: &Chain<MemoryStore>) -> Vec<u8> {
    let mut file = Vec::new();
    export(&chain.to_export(None, None).unwrap(), &mut file, &mut |_| ()).unwrap();
    file
}

fn resumed(chain: &Chain<MemoryStore>, file: &[u8]) -> (Vec<u8>, Result<Exported, ArchiveError>) {
    let mut file = Cursor::new(file.to_vec());
    let result = resume(&chain.to_export(None, None).unwrap(), FileRef(&mut file), &mut |_| ());
    (file.into_inner(), result)
}

/// A file that is looked at again afterwards.
struct FileRef<'a>(&'a mut Cursor<Vec<u8>>);

impl std::io::Read for FileRef<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl std::io::Write for FileRef<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

impl std::io::Seek for FileRef<'_> {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

impl File for FileRef<'_> {
    fn cut(&mut self, bytes: u64) -> std::io::Result<()> {
        self.0.cut(bytes)
    }
}

fn imported(chain: &mut Chain<MemoryStore>, file: &[u8]) -> Result<Imported, ArchiveError> {
    import(chain, file, FAR_SLOT, &mut |_| ())
}

fn assert_sound(chain: &Chain<MemoryStore>) {
    let audit = audit(chain.store(), chain.rules(), Options::default(), &mut |_| ()).unwrap();
    assert_eq!(audit.findings, []);
}

#[test]
fn what_one_chain_exports_another_imports_to_the_same_tip() {
    let from = lived(None);
    let mut to = empty(4);
    let done = imported(&mut to, &exported(&from)).unwrap();
    assert_eq!((done.known, done.added, done.height), (0, 11, 11));
    assert_eq!(to.tip(), from.tip());
    assert_sound(&to);
    let again = imported(&mut to, &exported(&from)).unwrap();
    assert_eq!((again.known, again.added, again.height), (11, 0, 11));
}

#[test]
fn the_format_never_changes() {
    let chain = lived(None);
    let file = exported(&chain);
    assert_eq!(&file[..12], b"HSBLOCKS\x01\0\0\0");
    assert_eq!(&file[12..44], &chain.rules().id().0);
    let first = chain.store().block_at(1).unwrap().unwrap();
    let first = crate::codec::encode(&chain.store().block(&first).unwrap().unwrap().to_block());
    assert_eq!(&file[44..48], &u32::try_from(first.len()).unwrap().to_le_bytes());
    assert_eq!(&file[48..48 + first.len()], &first);
    let end = &file[file.len() - 44..];
    assert_eq!(&end[..4], &[0; 4]);
    assert_eq!(&end[4..12], &11u64.to_le_bytes());
    assert_eq!(&end[12..], &chain.ends().tip.0);
}

#[test]
fn a_chain_without_blocks_makes_an_archive_without_blocks() {
    let file = exported(&empty(4));
    assert_eq!(file.len(), 44 + 44);
    assert_eq!(imported(&mut empty(4), &file).unwrap(), Imported::default());
}

#[test]
fn an_archive_cut_short_anywhere_gives_its_whole_blocks_and_says_so() {
    let whole = exported(&lived(None));
    for length in (0..whole.len()).step_by(7).chain([43, 44, whole.len() - 1, whole.len() - 44]) {
        let mut chain = empty(4);
        let error = imported(&mut chain, &whole[..length]).unwrap_err();
        let height = Some(chain.ends().height).filter(|height| *height > 0);
        match error {
            ArchiveError::CutShort { height: told } => assert_eq!(told, height),
            other => panic!("{length}: {other}"),
        }
        // The rest comes with the whole file.
        imported(&mut chain, &whole).unwrap();
        assert_eq!(chain.ends().height, 11);
    }
}

#[test]
fn an_export_goes_on_after_the_last_whole_block_wherever_it_stopped() {
    let chain = lived(None);
    let whole = exported(&chain);
    for length in (0..=whole.len()).step_by(5).chain([whole.len()]) {
        let (file, result) = resumed(&chain, &whole[..length]);
        let done = result.unwrap();
        assert_eq!(done.before + done.added, 11);
        assert!(file == whole, "{length}");
    }
}

#[test]
fn an_export_goes_on_when_the_chain_has_grown() {
    let mut chain = lived(None);
    let before = exported(&chain);
    let genesis = chain.genesis().clone();
    let tip = chain.store().block(&chain.ends().tip).unwrap().unwrap();
    take(&mut chain, &run(&genesis, on(&tip), &[2, 3], 1));
    let (file, result) = resumed(&chain, &before);
    let done = result.unwrap();
    assert_eq!((done.before, done.added), (11, 2));
    assert!(file == exported(&chain));
}

#[test]
fn a_file_that_cannot_be_continued_is_left_as_it_was() {
    let chain = lived(None);
    let mut diverged = empty(4);
    let rules = diverged.genesis().clone();
    take(&mut diverged, &run(&rules, root(&rules), &[2, 3], 5));
    let mut other_network = exported(&chain);
    other_network[20] ^= 1;
    let long = exported(&chain);
    for (file, by, says) in [
        (b"not an archive".to_vec(), &chain, "it is not an archive of blocks"),
        (vec![0; 3], &chain, "it is not an archive of blocks"),
        (other_network, &chain, "is of network"),
        (exported(&diverged), &chain, "block at height 1 is not on this main chain"),
        (long, &diverged, "block at height 1 is not on this main chain"),
    ] {
        let (after, result) = resumed(by, &file);
        let error = result.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        assert_eq!(after, file);
    }
}

#[test]
fn a_part_is_exported_and_goes_into_a_chain_that_has_what_is_below() {
    let from = lived(None);
    let (mut low, mut high) = (Vec::new(), Vec::new());
    export(&from.to_export(None, Some(5)).unwrap(), &mut low, &mut |_| ()).unwrap();
    export(&from.to_export(Some(6), None).unwrap(), &mut high, &mut |_| ()).unwrap();
    let mut to = empty(4);
    let error = imported(&mut to, &high).unwrap_err();
    assert!(matches!(error, ArchiveError::NoParent { height: 6, .. }), "{error}");
    imported(&mut to, &low).unwrap();
    imported(&mut to, &high).unwrap();
    assert_eq!(to.tip(), from.tip());
    let (_, result) = resumed(&from, &high);
    assert!(matches!(result, Err(ArchiveError::OtherRange { first: 6, .. })), "{result:?}");
}

#[test]
fn heights_that_are_not_there_are_refused() {
    let whole = lived(None);
    let pruned = lived(Some(1));
    for (chain, from, to) in [
        (&whole, Some(0), None),
        (&whole, None, Some(12)),
        (&whole, Some(7), Some(6)),
        (&pruned, None, None),
        (&pruned, Some(7), None),
    ] {
        let refused = chain.to_export(from, to).map(|_| ());
        assert!(matches!(refused, Err(ArchiveError::NoSuchRange { .. })), "{from:?} {to:?}");
    }
    assert_eq!(pruned.to_export(Some(8), None).unwrap().range(), (8, 11));
}

#[test]
fn an_archive_of_another_network_or_format_is_refused_by_name() {
    let file = exported(&lived(None));
    let refused = |at: usize| {
        let mut file = file.clone();
        file[at] ^= 2;
        imported(&mut empty(4), &file).unwrap_err()
    };
    assert!(matches!(refused(0), ArchiveError::Foreign));
    assert!(matches!(refused(8), ArchiveError::Version { found: 3 }));
    assert!(matches!(refused(12), ArchiveError::OtherNetwork { .. }));
}

#[test]
fn a_length_over_the_limit_is_refused_before_memory_is_set_aside() {
    let mut file = exported(&empty(4));
    file.truncate(44);
    file.extend_from_slice(&u32::MAX.to_le_bytes());
    let error = imported(&mut empty(4), &file).unwrap_err();
    let limit = genesis(4).limits.block_bytes as usize;
    match error {
        ArchiveError::TooLong { height: None, found, limit: told } => {
            assert_eq!((found, told), (u32::MAX as usize, limit));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn what_follows_the_end_and_an_end_of_other_blocks_are_noticed() {
    let mut trailing = exported(&lived(None));
    trailing.push(0);
    let error = imported(&mut empty(4), &trailing).unwrap_err();
    assert!(matches!(error, ArchiveError::Trailing), "{error}");
    let mut other = exported(&lived(None));
    let at = other.len() - 40;
    other[at] = 12;
    let error = imported(&mut empty(4), &other).unwrap_err();
    assert!(matches!(error, ArchiveError::WrongEnd { count: 12, .. }), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_flipped_bit_anywhere_stops_an_import_and_keeps_a_sound_beginning(
        at in any::<prop::sample::Index>(),
        bit in 0u8..8,
    ) {
        let from = lived(None);
        let mut file = exported(&from);
        let at = at.index(file.len());
        file[at] ^= 1 << bit;
        let mut to = empty(4);
        let error = imported(&mut to, &file).unwrap_err();
        prop_assert!(!error.to_string().contains('\n'));
        assert_sound(&to);
        let height = to.ends().height;
        prop_assert_eq!(to.store().block_at(height).unwrap(), from.store().block_at(height).unwrap());
    }
}
