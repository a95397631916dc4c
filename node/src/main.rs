//! The program `hearsay`. Everything is in the library, where the lab and the tests reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    hearsay_node::cli::main()
}
