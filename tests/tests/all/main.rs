//! One binary for all tests of real nodes, so that RocksDB and libp2p are linked once.

mod full_disk;
mod hostile;
mod node;
mod refusals;
mod testnet;
mod traps;
mod world;
