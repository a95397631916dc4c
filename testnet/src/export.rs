//! A scenario's network in the languages of other programs.

mod graphml;
mod shadow;

pub use self::graphml::graphml;
pub use self::shadow::shadow;
