//! A connection that only receives the frames of one instance: a stream. It is the same type as a
//! websocket's connection, without incoming frames: there is no `hello`, ping or command; the user
//! and what is followed are known from the start.
//!
//! Not here: the format of events and their transport (`web::sse::sse_connection`), the content of
//! a cursor (`tree_cursor`).

use std::{sync::Arc, time::Instant};

use super::{
    auth::principal::Principal,
    connection::Connection,
    inbox::InboundReceiver,
    input_schemas::SentSchemas,
    protocol::server::ResyncReason,
    sessions::Sessions,
    subscription::{
        state::{Acknowledgement, StartFrom},
        tree_cursor::TreeCursor,
    },
};

impl Connection {
    /// A connection that sends `principal` the frames after `cursor`; if the cursor has no number,
    /// a snapshot first. With `schemas`, it also sends the schemas of actions. Also returns the
    /// cursor, to be advanced by the mark of each frame.
    pub fn listening(
        sessions: Arc<Sessions>,
        principal: Principal,
        cursor: TreeCursor,
        schemas: bool,
        now: Instant,
    ) -> (Self, InboundReceiver, TreeCursor) {
        let log = sessions.runtime.log.as_u128() as u32;
        let (mut connection, inbound) = Self::open(sessions, None, None, now);
        connection.principal = Some(principal);
        connection.is_read_only = true;
        connection.schemas = SentSchemas::wanted(schemas);
        let cursor = connection.resume_tree(cursor, log);
        (connection, inbound, cursor)
    }

    /// Follows from the position of the cursor, if its numbers belong to this log.
    fn resume_tree(&mut self, cursor: TreeCursor, log: u32) -> TreeCursor {
        let (root, tree) = (cursor.root, cursor.tree);
        let again = match cursor.at {
            None => Some(None),
            Some(_) if cursor.log.is_some_and(|other| other != log) => {
                Some(Some(ResyncReason::Restored))
            }
            Some(_) if cursor.incomplete && tree => Some(Some(ResyncReason::Lag)),
            Some(_) => None,
        };
        if let Some(reason) = again {
            self.follow(
                root,
                0,
                StartFrom::Snapshot(reason),
                tree,
                Acknowledgement::Shown,
                None,
            );
            return TreeCursor::new(root, tree).of_log(log);
        }
        self.follow(
            root,
            cursor.at.unwrap_or_default(),
            StartFrom::Replay,
            tree,
            Acknowledgement::Shown,
            None,
        );
        if tree {
            for &(child, seq) in cursor.live.iter().chain(&cursor.ended) {
                // A child that was only announced may not exist yet; its parent then announces it
                // again.
                let acknowledgement = if seq == 0 {
                    Acknowledgement::Claimed
                } else {
                    Acknowledgement::Shown
                };
                self.follow(
                    child,
                    seq,
                    StartFrom::Replay,
                    true,
                    acknowledgement,
                    Some(root),
                );
            }
        }
        cursor.of_log(log)
    }

    /// Whether no more frames will come: everything that was followed has ended, or may no longer
    /// be seen, and all frames were sent.
    pub fn is_over(&self) -> bool {
        self.is_drained() && self.following.values().all(|following| following.ended)
    }
}
