//! The pool against a naive one, and the laws it keeps.

mod admission;
mod capacity;
mod equals_naive;
mod figures;
mod naive;
mod template;
mod tip;
mod world;
