//! Why a command stopped, and the exit code it stops with.

use std::fmt;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitCode, ExitStatus};

/// A sentence for the user and an exit code for the shell.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// Something did not work.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 1 }
    }

    /// The command line itself was wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 2 }
    }

    /// A program ended badly: its own exit code, or 128 and the signal as a shell would say.
    pub(crate) fn ended(what: &str, status: ExitStatus) -> Self {
        let code = match (status.code(), status.signal()) {
            (Some(code), _) => code,
            (None, Some(signal)) => 128 + signal,
            (None, None) => 1,
        };
        Self {
            message: format!("xtask: {what} failed: {status}"),
            code: code.try_into().unwrap_or(1),
        }
    }

    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_programs_exit_code_is_passed_on() {
        assert_eq!(Failure::ended("it", ExitStatus::from_raw(6 << 8)).code, 6);
    }

    #[test]
    fn a_signal_becomes_128_and_its_number() {
        assert_eq!(Failure::ended("it", ExitStatus::from_raw(2)).code, 130);
    }
}
