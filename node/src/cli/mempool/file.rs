//! The file that `hearsay mempool export` writes and `import` reads: JSON, one value a line.
//!
//! The first line says what it is: `{"hearsay":"mempool","schema":1,"genesis":"…","transactions":N}`.
//! Each of the `N` lines after it is a transaction: `{"tx":"<hex>","arrived_us":…,"local":…}`, each
//! sender's in the order of their nonces.

use std::io::{self, BufRead, Read};

use hearsay_chain::GenesisId;
use hearsay_chain::transaction::MAX_TX_BYTES;
use serde::{Deserialize, Serialize};

use super::super::failure::Failure;
use crate::api::ExportedTx;
use crate::rpc::HexBytes;

/// What the first line says it is.
const WHAT: &str = "mempool";

/// The format above.
const SCHEMA: u32 = 1;

/// The longest line: a transaction in hex, and far more around it than there is.
const MAX_LINE: u64 = 2 * MAX_TX_BYTES as u64 + 4_096;

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    hearsay: String,
    schema: u32,
    pub(super) genesis: GenesisId,
    pub(super) transactions: u64,
}

impl Header {
    pub(super) fn new(genesis: GenesisId, transactions: u64) -> Self {
        Self { hearsay: WHAT.to_owned(), schema: SCHEMA, genesis, transactions }
    }
}

/// A value as a line.
pub(super) fn line<T: Serialize>(value: &T) -> Result<String, Failure> {
    let text = serde_json::to_string(value).map_err(|error| Failure::Failed(error.to_string()))?;
    Ok(text + "\n")
}

/// Reads a file line by line.
pub(super) struct Lines<R> {
    input: R,
    name: String,
    /// The number of the line that was read last.
    number: u64,
}

/// Only what says which format it is.
#[derive(Deserialize)]
struct Mark {
    hearsay: String,
    schema: u32,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R, name: String) -> Self {
        Self { input, name, number: 0 }
    }

    /// That the line that was read last is wrong.
    fn wrong(&self, what: impl std::fmt::Display) -> Failure {
        Failure::Failed(format!("line {} of {} {what}", self.number, self.name))
    }

    fn next(&mut self) -> Result<Option<String>, Failure> {
        self.number += 1;
        let mut text = Vec::new();
        let read = self.input.by_ref().take(MAX_LINE + 1).read_until(b'\n', &mut text);
        read.map_err(|error: io::Error| {
            Failure::Failed(format!("cannot read {}: {error}", self.name))
        })?;
        if text.is_empty() {
            return Ok(None);
        }
        if text.len() as u64 > MAX_LINE {
            return Err(self.wrong("is longer than any transaction"));
        }
        String::from_utf8(text).map(Some).map_err(|_| self.wrong("is no text"))
    }

    pub(super) fn header(&mut self) -> Result<Header, Failure> {
        let no_export = "is not the first line of an export; `hearsay mempool export` makes one";
        let text = self.next()?.ok_or_else(|| self.wrong(no_export))?;
        let mark: Mark = serde_json::from_str(&text).map_err(|_| self.wrong(no_export))?;
        if mark.hearsay != WHAT {
            return Err(self.wrong(no_export));
        }
        if mark.schema != SCHEMA {
            let schema = mark.schema;
            return Err(self.wrong(format_args!(
                "has schema {schema}, and this version reads {SCHEMA}: import it with the version \
                 that wrote it"
            )));
        }
        serde_json::from_str(&text).map_err(|_| self.wrong(no_export))
    }

    /// The next transaction; none at the end.
    pub(super) fn transaction(&mut self) -> Result<Option<HexBytes>, Failure> {
        let Some(text) = self.next()? else { return Ok(None) };
        let found: ExportedTx = serde_json::from_str(&text)
            .map_err(|error| self.wrong(format_args!("is no transaction: {error}")))?;
        let bytes = found.tx.parse::<HexBytes>();
        bytes.map(Some).map_err(|error| self.wrong(format_args!("is no transaction: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Lines<&[u8]> {
        Lines::new(text.as_bytes(), "pool.jsonl".to_owned())
    }

    #[test]
    fn what_is_written_is_read_again() {
        let header = Header::new(GenesisId([3; 32]), 1);
        let tx = ExportedTx { tx: "0aff".to_owned(), arrived_us: 7, local: true };
        let text = line(&header).unwrap() + &line(&tx).unwrap();
        let mut lines = lines(&text);
        assert_eq!(lines.header().unwrap(), header);
        assert_eq!(lines.transaction().unwrap(), Some(HexBytes(vec![10, 255])));
        assert_eq!(lines.transaction().unwrap(), None);
    }

    #[test]
    fn what_is_no_export_is_said_with_its_line() {
        for wrong in ["", "\n", "{}", "[1]", "hello", "{\"hearsay\":\"chain\",\"schema\":1}"] {
            let said = lines(wrong).header().unwrap_err();
            assert!(said.to_string().contains("line 1 of pool.jsonl"), "{said}");
            assert_eq!(said.exit_code(), 1);
        }
        let newer = "{\"hearsay\":\"mempool\",\"schema\":9,\"other\":[]}";
        let said = lines(newer).header().unwrap_err().to_string();
        assert!(said.contains("schema 9") && said.contains("reads 1"), "{said}");
        let header = line(&Header::new(GenesisId([3; 32]), 2)).unwrap();
        for garbage in ["\n", "x\n", "{\"tx\":\"0\",\"arrived_us\":1,\"local\":true}"] {
            let text = header.clone() + garbage;
            let mut lines = lines(&text);
            lines.header().unwrap();
            let said = lines.transaction().unwrap_err().to_string();
            assert!(said.contains("line 2 of pool.jsonl is no transaction"), "{said}");
        }
        let endless = header + &"a".repeat(1 << 20);
        let mut lines = lines(&endless);
        lines.header().unwrap();
        assert!(lines.transaction().unwrap_err().to_string().contains("longer"));
    }
}
