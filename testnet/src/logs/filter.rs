//! Which lines are shown. Pure.

/// Lets a line through if its node, its event and one of its ids are wanted; a list that is empty
/// wants everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The names of nodes.
    pub nodes: Vec<String>,
    /// The names of events.
    pub events: Vec<String>,
    /// The first digits of ids of transactions or blocks.
    pub ids: Vec<String>,
}

/// The fields that name a transaction or a block.
const IDS: [&str; 6] = ["id", "block", "previous", "parent", "first", "second"];

impl Filter {
    /// Whether a node's log is read at all.
    #[must_use]
    pub fn takes_node(&self, name: &str) -> bool {
        self.nodes.is_empty() || self.nodes.iter().any(|node| node == name)
    }

    /// Whether a line is shown.
    #[must_use]
    pub fn takes_line(&self, line: &str) -> bool {
        if self.events.is_empty() && self.ids.is_empty() {
            return true;
        }
        let Ok(value) = serde_json::from_str::<serde_json::Value>(line) else { return false };
        let event = value["event"].as_str().unwrap_or_default();
        let wanted = self.events.is_empty() || self.events.iter().any(|name| name == event);
        wanted && (self.ids.is_empty() || self.names_one(&value))
    }

    fn names_one(&self, value: &serde_json::Value) -> bool {
        let named = IDS.iter().filter_map(|field| value[*field].as_str());
        let begins = |id: &str| {
            self.ids.iter().any(|prefix| {
                id.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
            })
        };
        named.into_iter().any(begins)
    }
}
