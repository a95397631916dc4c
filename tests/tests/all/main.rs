//! One binary for all tests of real nodes, so that RocksDB and libp2p are linked once.

mod node;
mod traps;
mod world;
