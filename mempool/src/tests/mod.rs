//! The pool against a naive one, and the laws it keeps.

mod admission;
mod both;
mod capacity;
mod equals_naive;
mod figures;
mod naive;
mod naive_tip;
mod naive_view;
mod template;
mod tip;
mod world;
