//! `[[node]]`: what differs at some nodes, be it their place, their link, when they start, or any
//! setting.

use std::collections::BTreeMap;
use std::time::Duration;

use super::links::{own_link, region};
use super::names::Names;
use super::plan::Access;
use super::problem::{Place, Wrong};
use super::section::Section;
use super::settings::{Changes, Known};
use crate::regions::Regions;

/// What differs at some nodes, settings aside.
#[derive(Debug, Default)]
pub(super) struct SomeNodes {
    pub(super) regions: BTreeMap<usize, usize>,
    pub(super) access: BTreeMap<usize, Access>,
    /// When nodes start that join late, and where that stands.
    pub(super) starts: Vec<(Duration, Vec<usize>, Place)>,
}

impl SomeNodes {
    /// Reads one `[[node]]`, and lays its settings over those before it.
    pub(super) fn read(
        &mut self,
        section: Section<'_>,
        names: Names,
        regions: Option<&Regions>,
        known: &Known,
        changes: &mut Changes,
    ) {
        let problems = section.problems();
        let nodes = match section.item("names") {
            Some(item) => names.read("names", item, problems),
            None => {
                section.missing("names", "names = [\"n0\", \"n2-n5\"]");
                None
            }
        };
        let own = own_link(&section);
        let start = section.get::<Duration>("start");
        let region = match (section.item("region"), regions) {
            (None, _) => None,
            (Some(_), Some(regions)) => section.read("region", |item| region(item, regions)),
            (Some(_), None) => {
                let wrong = Wrong::new("`region` says nothing without a `profile` in [links]");
                section.problem("region", wrong.hint("add profile = \"world-cities\" to [links]"));
                None
            }
        };
        let mut table = toml::Table::new();
        for entry in section.keys().filter(|entry| known.has(entry, problems)) {
            if let Some(value) = known.read(entry, problems) {
                table.insert(entry.key.clone(), value);
            }
        }
        let (place, start_at) = (section.place().clone(), section.item("start").cloned());
        section.finish_with(known.keys());
        let Some(nodes) = nodes else { return };
        for &node in &nodes {
            if let Some(region) = region {
                self.regions.insert(node, region);
            }
            if own != Access::default() {
                let before = self.access.entry(node).or_default();
                before.up = own.up.or(before.up);
                before.down = own.down.or(before.down);
            }
        }
        if let Some((start, item)) = start.zip(start_at).filter(|(start, _)| !start.is_zero()) {
            self.starts.push((start, nodes.clone(), item.place));
        }
        changes.add(Some(nodes), table, place);
    }
}
