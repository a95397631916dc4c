//! Where a command writes: data for programs and people, and talk beside it.

use std::fmt;
use std::io::Write;

use serde::Serialize;

use super::failure::Failure;

/// Data goes to `out`, talk to `talk`.
pub(super) struct Console<'a> {
    out: &'a mut dyn Write,
    talk: &'a mut dyn Write,
}

impl<'a> Console<'a> {
    pub(super) fn new(out: &'a mut dyn Write, talk: &'a mut dyn Write) -> Self {
        Self { out, talk }
    }

    /// Writes a value: as JSON, or as a person reads it.
    pub(super) fn show<T: Serialize>(
        &mut self,
        json: bool,
        value: &T,
        human: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        let text = if json {
            serde_json::to_string_pretty(value)
                .map_err(|error| Failure::Failed(error.to_string()))?
        } else {
            human(value)
        };
        self.text(&text)
    }

    /// Writes a text, with a line break at its end if it has none.
    pub(super) fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.out.write_all(text.as_bytes())?;
        if !text.is_empty() && !text.ends_with('\n') {
            self.out.write_all(b"\n")?;
        }
        Ok(self.out.flush()?)
    }

    /// Tells something beside the data. Nothing depends on whether it is heard.
    pub(super) fn say(&mut self, line: fmt::Arguments<'_>) {
        let line = line.to_string();
        if !line.is_empty() {
            let _ = writeln!(self.talk, "{line}");
        }
    }
}

/// Lines of `key  value` with the values in one column.
#[derive(Default)]
pub(super) struct Facts(Vec<(&'static str, String)>);

impl Facts {
    pub(super) fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.0.push((key, value.to_string()));
        self
    }

    /// Leaves the line out if there is no value.
    pub(super) fn with_some(self, key: &'static str, value: Option<impl fmt::Display>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
        self.0.iter().try_for_each(|(key, value)| writeln!(f, "{key:width$}  {value}"))
    }
}

/// Rows under a heading, each column as wide as its widest cell.
pub(super) fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = heading.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in std::iter::once(&heading.map(str::to_owned)).chain(rows) {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            line += &format!("{cell:width$}  ");
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// An amount with its unit.
pub(super) fn units(amount: u64) -> String {
    if amount == 1 { "1 unit".to_owned() } else { format!("{amount} units") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes some bytes and then behaves as a pipe whose reader has gone.
    struct Pipe(usize);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            match self.0 {
                0 => Err(std::io::ErrorKind::BrokenPipe.into()),
                left => {
                    self.0 -= left.min(bytes.len());
                    Ok(left.min(bytes.len()))
                }
            }
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_has_seen_enough_is_no_failure() {
        let (mut out, mut talk) = (Pipe(3), Pipe(0));
        let mut console = Console::new(&mut out, &mut talk);
        let ended = console.text("a long text").unwrap_err();
        assert_eq!((ended.exit_code(), ended.told().to_string().as_str()), (0, ""));
        console.say(format_args!("nobody hears this"));
    }

    #[test]
    fn values_stand_in_one_column() {
        let facts = Facts::default().with("id", 1).with("height", 20).with_some("no", None::<u8>);
        assert_eq!(facts.to_string(), "id      1\nheight  20\n");
    }

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let rows = [["1".to_owned(), "abc".to_owned()], ["22".to_owned(), "d".to_owned()]];
        assert_eq!(table(["N", "NAME"], &rows), "N   NAME\n1   abc\n22  d\n");
        assert_eq!(table(["N"], &[]), "N\n");
    }

    #[test]
    fn json_is_for_programs_and_text_for_people() {
        let (mut out, mut talk) = (Vec::new(), Vec::new());
        let mut console = Console::new(&mut out, &mut talk);
        console.show(true, &1, |_| unreachable!()).unwrap();
        console.show(false, &1, |value| units(*value)).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "1\n1 unit\n");
    }
}
