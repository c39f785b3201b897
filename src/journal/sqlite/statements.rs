//! The statements of one batch: each is looked up by its text once, not once per row.
//!
//! The connection keeps them prepared from batch to batch; its lookup hashes the whole text, which
//! for a short statement costs about a tenth of running it. Not here: the statements themselves
//! (`write`).

use std::ptr;

use rusqlite::{CachedStatement, Connection};

/// Prepared statements by the address of their text.
pub(super) struct Statements<'a> {
    connection: &'a Connection,
    prepared: Vec<(&'static str, CachedStatement<'a>)>,
}

impl<'a> Statements<'a> {
    /// Without statements.
    pub fn of(connection: &'a Connection) -> Self {
        Self {
            connection,
            prepared: Vec::new(),
        }
    }

    /// The statement with this text.
    pub fn get(&mut self, sql: &'static str) -> rusqlite::Result<&mut CachedStatement<'a>> {
        // A batch uses a handful. A text that is at two addresses is prepared twice, which does no
        // harm.
        let index = match self
            .prepared
            .iter()
            .position(|(text, _)| ptr::eq(*text, sql))
        {
            Some(index) => index,
            None => {
                self.prepared
                    .push((sql, self.connection.prepare_cached(sql)?));
                self.prepared.len() - 1
            }
        };
        Ok(&mut self.prepared[index].1)
    }
}
