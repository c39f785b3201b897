//! The position of this client in each followed instance: which frame comes next, which is a
//! repetition, and where to resume.
//!
//! Implements "Order and resume" of `docs/protocol.md`. Not here: the meaning of a frame
//! (`progress`).

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// How to handle a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameVerdict {
    /// It is the next one.
    Apply,
    /// It is a repetition, or a late frame of an instance no longer followed.
    Ignore,
    /// Frames are missing: follow again from this number.
    Again(u64),
}

/// The followed instances.
#[derive(Default)]
pub struct Followed {
    places: BTreeMap<String, FollowedChannel>,
}

#[derive(Default)]
struct FollowedChannel {
    /// The number of the last applied frame; `None` while waiting for a snapshot.
    cursor: Option<u64>,
    /// No more frames are expected.
    ended: bool,
    /// It is being followed again.
    again: bool,
}

impl Followed {
    /// Handles a frame of an instance's channel.
    pub fn take(&mut self, frame: &Value) -> FrameVerdict {
        let Some(key) = key_of(frame) else {
            return FrameVerdict::Apply;
        };
        match frame["type"].as_str() {
            Some("snapshot") => {
                let cursor = frame["seq"].as_u64();
                self.places.insert(
                    key.to_owned(),
                    FollowedChannel {
                        cursor,
                        ended: ended(frame),
                        again: false,
                    },
                );
                FrameVerdict::Apply
            }
            Some("resync") => {
                self.places.entry(key.to_owned()).or_default().cursor = None;
                FrameVerdict::Apply
            }
            Some("live") => FrameVerdict::Apply,
            _ => self.advance(key, frame),
        }
    }

    fn advance(&mut self, key: &str, frame: &Value) -> FrameVerdict {
        // Frames of types unknown to this version may have no number.
        let (Some(seq), Some(prev)) = (frame["seq"].as_u64(), frame["prev"].as_u64()) else {
            return FrameVerdict::Ignore;
        };
        if prev == 0
            && self
                .places
                .get(key)
                .is_none_or(|place| place.cursor.is_none())
        {
            self.places.insert(
                key.to_owned(),
                FollowedChannel {
                    cursor: Some(0),
                    ..FollowedChannel::default()
                },
            );
        }
        let Some(place) = self.places.get_mut(key) else {
            return FrameVerdict::Ignore;
        };
        match place.cursor {
            None => FrameVerdict::Ignore,
            Some(cursor) if seq <= cursor => FrameVerdict::Ignore,
            Some(cursor) if prev != cursor && place.again => FrameVerdict::Ignore,
            Some(cursor) if prev != cursor => {
                place.again = true;
                FrameVerdict::Again(cursor)
            }
            Some(_) => {
                place.cursor = Some(seq);
                place.again = false;
                place.ended = ended(frame);
                FrameVerdict::Apply
            }
        }
    }

    /// The number from which to follow this instance: the start if no frame of it was received yet;
    /// `None` for a snapshot.
    pub fn cursor(&self, key: &str) -> Option<u64> {
        self.places.get(key).map_or(Some(0), |place| place.cursor)
    }

    /// Whether frames of this instance were received.
    pub fn knows(&self, key: &str) -> bool {
        self.places
            .get(key)
            .is_some_and(|place| place.cursor.is_some())
    }

    /// Follows an instance from this number on.
    pub fn begin_after(&mut self, key: &str, cursor: u64) {
        self.places.insert(
            key.to_owned(),
            FollowedChannel {
                cursor: Some(cursor),
                ..FollowedChannel::default()
            },
        );
    }

    /// Forgets an instance.
    pub fn drop(&mut self, key: &str) {
        self.places.remove(key);
    }

    /// The instances that `hello` names: those that can still change.
    pub fn resume(&self) -> Value {
        let moving = self.places.iter().filter(|(_, place)| !place.ended);
        moving
            .filter_map(|(key, place)| Some(json!({"instance": key, "after": place.cursor?})))
            .collect()
    }

    /// The instances that wait for a snapshot, which does not arrive over a lost connection.
    pub fn waiting(&self) -> Vec<String> {
        let waiting = self
            .places
            .iter()
            .filter(|(_, place)| place.cursor.is_none());
        waiting.map(|(key, _)| key.clone()).collect()
    }
}

/// The instance whose channel a frame belongs to.
pub fn key_of(frame: &Value) -> Option<&str> {
    frame["channel"].as_str()?.strip_prefix("instance/")
}

fn ended(frame: &Value) -> bool {
    frame["status"]
        .as_str()
        .is_some_and(|status| !is_live(status))
}

/// Whether an instance with this status can still change.
pub fn is_live(status: &str) -> bool {
    matches!(status, "created" | "started" | "onHold")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: &str, seq: u64, prev: u64) -> Value {
        json!({"type": kind, "channel": "instance/k", "seq": seq, "prev": prev, "status": "started"})
    }

    #[test]
    fn gaps_and_repeated_frames_are_detected() {
        let mut followed = Followed::default();
        assert_eq!(
            followed.take(&frame("data", 9, 7)),
            FrameVerdict::Ignore,
            "not followed"
        );
        assert_eq!(
            followed.take(&frame("data", 3, 0)),
            FrameVerdict::Apply,
            "from its first record"
        );
        assert_eq!(followed.take(&frame("data", 3, 0)), FrameVerdict::Ignore);
        assert_eq!(followed.take(&frame("progress", 5, 3)), FrameVerdict::Apply);
        assert_eq!(
            followed.take(&frame("progress", 9, 7)),
            FrameVerdict::Again(5)
        );
        assert_eq!(
            followed.take(&frame("progress", 11, 9)),
            FrameVerdict::Ignore,
            "requested already"
        );
        assert_eq!(followed.resume(), json!([{"instance": "k", "after": 5}]));
        assert_eq!(
            followed.take(&json!({"type": "resync", "channel": "instance/k", "reason": "lag"})),
            FrameVerdict::Apply
        );
        assert_eq!(
            (followed.resume(), followed.waiting()),
            (json!([]), vec!["k".to_owned()])
        );
        assert_eq!(
            followed.take(&frame("progress", 9, 7)),
            FrameVerdict::Ignore,
            "the snapshot comes first"
        );
        assert_eq!(
            followed.take(&frame("snapshot", 20, 0)),
            FrameVerdict::Apply
        );
        assert_eq!(
            followed.take(&frame("progress", 22, 20)),
            FrameVerdict::Apply
        );
    }

    #[test]
    fn ended_instances_are_not_resumed() {
        let mut followed = Followed::default();
        let mut last = frame("progress", 4, 0);
        last["status"] = json!("finished");
        assert_eq!(followed.take(&last), FrameVerdict::Apply);
        assert_eq!(followed.resume(), json!([]));
    }
}
