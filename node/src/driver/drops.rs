//! Why something was dropped, by the place, and whether a message may be lost with it.
//!
//! The network side counts by place alone; what a place means is the same in the metrics and in the log.

/// What a drop at a place means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Drop {
    /// In a word, for `hearsay_dropped_total`.
    pub(super) reason: &'static str,
    /// Whether messages may be missing for it, so that pools are to be compared.
    pub(super) loses: bool,
}

/// What a drop at a place means. A place that is not listed is full, and may lose messages.
pub(super) fn at(place: &str) -> Drop {
    let (reason, loses) = match place {
        // More than any peer has reason to say. It is said again, or nothing is lost with it.
        "gossip-control" | "push-copies" | "push-ids" | "push-turns" | "push-beacons" => {
            ("flood", false)
        }
        // Copies of what is known, and words about paths and members.
        "copy-notes" | "members" | "push-words" => ("full", false),
        "late-verdict" | "push-verdict" => ("late", true),
        "push-expired" => ("expired", true),
        // Two messages of one short id: the second comes by comparing pools.
        "push-collision" => ("collision", true),
        _ => ("full", true),
    };
    Drop { reason, loses }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_begins_no_comparison_and_a_full_queue_does() {
        for place in ["gossip-control", "push-copies", "push-ids", "push-turns", "push-beacons"] {
            assert_eq!(at(place), Drop { reason: "flood", loses: false }, "{place}");
        }
        for place in ["engine-queue", "bridge", "peer-queue", "push-queue", "push-unjudged"] {
            assert_eq!(at(place), Drop { reason: "full", loses: true }, "{place}");
        }
        assert_eq!(at("late-verdict").reason, "late");
        assert!(!at("members").loses);
    }
}
