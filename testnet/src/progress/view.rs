//! What the lines on stderr say. Pure.

use std::fmt;
use std::time::Duration;

use hearsay_node::api::NodeStatus;

use crate::load::Counts;
use crate::report::live::Live;

/// More nodes than this are not shown one by one; a screen must hold them.
const ROWS: usize = 16;

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The nodes start and find each other.
    Starting,
    /// Transactions are handed in, for this long.
    Loading(Duration),
    /// The load is over, and what is under way arrives.
    Settling,
    /// The testnet is there for its user.
    Kept,
    /// The nodes are being stopped.
    Stopping,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Phase::Starting => f.write_str("starting the nodes"),
            Phase::Loading(length) => write!(f, "load for {:.0} s", length.as_secs_f64()),
            Phase::Settling => f.write_str("load is over, settling"),
            Phase::Kept => f.write_str("running until Ctrl-C"),
            Phase::Stopping => f.write_str("stopping the nodes"),
        }
    }
}

/// What is known of a node before it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: String,
    /// Whether it proposes blocks.
    pub authority: bool,
}

/// Everything that the lines tell.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// What is being done.
    pub phase: Phase,
    /// For how long already.
    pub elapsed: Duration,
    /// The tally over the logs.
    pub live: Live,
    /// The load.
    pub load: &'a Counts,
    /// The nodes, each with what it last said.
    pub nodes: &'a [(Label, Option<NodeStatus>)],
}

impl View<'_> {
    /// One plain line.
    #[must_use]
    pub fn line(&self) -> String {
        let Live { published_tx, delivered, p50_ms, p99_ms, height, .. } = self.live;
        let up = self.nodes.iter().filter(|(_, status)| status.is_some()).count();
        format!(
            "{:>5.1} s  {}: {up} of {} nodes up, height {height}, {published_tx} tx published, {} \
             delivered, p50 {}, p99 {}",
            self.elapsed.as_secs_f64(),
            self.phase,
            self.nodes.len(),
            percent(delivered),
            ms(p50_ms),
            ms(p99_ms),
        )
    }

    /// The lines that are redrawn in place, of 79 columns at most.
    #[must_use]
    pub fn block(&self) -> String {
        let Live { published_tx, delivered, p50_ms, p99_ms, blocks, .. } = self.live;
        let Counts { planned, submitted, .. } = self.load;
        let mut lines = vec![format!("{}, {:.1} s", self.phase, self.elapsed.as_secs_f64())];
        if *planned > 0 {
            lines.push(format!("handed in {submitted} of {planned} transactions"));
        }
        lines.push(format!(
            "published {published_tx} tx and {blocks} blocks; tx delivered {}, p50 {}, p99 {}",
            percent(delivered),
            ms(p50_ms),
            ms(p99_ms),
        ));
        lines.push(row(["node", "", "height", "final", "peers", "pool"]));
        lines.extend(self.nodes.iter().take(ROWS).map(|(label, status)| node(label, status)));
        if let Some(others) = self.nodes.get(ROWS..).filter(|others| !others.is_empty()) {
            lines.push(summary(others));
        }
        lines.join("\n")
    }
}

fn row(cells: [&str; 6]) -> String {
    let [name, role, height, last, peers, pool] = cells;
    format!("{name:<8}{role:<10}{height:>8}{last:>8}{peers:>8}{pool:>8}").trim_end().to_owned()
}

fn node(label: &Label, status: &Option<NodeStatus>) -> String {
    let role = if label.authority { "authority" } else { "" };
    let Some(status) = status else {
        return row([&label.name, role, "-", "-", "-", "-"]);
    };
    let figures = [status.height, status.final_height, status.peers, status.mempool.count];
    let [height, last, peers, pool] = figures.map(|figure| figure.to_string());
    row([&label.name, role, &height, &last, &peers, &pool])
}

fn summary(others: &[(Label, Option<NodeStatus>)]) -> String {
    let answering = || others.iter().filter_map(|(_, status)| status.as_ref());
    let range = |figure: fn(&NodeStatus) -> u64| {
        let least = answering().map(figure).min();
        let most = answering().map(figure).max();
        match (least, most) {
            (Some(least), Some(most)) if least < most => format!("{least}-{most}"),
            (Some(all), _) => all.to_string(),
            _ => "-".to_owned(),
        }
    };
    let name = format!("{} more", others.len());
    let height = range(|status| status.height);
    let last = range(|status| status.final_height);
    let peers = range(|status| status.peers);
    let pool = range(|status| status.mempool.count);
    row([&name, "", &height, &last, &peers, &pool])
}

fn percent(share: Option<f64>) -> String {
    // Rounded down, so that 100 % means all.
    share.map_or("-".to_owned(), |share| format!("{:.1} %", (share * 1_000.0).floor() / 10.0))
}

fn ms(figure: Option<f64>) -> String {
    figure.map_or("-".to_owned(), |figure| format!("{figure:.1} ms"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::testing::status;

    fn nodes(count: usize) -> Vec<(Label, Option<NodeStatus>)> {
        let node = |number: usize| {
            let label = Label { name: format!("n{number}"), authority: number == 0 };
            (label, Some(NodeStatus { height: number as u64, peers: 4, ..status() }))
        };
        (0..count).map(node).collect()
    }

    fn live() -> Live {
        Live {
            published_tx: 200,
            delivered: Some(0.99999),
            p50_ms: Some(3.25),
            height: 12,
            blocks: 12,
            ..Live::default()
        }
    }

    fn view<'a>(load: &'a Counts, nodes: &'a [(Label, Option<NodeStatus>)]) -> View<'a> {
        let phase = Phase::Loading(Duration::from_secs(30));
        View { phase, elapsed: Duration::from_millis(10_250), live: live(), load, nodes }
    }

    #[test]
    fn the_plain_line_has_the_figures_that_matter() {
        let mut nodes = nodes(3);
        nodes[2].1 = None;
        assert_eq!(
            view(&Counts::default(), &nodes).line(),
            " 10.2 s  load for 30 s: 2 of 3 nodes up, height 12, 200 tx published, 99.9 % \
             delivered, p50 3.2 ms, p99 -"
        );
    }

    #[test]
    fn the_block_has_a_row_for_each_node_and_says_who_does_not_answer() {
        let mut nodes = nodes(3);
        nodes[2].1 = None;
        let load = Counts { planned: 600, submitted: 210, ..Counts::default() };
        let block = view(&load, &nodes).block();
        let lines: Vec<_> = block.lines().collect();
        assert_eq!(lines.len(), 7);
        assert_eq!(lines[1], "handed in 210 of 600 transactions");
        assert!(lines[4].starts_with("n0      authority        0"), "{block}");
        assert!(lines[6].starts_with("n2                       -"), "{block}");
    }

    #[test]
    fn many_nodes_are_summed_up_and_no_line_is_too_long_for_a_terminal() {
        let nodes = nodes(100);
        let block = view(&Counts { planned: 600, ..Counts::default() }, &nodes).block();
        assert_eq!(block.lines().count(), 4 + ROWS + 1);
        assert!(block.lines().last().unwrap().starts_with("84 more"), "{block}");
        assert!(block.lines().last().unwrap().contains("16-99"), "{block}");
        assert!(block.lines().all(|line| line.chars().count() < 80), "{block}");
    }
}
