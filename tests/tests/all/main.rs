//! One binary for all tests of real nodes, so that RocksDB and libp2p are linked once.

mod catching_up;
mod compact;
mod follower;
mod full_disk;
mod hostile;
mod hostile_storm;
mod lab;
mod lab_up;
mod members;
mod node;
mod partitions;
mod plain;
mod plain_client;
mod push;
mod refusals;
mod storm;
mod testnet;
mod traps;
mod two_faced;
mod unbroadcast;
mod waiting;
mod world;
