//! The shape of what is read field by field and kept in no type of its own: for the documents only.
//! What reads them: `client`, `on_instance`, `clock`.
//!
//! Each is the body of the REST request of the same name, too. The id of a frame and the key of its
//! instance are not in here.

use utoipa::ToSchema;

use super::channel::Channel;
use crate::model::ids::{ElementKey, InstanceKey};

/// What is about an instance as a whole.
#[derive(ToSchema)]
pub struct OfInstance {
    /// The instance.
    pub instance: InstanceKey,
}

/// What is about one element.
#[derive(ToSchema)]
pub struct AtElement {
    /// The element.
    pub element: ElementKey,
}

/// Who is to have a task.
#[derive(ToSchema)]
pub struct Assign {
    /// The task's element.
    pub element: ElementKey,
    /// The subject it is given to.
    #[schema(min_length = 1, max_length = 256)]
    pub user: String,
}

/// Where a token is taken to.
#[derive(ToSchema)]
pub struct MoveToken {
    /// The element where it is.
    pub element: ElementKey,
    /// The id of a node of the same scope.
    #[schema(min_length = 1, max_length = 256)]
    pub to: String,
}

/// Which Action message is done with.
#[derive(ToSchema)]
pub struct Done {
    /// The message's number.
    pub seq: u64,
}

/// What was typed.
#[derive(ToSchema)]
pub struct DraftToSave {
    /// What was typed, at most 16 KiB.
    #[schema(value_type = Object)]
    pub data: (),
}

/// What to follow.
#[derive(ToSchema)]
pub struct Follow {
    /// An instance or a list.
    pub channel: Channel,
    /// The number to continue after; without it a snapshot comes first.
    #[schema(nullable = false)]
    pub after: Option<u64>,
    /// Whether the instance's descendants are followed, too.
    #[schema(required = false, default = true)]
    pub tree: bool,
}

/// What to stop following.
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

/// Where the process time moves: one of the two.
#[derive(ToSchema)]
pub struct Move {
    /// On by an ISO 8601 duration.
    #[schema(nullable = false, example = "PT30S")]
    pub advance: Option<String>,
    /// To a moment.
    #[schema(nullable = false, format = DateTime)]
    pub set: Option<String>,
}

/// The answer that has nothing to tell.
#[derive(ToSchema)]
#[schema(max_properties = 0)]
pub struct Nothing {}
