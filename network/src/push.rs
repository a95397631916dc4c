//! How nodes spread messages among each other: each along a tree of its own origin, announced over
//! every other connection, acknowledged by every neighbour.
//!
//! Flood and prune for each origin, as reverse-path forwarding does it (Deering, Cheriton:
//! *Multicast Routing in Datagram Internetworks and Extended LANs*, 1990) and Plumtree (Leitão,
//! Pereira, Rodrigues: *Epidemic Broadcast Trees*, 2007), which keeps one tree for all. A message
//! travels with the [`Origin`] of the node that introduced it. At first everyone pushes to everyone.
//! Who gets a second copy tells its sender to be lazy with that origin: to announce, and not to
//! push. So the fastest paths remain. Who hears of a message that does not come asks for it, and
//! tells the giver to be eager again.
//!
//! It is rumour mongering with a stop (Demers and others: *Epidemic Algorithms for Replicated
//! Database Maintenance*, 1987): a message is spread until every peer is known to have it, as it sent,
//! announced or refused it, or until the budget is spent; and [`Heard::Settled`] says which.
//!
//! All of this is pure: a [`Router`] takes what came and what time it is, and says what to send.

mod config;
mod frame;
mod heard;
mod message;
mod missing;
mod peer;
mod queues;
mod receive;
mod router;
mod rumour;
pub(crate) mod stream;
mod tree;
mod varint;

#[cfg(test)]
mod tests;

pub use config::Config;
pub use frame::{Frame, Item, MAX_IDS, MAX_ITEMS, MAX_PARTS, MAX_WANT, Part, Payload};
pub use heard::{Heard, PeerStats, Traffic};
pub use message::{MessageId, Origin, ShortId};
pub use router::{Identify, Router, Size};
