//! How RocksDB is set up: small enough that an idle node stays under 100 MiB resident, and safe
//! enough that what was committed is there after a crash. Every number carries its reason.

use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, ColumnFamilyDescriptor, DBCompressionType,
    DBRecoveryMode, DEFAULT_COLUMN_FAMILY_NAME, DataBlockIndexType, InfoLogger, LogLevel, Options,
    WriteOptions,
};

use crate::store::Table;

/// What a commit survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// A loss of power: each commit waits until the disk has it.
    #[default]
    Synced,
    /// A crash of the process, but not of the machine: for tests and the lab, where dozens of
    /// nodes would wait for one disk.
    Buffered,
}

/// How a store is opened.
#[derive(Clone, Copy, Debug)]
pub struct RocksOptions {
    /// What a commit survives.
    pub durability: Durability,
    /// Hears RocksDB's own warnings and errors, one text each, on any thread. They go nowhere
    /// else: RocksDB's `LOG` file would be written even into a directory that is then refused.
    pub log: fn(&str),
}

impl Default for RocksOptions {
    /// Synced, and nobody hears the warnings.
    fn default() -> Self {
        Self { durability: Durability::default(), log: |_| {} }
    }
}

/// Schema, genesis id and the ends of the chain; every other family is a [`Table`].
pub(in crate::store) const META: &str = "meta";

/// Every column family of a store. RocksDB insists on its own default one; it stays empty.
pub(in crate::store) fn all_families() -> Vec<&'static str> {
    let tables = Table::ALL.into_iter().map(Table::name);
    [DEFAULT_COLUMN_FAMILY_NAME, META].into_iter().chain(tables).collect()
}

/// The write buffer of one column family, flushed to a file when full. It holds four blocks of
/// the default limit, so that bodies are not flushed at every block.
const WRITE_BUFFER_BYTES: usize = 4 << 20;

/// All write buffers together; the fullest is flushed when they reach it. Without it, eight
/// families with two buffers each could hold 64 MiB.
const ALL_WRITE_BUFFERS_BYTES: usize = 16 << 20;

/// When the log before the last flush grows to this, the families that hold it back are flushed.
/// It bounds the disk that the log takes and the time to start, as a start reads all of it.
const LOG_BYTES: u64 = 16 << 20;

/// Blocks, indexes and filters of all families together: the headers and accounts that matter
/// again and again, and half of the index of a million transactions. Together with the write buffers
/// it leaves half of the 100 MiB for the rest of the node.
const CACHE_BYTES: usize = 32 << 20;

/// Open files: each costs a few KiB of memory and a descriptor. With files of 16 MiB, 256 of them
/// hold 4 GiB before any is closed and opened again; the usual limit is 1,024 descriptors, which
/// the network needs as well.
const OPEN_FILES: i32 = 256;

/// The size that a file of sorted rows grows to.
const FILE_BYTES: u64 = 16 << 20;

/// One thread to flush and one to compact: a flush must not wait behind a long compaction, and a
/// node that shares two cores with signature checking must not compact on both.
const BACKGROUND_JOBS: i32 = 2;

/// What the manifest sets aside on disk at once. RocksDB's own 4 MiB are for thousands of files;
/// ours holds a few KiB, and the lab runs a hundred stores on one disk.
const MANIFEST_ROOM_BYTES: usize = 64 << 10;

/// The size of a part of an index or a filter: that of a page.
const PART_BYTES: usize = 4 << 10;

/// Files of new rows that the index of transactions may have before they are merged with the rest:
/// half of RocksDB's own.
const NEW_FILES: i32 = 2;

/// The block of the index of transactions, a quarter of RocksDB's own: a lookup wants one row of 44
/// bytes of it, and neighbours of an id are of no use to anybody.
const SMALL_BLOCK_BYTES: usize = 1 << 10;

/// Bits of the bloom filter for each key: one lookup in a hundred for an id that is not there (a
/// new transaction, a new block: the usual question) reads the disk.
const FILTER_BITS_PER_KEY: f64 = 10.0;

/// The options of the database.
pub(in crate::store) fn database(options: RocksOptions) -> Options {
    let mut db = Options::default();
    db.set_db_write_buffer_size(ALL_WRITE_BUFFERS_BYTES);
    db.set_max_total_wal_size(LOG_BYTES);
    db.set_max_open_files(OPEN_FILES);
    db.set_max_background_jobs(BACKGROUND_JOBS);
    db.set_manifest_preallocation_size(MANIFEST_ROOM_BYTES);
    // A record cut short at the end of the log is a commit that never returned: a kill leaves
    // that, and it is dropped. Damage anywhere else would drop commits that did return: RocksDB's
    // default (point in time) would do so in silence, this mode refuses to open.
    db.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    // A log that was closed and is gone, or shorter than it was, is noticed.
    db.set_track_and_verify_wals_in_manifest(true);
    // Nobody reads these statistics; they cost a timer, memory and lines in the log.
    db.set_stats_dump_period_sec(0);
    db.set_stats_persist_period_sec(0);
    let hear = options.log;
    db.set_info_logger(InfoLogger::new_callback_logger(LogLevel::Warn, move |_, text| hear(text)));
    db
}

/// The families, which share one cache.
pub(in crate::store) fn families<'a>(
    names: impl IntoIterator<Item = &'a str>,
) -> Vec<ColumnFamilyDescriptor> {
    let cache = Cache::new_lru_cache(CACHE_BYTES);
    names.into_iter().map(|name| ColumnFamilyDescriptor::new(name, family(name, &cache))).collect()
}

fn family(name: &str, cache: &Cache) -> Options {
    let mut options = Options::default();
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    // Else indexes and filters of all open files stay in memory beside the cache, without bound.
    table.set_cache_index_and_filter_blocks(true);
    // In one piece, the filter of a file is half a mebibyte, which hardly fits a shard of the cache:
    // each lookup would read it anew. In parts, a lookup reads the few KiB that it needs.
    table.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    table.set_partition_filters(true);
    table.set_metadata_block_size(PART_BYTES);
    table.set_pin_top_level_index_and_filter(true);
    // Rows are looked up one by one: within a block a hash finds them without a search.
    table.set_data_block_index_type(DataBlockIndexType::BinaryAndHash);
    table.set_bloom_filter(FILTER_BITS_PER_KEY, false);
    if name == Table::Transactions.name() {
        table.set_block_size(SMALL_BLOCK_BYTES);
        // Ids have no order, so each new file may hold any of them and is asked for all.
        options.set_level_zero_file_num_compaction_trigger(NEW_FILES);
    }
    options.set_block_based_table_factory(&table);
    options.set_write_buffer_size(WRITE_BUFFER_BYTES);
    options.set_target_file_size_base(FILE_BYTES);
    // Ids do not compress, and each lookup would unpack a block to find that out.
    options.set_compression_type(match name == Table::Transactions.name() {
        true => DBCompressionType::None,
        false => DBCompressionType::Lz4,
    });
    options
}

/// How a commit is written.
pub(in crate::store) fn write(durability: Durability) -> WriteOptions {
    let mut write = WriteOptions::default();
    write.set_sync(durability == Durability::Synced);
    write
}
