//! The model under virtual time, the shaped stream over a pipe, and real swarms over shaped links.

mod model;
mod pipe;
mod stream;
mod swarms;
