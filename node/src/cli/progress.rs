//! A bar on stderr for work that takes a while, where a person can see it.

use std::borrow::Cow;
use std::env;

use hearsay_chain::audit;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often it is drawn at most, in times a second.
const DRAWN: u8 = 10;

/// A bar; gone when dropped.
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// A bar for so many heights or rows; without a total, a count alone.
    pub(super) fn counting(total: Option<u64>) -> Self {
        Self::with(total, "{pos} of {len}", "{pos}")
    }

    /// A bar for so many bytes; without a total, a count alone.
    pub(super) fn bytes(total: Option<u64>) -> Self {
        Self::with(total, "{bytes} of {total_bytes}, {bytes_per_sec}", "{bytes}, {bytes_per_sec}")
    }

    fn with(total: Option<u64>, of_total: &str, alone: &str) -> Self {
        // On a pipe it draws nothing by itself.
        let dumb = env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        let target = match dumb {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::stderr_with_hz(DRAWN),
        };
        let bar = ProgressBar::with_draw_target(total, target);
        let template = match total {
            Some(_) => format!("{{msg}} [{{bar:30}}] {of_total}, {{eta}} left"),
            None => format!("{{msg}} {{spinner}} {alone}, {{elapsed}}"),
        };
        // Fails only on a template that is wrong, which the tests would show.
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self(bar)
    }

    /// Says what is being done, and how far it has come.
    pub(super) fn set(&self, what: impl Into<Cow<'static, str>>, done: u64) {
        self.0.set_message(what);
        self.0.set_position(done);
    }

    /// Says how far an audit has come.
    pub(super) fn audit(&self, progress: audit::Progress) {
        self.0.update(|state| match progress.total {
            Some(total) => state.set_len(total),
            // What the table will have is not known; what was done is shown.
            None => state.set_len(progress.done),
        });
        self.set(format!("checking {}", progress.stage), progress.done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_one() {
        for template in ["{msg} [{bar:30}] {pos} of {len}, {eta} left", "{msg} {spinner} {bytes}"] {
            ProgressStyle::with_template(template).unwrap();
        }
        Bar::counting(Some(3)).set("counting", 1);
        Bar::bytes(None).set("reading", 1);
    }
}
