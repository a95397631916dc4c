//! Things fail.
