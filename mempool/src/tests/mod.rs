//! The pool against a naive one, and the laws it keeps.

mod admission;
mod both;
mod capacity;
mod equals_naive;
mod figures;
mod local;
mod naive;
mod naive_tip;
mod naive_view;
mod order;
mod template;
mod tip;
mod world;
