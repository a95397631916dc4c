//! Whether a node's wall clock stepped while it ran.
//!
//! Each line carries the wall clock and a clock that never steps back. Their difference stays the
//! same but for a slow correction of the wall clock. A step of the wall clock moves it for good; a
//! process that loses the processor between reading the two clocks moves it for one line only.

/// A smaller change is taken for a correction or for a pause between the two readings.
const TOLERANCE_US: u64 = 20_000;

/// So many lines in a row must agree on a new difference before it is called a step.
const AGREEING_LINES: u32 = 8;

/// Watches the difference of the two clocks of one node, in microseconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClockWatch {
    reference: i64,
    suspect: i64,
    agreeing: u32,
    steps: u64,
}

impl ClockWatch {
    /// A new process: its steady clock begins anew, and so does the difference.
    pub(crate) fn restart(&mut self, offset: i64) {
        self.reference = offset;
        self.agreeing = 0;
    }

    /// Takes the difference that one line shows.
    pub(crate) fn observe(&mut self, offset: i64) {
        if offset.abs_diff(self.reference) <= TOLERANCE_US {
            // Follow a slow correction, which may exceed the tolerance over hours.
            self.reference = offset;
            self.agreeing = 0;
            return;
        }
        let agrees = self.agreeing > 0 && offset.abs_diff(self.suspect) <= TOLERANCE_US;
        self.agreeing = if agrees { self.agreeing + 1 } else { 1 };
        self.suspect = offset;
        if self.agreeing == AGREEING_LINES {
            self.steps += 1;
            self.restart(offset);
        }
    }

    /// Steps seen so far, over all processes of the node.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps_of(offsets: impl IntoIterator<Item = i64>) -> u64 {
        let mut watch = ClockWatch::default();
        watch.restart(0);
        for offset in offsets {
            watch.observe(offset);
        }
        watch.steps()
    }

    #[test]
    fn a_difference_that_moves_for_good_is_one_step() {
        assert_eq!(steps_of([0, 0].into_iter().chain([500_000; 20])), 1);
        assert_eq!(steps_of([-500_000; 8]), 1);
    }

    #[test]
    fn a_single_late_reading_is_no_step() {
        assert_eq!(steps_of([0, 80_000, 0, 0, 90_000, 0]), 0);
        assert_eq!(steps_of([80_000, 200_000].repeat(20)), 0);
    }

    #[test]
    fn a_slow_correction_is_no_step_however_far_it_goes() {
        assert_eq!(steps_of((0..1_000).map(|line| line * 10_000)), 0);
    }

    #[test]
    fn a_restart_begins_anew() {
        let mut watch = ClockWatch::default();
        watch.restart(0);
        watch.restart(9_000_000);
        (0..20).for_each(|_| watch.observe(9_000_000));
        assert_eq!(watch.steps(), 0);
    }
}
