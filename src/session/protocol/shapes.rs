//! The shapes of frames that are read field by field and have no type of their own, for the
//! documents only. `client`, `on_instance` and `clock` read them.
//!
//! Each is also the body of the REST request with the same name. The id of a frame and the key of
//! its instance are not included.

use utoipa::ToSchema;

use super::channel::Channel;
use crate::model::ids::{ElementKey, InstanceKey};

/// A command on a whole instance.
#[derive(ToSchema)]
pub struct OfInstance {
    /// The instance.
    pub instance: InstanceKey,
}

/// A command on one element.
#[derive(ToSchema)]
pub struct AtElement {
    /// The element.
    pub element: ElementKey,
}

/// The user to whom a task is assigned.
#[derive(ToSchema)]
pub struct Assign {
    /// The task's element.
    pub element: ElementKey,
    /// The subject.
    #[schema(min_length = 1, max_length = 256)]
    pub user: String,
}

/// The node to which a token is moved.
#[derive(ToSchema)]
pub struct MoveToken {
    /// The element where it is.
    pub element: ElementKey,
    /// The id of a node of the same scope.
    #[schema(min_length = 1, max_length = 256)]
    pub to: String,
}

/// The Action message to close.
#[derive(ToSchema)]
pub struct Done {
    /// The message's number.
    pub seq: u64,
}

/// The draft to save.
#[derive(ToSchema)]
pub struct DraftToSave {
    /// The input, at most 16 KiB.
    #[schema(value_type = Object)]
    pub data: (),
}

/// The channel to follow.
#[derive(ToSchema)]
pub struct Follow {
    /// An instance or a list.
    pub channel: Channel,
    /// The number to continue after; if absent, a snapshot comes first.
    #[schema(nullable = false)]
    pub after: Option<u64>,
    /// Whether the instance's descendants are followed, too.
    #[schema(required = false, default = true)]
    pub tree: bool,
}

/// The channel to stop following.
#[derive(ToSchema)]
pub struct Unfollow {
    /// An instance or a list.
    pub channel: Channel,
}

/// A fresh token.
#[derive(ToSchema)]
pub struct Fresh {
    /// The bearer token.
    pub token: String,
}

/// How the process time moves: one of the two.
#[derive(ToSchema)]
pub struct Move {
    /// By an ISO 8601 duration.
    #[schema(nullable = false, example = "PT30S")]
    pub advance: Option<String>,
    /// To a time.
    #[schema(nullable = false, format = DateTime)]
    pub set: Option<String>,
}

/// An empty result.
#[derive(ToSchema)]
#[schema(max_properties = 0)]
pub struct Nothing {}
