//! What the membership protocol costs.

use super::super::run::Run;
use super::super::window::Window;

/// Bytes that a node sent a second, over all nodes' processes with two samples or more in the window.
pub(super) fn bytes_per_node_s(run: &Run, window: &Window) -> Option<f64> {
    let (mut bytes, mut us) = (0_u64, 0_i64);
    for life in run.nodes.iter().flat_map(|node| &node.lives) {
        let mut samples = life.members_sent.iter().filter(|sample| window.contains(sample.0));
        let Some(first) = samples.next() else { continue };
        let Some(last) = samples.next_back() else { continue };
        bytes += last.1.saturating_sub(first.1);
        us += last.0 - first.0;
    }
    (us > 0).then(|| bytes as f64 / (us as f64 / 1e6))
}
