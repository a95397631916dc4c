//! Who is there, who has gone, who is busy: membership without a centre.
//!
//! Every node holds the whole list of members. SWIM keeps it right (Das, Gupta, Motivala, "SWIM:
//! Scalable Weakly-consistent Infection-style Process Group Membership Protocol", 2002; the `foca`
//! crate is its state machine): each node probes one random member a second, directly and then by
//! the help of others; who answers neither is suspected, refutes in time or is down; news rides on
//! the probes, each piece about four times the logarithm of the members.
//!
//! A node has a handful of connections and probes anybody. So datagrams travel over the connections
//! that there are, from neighbour to neighbour, along shortest paths that each node works out from
//! what members say of their neighbours ([`routes`]). Each datagram is signed by its source: who
//! carries it can drop it, and nothing else. Members speak for themselves by signed [`profile`]s; a
//! key gets on the list when it has answered a greeting of our own.
//!
//! Everything here is a function of what comes in and of the time. [`Machine`] is the whole of it;
//! the shell gives it frames and the time, and sends what it hands out.

pub mod address;
pub mod book;
pub mod choose;
pub mod load;
pub mod profile;
pub mod routes;
pub mod slots;

mod candidates;
mod codec;
mod envelope;
mod exchange;
mod guard;
mod identity;
mod machine;
mod rumour;
mod seal;
pub(crate) mod stream;
mod suspicion;

#[cfg(test)]
mod tests;

pub use envelope::{MAX_FRAME, MAX_HOPS};
pub use load::Load;
pub use machine::{
    About, Cause, Change, Config, Machine, MemberView, NewError, News, Output, State, Stats,
    Traffic,
};
pub use profile::{Key, Profile, Role, SignedProfile};
