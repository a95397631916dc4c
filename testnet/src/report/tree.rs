//! The tree that a message grew: each node under the one from which it had its first copy.

use super::run::{Message, NodeIx, Run};

/// The forwarding tree of one message.
#[derive(Debug)]
pub(crate) struct Tree {
    parents: Vec<Option<NodeIx>>,
    depths: Vec<Option<u32>>,
}

impl Tree {
    /// The tree of `message`.
    pub(crate) fn of(run: &Run, message: &Message) -> Self {
        let parent = |at: &super::run::AtNode| run.node_of(at.delivered()?.from);
        let mut tree = Tree {
            parents: message.at.iter().map(parent).collect(),
            depths: vec![None; message.at.len()],
        };
        for node in 0..tree.parents.len() {
            tree.depths[node] = tree.climb(message, node);
        }
        tree
    }

    /// Hops from the node that introduced the message: 0 at that node. `None` where the message
    /// never came, and where the way back does not end at a node that introduced it: it came from a
    /// stranger, or the logs contradict each other.
    pub(crate) fn depth(&self, node: NodeIx) -> Option<u32> {
        self.depths[node]
    }

    /// The node whose copy was the first at `node`.
    pub(crate) fn parent(&self, node: NodeIx) -> Option<NodeIx> {
        self.parents[node]
    }

    /// The way from the node that introduced the message to `node`, both included; `None` where
    /// there is no [`depth`](Tree::depth).
    pub(crate) fn path(&self, node: NodeIx) -> Option<Vec<NodeIx>> {
        self.depths[node]?;
        let mut path: Vec<_> =
            std::iter::successors(Some(node), |&node| self.parents[node]).collect();
        path.reverse();
        Some(path)
    }

    /// Counts the steps up to a root; more steps than nodes mean a circle.
    fn climb(&self, message: &Message, node: NodeIx) -> Option<u32> {
        let mut at = node;
        let mut depth = 0;
        while message.at[at].root_at().is_none() {
            if let Some(known) = self.depths[at] {
                return Some(depth + known);
            }
            at = self.parents[at]?;
            depth += 1;
            if depth as usize > self.parents.len() {
                return None;
            }
        }
        Some(depth)
    }
}
