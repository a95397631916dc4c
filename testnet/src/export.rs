//! stub
use crate::scenario::Scenario;
/// stub
pub fn graphml(_: &Scenario) -> String {
    String::new()
}
/// stub
pub fn shadow(_: &Scenario) -> String {
    String::new()
}
