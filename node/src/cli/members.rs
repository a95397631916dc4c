//! `hearsay members`.

use std::io::IsTerminal;
use std::time::Duration;

use clap::Args;
use tokio::time::{MissedTickBehavior, interval};

use super::console::{Console, table};
use super::failure::Failure;
use super::node::Node;
use crate::api::{MemberInfo, MemberLoad};
use crate::rpc::RpcClient;

/// How often the list is asked for while it is watched: as often as a member is probed.
const PERIOD: Duration = Duration::from_secs(1);

/// The most characters of a name that are shown, so that a line has at most 100.
const NAME: usize = 13;

/// The last characters of a peer id that are shown. Those of Ed25519 keys begin alike.
const PEER: usize = 8;

/// Clears a terminal's screen and puts the cursor in its corner (ECMA-48).
const CLEAR: &str = "\x1b[H\x1b[2J";

const COLUMNS: &str = "\
`SINCE` is how long the member has been in its state. `INC`, its incarnation, rises by one with each
suspicion that it refuted since it started, and by 65536 each time that it came back after it was held to
be down. `BUSY`, `POOL`, `TX/S` and `HEIGHT` are what it says of its load. A `*` stands before the node
that was asked, a `+` before those that it is connected to.";

/// List the members of the network, as a node knows them
#[derive(Args, Debug)]
#[command(after_help = COLUMNS)]
pub(super) struct Members {
    /// Go on: each second the list anew, on a terminal in place, else as a line of JSON
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    node: Node,
}

impl Members {
    pub(super) async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        if self.watch {
            return self.follow(console).await;
        }
        let members = self.ask().await?;
        if members.is_empty() {
            console.say(format_args!("the node takes no part in the membership"));
        }
        console.show(self.node.json, &members, |members| match members.as_slice() {
            [] => String::new(),
            members => human(members),
        })
    }

    async fn ask(&self) -> Result<Vec<MemberInfo>, Failure> {
        self.node.ask(self.node.client()?.members_list()).await
    }

    /// Shows the list again and again, until the node cannot be reached or nobody reads any more.
    async fn follow(&self, console: &mut Console<'_>) -> Result<(), Failure> {
        let dumb = std::env::var_os("TERM").is_none_or(|terminal| terminal == "dumb");
        let in_place = !self.node.json && !dumb && std::io::stdout().is_terminal();
        let mut due = interval(PERIOD);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            due.tick().await;
            let members = self.ask().await?;
            if in_place {
                console.text(&format!("{CLEAR}{}", human(&members)))?;
            } else {
                let line = serde_json::to_string(&members);
                console.text(&line.map_err(|error| Failure::Failed(error.to_string()))?)?;
            }
        }
    }
}

fn human(members: &[MemberInfo]) -> String {
    let rows: Vec<_> = members.iter().map(row).collect();
    let heading =
        ["  NAME", "PEER", "STATE", "SINCE", "INC", "RTT", "BUSY", "POOL", "TX/S", "HEIGHT"];
    table(heading, &rows)
}

fn row(member: &MemberInfo) -> [String; 10] {
    let mark = match (member.own, member.neighbour) {
        (true, _) => '*',
        (false, true) => '+',
        (false, false) => ' ',
    };
    let name: String = match member.name.chars().count() {
        0 => "-".to_owned(),
        1..=NAME => member.name.clone(),
        _ => member.name.chars().take(NAME - 1).chain(['…']).collect(),
    };
    let skip = member.peer.chars().count().saturating_sub(PEER);
    let state = member.cause.map_or_else(
        || member.state.word().to_owned(),
        |cause| format!("{} ({})", member.state.word(), cause.word()),
    );
    let load =
        |told: fn(&MemberLoad) -> String| member.load.as_ref().map_or_else(|| "-".to_owned(), told);
    [
        format!("{mark} {name}"),
        member.peer.chars().skip(skip).collect(),
        state,
        short_span(member.since_ms),
        member.incarnation.to_string(),
        member.rtt_ms.map_or_else(|| "-".to_owned(), short_rtt),
        load(|load| format!("{:.0} %", load.busy * 100.0)),
        load(|load| short_size(load.pool_bytes)),
        load(|load| load.tx_per_s.to_string()),
        load(|load| load.height.to_string()),
    ]
}

/// A length of time by its largest unit, or its two largest where one says little.
fn short_span(ms: u64) -> String {
    let seconds = ms / 1_000;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h{:02}m", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

fn short_rtt(ms: f64) -> String {
    if ms < 100.0 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}

fn short_size(bytes: u64) -> String {
    match bytes {
        0 => "0".to_owned(),
        1..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::fake::{member, member_down};

    #[test]
    fn the_widest_line_has_a_hundred_characters_at_most() {
        let load = MemberLoad {
            pool_bytes: 64 << 30,
            tx_per_s: u16::MAX,
            queue: u16::MAX,
            busy: 1.0,
            height: 999_999_999,
            age_ms: 0,
        };
        let wide = MemberInfo {
            since_ms: 99 * 86_400_000,
            incarnation: 0xff_ffff,
            load: Some(load),
            rtt_ms: Some(9_999.0),
            ..member_down()
        };
        let text = human(&[wide]);
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest.is_some_and(|width| width <= 100), "{widest:?} {text}");
    }

    #[test]
    fn a_table_tells_each_member_in_a_line() {
        let text = human(&[member(), member_down()]);
        let lines: Vec<&str> = text.lines().collect();
        let words = |line: usize| lines[line].split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(lines.len(), 3);
        assert_eq!(words(0), "NAME PEER STATE SINCE INC RTT BUSY POOL TX/S HEIGHT");
        assert_eq!(words(1), "* n0 YERTEypN alive 1m01s 1 - 25 % 3.1 MB 250 20");
        assert_eq!(words(2), "a-node-with-… ooWGuest down (probe) 1h02m 1 81.2 ms - - - -");
    }

    #[test]
    fn times_and_sizes_are_short() {
        for (ms, text) in [
            (999, "0s"),
            (59_000, "59s"),
            (61_000, "1m01s"),
            (3_725_000, "1h02m"),
            (90_000_000, "1d01h"),
        ] {
            assert_eq!(short_span(ms), text);
        }
        assert_eq!([0, 1, 999_999, 1_500_000].map(short_size), ["0", "1 kB", "1000 kB", "1.5 MB"]);
    }
}
