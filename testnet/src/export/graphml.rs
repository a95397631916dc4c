//! The topology as GraphML, which graph editors and libraries read (graphml.graphdrawing.org).

use std::fmt::Write;
use std::time::Duration;

use crate::scenario::{LabPlan, Scenario};

/// What nodes and edges carry: id, whose it is, its name and its type.
const KEYS: &[(&str, &str, &str, &str)] = &[
    ("name", "node", "name", "string"),
    ("region", "node", "region", "string"),
    ("role", "node", "role", "string"),
    ("up", "node", "uplink_bytes_per_s", "long"),
    ("down", "node", "downlink_bytes_per_s", "long"),
    ("start", "node", "start_s", "double"),
    ("there", "edge", "delay_ms", "double"),
    ("back", "edge", "delay_back_ms", "double"),
    ("rate", "edge", "rate_bytes_per_s", "long"),
    ("loss", "edge", "loss", "double"),
];

/// The topology of a scenario. Of a link whose directions differ, `delay_ms`, rate and loss are those
/// from its source to its target, and `delay_back_ms` is the other direction's. What has no limit has
/// no value.
#[must_use]
pub fn graphml(scenario: &Scenario) -> String {
    let plan = scenario.layout();
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n",
    );
    for (id, whose, name, kind) in KEYS {
        line(
            &mut xml,
            &format!(
                "<key id=\"{id}\" for=\"{whose}\" attr.name=\"{name}\" attr.type=\"{kind}\"/>"
            ),
        );
    }
    let id = escaped(&scenario.name);
    line(&mut xml, &format!("<graph id=\"{id}\" edgedefault=\"undirected\">"));
    for node in 0..plan.nodes() {
        add_node(&mut xml, &plan, node);
    }
    for (a, b) in plan.pairs() {
        add_edge(&mut xml, &plan, (a, b));
    }
    line(&mut xml, "</graph>");
    xml.push_str("</graphml>\n");
    xml
}

fn add_node(xml: &mut String, plan: &LabPlan, node: usize) {
    line(xml, &format!("<node id=\"n{node}\">"));
    data(xml, "name", Some(format!("n{node}")));
    data(xml, "region", plan.region(node).map(str::to_owned));
    let role = if plan.authorities.contains(&node) { "authority" } else { "follower" };
    data(xml, "role", Some(role.to_owned()));
    data(xml, "up", plan.access[node].up);
    data(xml, "down", plan.access[node].down);
    data(xml, "start", Some(plan.starts[node].as_secs_f64()));
    line(xml, "</node>");
}

fn add_edge(xml: &mut String, plan: &LabPlan, (a, b): (usize, usize)) {
    let (there, back) = (plan.link(a, b), plan.link(b, a));
    line(xml, &format!("<edge source=\"n{a}\" target=\"n{b}\">"));
    data(xml, "there", Some(ms(there.delay)));
    data(xml, "back", Some(ms(back.delay)));
    data(xml, "rate", there.rate);
    data(xml, "loss", Some(there.loss));
    line(xml, "</edge>");
}

fn ms(delay: Duration) -> f64 {
    delay.as_micros() as f64 / 1e3
}

fn data<T: ToString>(xml: &mut String, key: &str, value: Option<T>) {
    if let Some(value) = value {
        line(xml, &format!("  <data key=\"{key}\">{}</data>", escaped(&value.to_string())));
    }
}

fn line(xml: &mut String, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(xml, "  {text}");
}

/// Text as it may stand in XML, between tags and in quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            // XML has no way to write these at all.
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_network_is_told_to_the_last_letter() {
        let scenario = Scenario::parse(
            "name = \"two\"\nduration = \"9s\"\n[nodes]\ncount = 2\nauthorities = 1\n\
             [links]\nprofile = \"interop-8\"\nplacement = [\"europe\", \"na-west\"]\n\
             uplink = \"8Mbit\"\nloss = 0.01\n\
             [[links.edge]]\nfrom = \"n1\"\nto = \"n0\"\ndelay = \"1.5ms\"\n",
            "two.toml",
        );
        let xml = graphml(&scenario.unwrap());
        let body = xml.split_once("edgedefault=\"undirected\">\n").unwrap().1;
        assert_eq!(
            body,
            "  <node id=\"n0\">\n    <data key=\"name\">n0</data>\n    <data key=\"region\">europe</data>\n    \
             <data key=\"role\">authority</data>\n    <data key=\"up\">1000000</data>\n    \
             <data key=\"start\">0</data>\n  </node>\n  \
             <node id=\"n1\">\n    <data key=\"name\">n1</data>\n    <data key=\"region\">na-west</data>\n    \
             <data key=\"role\">follower</data>\n    <data key=\"up\">1000000</data>\n    \
             <data key=\"start\">0</data>\n  </node>\n  \
             <edge source=\"n0\" target=\"n1\">\n    <data key=\"there\">110</data>\n    \
             <data key=\"back\">1.5</data>\n    <data key=\"loss\">0.01</data>\n  </edge>\n  \
             </graph>\n</graphml>\n"
        );
    }

    #[test]
    fn every_tag_that_is_opened_is_closed_and_every_key_is_declared() {
        let text = "name = \"t\"\nduration = \"9s\"\n[nodes]\ncount = 12\n";
        let xml = graphml(&Scenario::parse(text, "t.toml").unwrap());
        for tag in ["graphml", "graph", "node", "edge", "data"] {
            let opened = xml.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, xml.matches(&format!("</{tag}>")).count(), "{tag}");
            assert!(opened > 0, "{tag}");
        }
        for used in xml.split("<data key=\"").skip(1) {
            let id = used.split('"').next().unwrap();
            assert!(xml.contains(&format!("<key id=\"{id}\"")), "{id}");
        }
    }

    #[test]
    fn what_xml_would_take_for_markup_is_escaped() {
        assert_eq!(
            escaped("a<b> & \"c\" 'd'\u{7}"),
            "a&lt;b&gt; &amp; &quot;c&quot; &apos;d&apos; "
        );
    }
}
