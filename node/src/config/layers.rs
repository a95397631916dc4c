//! How one layer of settings covers another.

use std::path::PathBuf;

use toml::{Table, Value};

use super::{ConfigError, Settings};

/// `upper` laid over `lower`: its values win, tables are joined key by key. Lists are replaced as a
/// whole, so that a flag can shorten what a file says.
pub(super) fn over(mut lower: Table, upper: Table) -> Table {
    for (key, value) in upper {
        let joined = match (lower.remove(&key), value) {
            (Some(Value::Table(lower)), Value::Table(upper)) => Value::Table(over(lower, upper)),
            (_, value) => value,
        };
        lower.insert(key, joined);
    }
    lower
}

/// Fills in the paths whose defaults depend on other settings.
pub(super) fn with_paths(table: Table, home: Option<PathBuf>) -> Result<Table, ConfigError> {
    let data = match table.get("data_dir").and_then(Value::as_str) {
        Some(data) => PathBuf::from(data),
        None => home.ok_or(ConfigError::NoHome)?.join("data"),
    };
    let Settings { data_dir, genesis, node_key, events, .. } = Settings::in_dir(data);
    let mut paths = Table::new();
    for (key, path) in
        [("data_dir", data_dir), ("genesis", genesis), ("node_key", node_key), ("events", events)]
    {
        let path = path.into_os_string().into_string();
        let path =
            path.map_err(|path| ConfigError::Value(format!("{} is not UTF-8", path.display())))?;
        paths.insert(key.to_owned(), Value::String(path));
    }
    Ok(over(paths, table))
}
