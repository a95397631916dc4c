//! Blocks beside the main chain.

use super::Walk;
use crate::fork_choice::Candidate;
use crate::ids::BlockId;
use crate::store::{Store, StoreError, Table, split_key};

impl<S: Store> Walk<'_, S> {
    /// Each is a sound block above the final height, on a parent that is kept, and is not better
    /// than the tip. Whether its transactions fit is only known once it is applied.
    pub(super) fn side(&mut self) -> Result<(), StoreError> {
        self.each_row(Table::Side, |walk, key, _| {
            let Some((height, id)) = split_key(key) else {
                let named = format!("key {}", hex::encode(key));
                walk.report.note("side", &named, "it is no height and block");
                return Ok(());
            };
            walk.side_block(height, BlockId(id))
        })
    }

    fn side_block(&mut self, height: u64, id: BlockId) -> Result<(), StoreError> {
        let name = format_args!("height {height}, block {id}");
        self.report.audit.side_blocks += 1;
        if height <= self.ends.final_height {
            let what = format!("final height {} is not below it", self.ends.final_height);
            self.report.note("side", &name, what);
        }
        if self.is_main(id, height)? {
            self.report.note("side", &name, "it is on the main chain");
            return Ok(());
        }
        let tip = Candidate { height: self.ends.height, id: self.ends.tip };
        if (Candidate { height, id }) > tip {
            self.report.note("side", &name, "it is better than the tip");
        }
        let read = self.store.header(&id);
        let Some(header) = self.report.present("side", &name, read, "its header is missing")?
        else {
            return Ok(());
        };
        if header.fields.height != height {
            let what = format!("its height is {}", header.fields.height);
            self.report.note("side", &name, what);
        }
        let parent = header.fields.parent;
        let missing = format!("its parent {parent} is not kept");
        let parent = self.report.present("side", &name, self.store.header(&parent), &missing)?;
        let parent = parent.map(|parent| parent.fields);
        if self.check_header(id, &header, parent.as_ref()) {
            self.check_body(id, &header)?;
        }
        Ok(())
    }
}
