//! The RPC over a real port, against a node made of a few lines.

mod calls;
mod following;
mod http_paths;
mod limits;
mod web_pages;
