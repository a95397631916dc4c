//! What is asked of a running testnet: the keys of one `[[at]]` entry, read by the same rules.

use std::sync::Arc;
use std::time::Duration;

use super::actions::{self, What};
use super::names::Names;
use super::problem::{Place, Problem, Problems, Wrong};
use super::section::Section;
use super::streams::{Purpose, stream};
use super::{Action, Scenario, tree};
use crate::load::{Schedule, Spec};

/// What problems call the words of a command line.
const COMMAND: &str = "command line";

/// Something to be done now.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// An action.
    Action(Action),
    /// A load that is in no scenario.
    Load {
        /// When its transactions are due, and what they hold.
        spec: Spec,
        /// How many accounts send it.
        senders: usize,
        /// The nodes that it is handed to; none: all that are up.
        entries: Option<Vec<usize>>,
    },
}

impl Scenario {
    /// Reads the keys of one `[[at]]` entry, without `time`. The random numbers of a load follow from
    /// the seed and from `nth`, the place of this load among all.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn wish(&self, text: &str, nth: usize, longest: Duration) -> Result<Wish, Vec<Problem>> {
        let file: Arc<str> = COMMAND.into();
        let problems = Problems::new(&file);
        let table = tree::parse(&format!("time = \"0s\"\n{text}"), &problems);
        let section = Section::new("[[at]]", &Place::START, &table, &problems);
        let names = Names { count: Some(self.nodes.count) };
        let placed = actions::read(section, names, Some(longest));
        let [one] = placed.as_slice() else {
            if problems.is_empty() {
                problems.add(&Place::START, Wrong::new("one thing at a time"));
            }
            return Err(problems.into_sorted().0);
        };
        let wish = match &one.what {
            What::Action(action) => Wish::Action(action.clone()),
            What::Load(load) => Wish::Load {
                spec: Spec {
                    schedule: Schedule {
                        shape: load.shape,
                        duration: load.until - load.from,
                        seed: stream(self.seed, Purpose::Arrivals(nth)),
                    },
                    payload: load.payload.clone(),
                    fee: load.fee.clone(),
                    via: load.via.clone(),
                    seed: stream(self.seed, Purpose::Transactions(nth)),
                },
                senders: load.senders,
                entries: load.entries.clone(),
            },
        };
        match problems.into_sorted().0 {
            found if found.is_empty() => Ok(wish),
            found => Err(found),
        }
    }

    /// What it is, in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let (plan, nodes) = (self.layout(), self.nodes);
        let count: u64 = plan.loads.iter().map(|load| load.spec.schedule.count()).sum();
        let place = if nodes.in_process { " in one process" } else { "" };
        let connections = match plan.bootstrap {
            Some(first) => format!("found from n{first}"),
            None => format!("{} connections", plan.edges.len()),
        };
        format!(
            "{}: {} nodes{place}, {connections}, {count} transactions, {} timed actions, {} assertions, \
             {:?}",
            self.name,
            nodes.count,
            plan.actions.len() - plan.loads.len(),
            self.asserts.list.len(),
            self.duration,
        )
    }
}

impl Problem {
    /// Without its place, for what is in no file.
    #[must_use]
    pub fn sentence(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}; {hint}", self.message),
            None => self.message.clone(),
        }
    }
}

/// Problems, one a line.
#[must_use]
pub fn list(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(text: &str) -> Result<Wish, String> {
        let scenario =
            "name = \"a\"\nduration = \"1s\"\n[nodes]\ncount = 4\n[topology]\nkind = \"ring\"";
        let scenario = Scenario::parse(scenario, "a.toml").unwrap();
        scenario
            .wish(text, 3, Duration::from_secs(3_600))
            .map_err(|found| found.iter().map(Problem::sentence).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn a_wish_reads_like_an_entry_of_the_scenario() {
        assert_eq!(wish("kill = [\"n3\"]"), Ok(Wish::Action(Action::Kill(vec![3]))));
        let cut = Action::Cut { from: vec![0], to: vec![1, 2, 3], one_way: false };
        assert_eq!(wish("cut = [[\"n0\"], [\"*\"]]"), Ok(Wish::Action(cut)));
        let Ok(Wish::Load { spec, senders, entries }) =
            wish("[load]\nrate = 20\nfor = \"10s\"\nsenders = 3\nentry = \"n1\"")
        else {
            panic!("no load")
        };
        assert_eq!((spec.schedule.count(), senders, entries), (200, 3, Some(vec![1])));
    }

    #[test]
    fn what_is_wrong_is_said_without_a_place_that_nobody_sees() {
        assert!(wish("kill = [\"n9\"]").unwrap_err().contains("n9"));
        assert!(wish("kil = [\"n1\"]").unwrap_err().contains("`kill`"));
        assert!(wish("kill = [\"n1\"]\nheal = true").is_err());
        assert!(wish("").is_err());
    }
}
