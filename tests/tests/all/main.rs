//! One binary for all tests of real nodes, so that RocksDB and libp2p are linked once.

mod hostile;
mod node;
mod testnet;
mod traps;
mod world;
