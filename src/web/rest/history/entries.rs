//! What a history holds: visits of nodes with their decisions, and corrections of the data.
//!
//! How it is put together out of records: the module above.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A correction of the data.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct PatchedData<'a> {
    pub(super) seq: u64,
    pub(super) by: Option<&'a str>,
    #[schema(format = DateTime)]
    pub(super) at: String,
    /// What was merged; told to operators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, nullable = false)]
    pub(super) data: Option<&'a Value>,
}

/// One visit of a node.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Visit<'a> {
    pub(super) element: String,
    pub(super) node: &'a str,
    pub(super) name: &'a str,
    pub(super) r#type: &'a str,
    /// `Activated`, `Completed` or `Terminated`.
    #[schema(pattern = "^(Activated|Completed|Terminated)$")]
    pub(super) lifecycle: &'static str,
    #[schema(format = DateTime)]
    pub(super) activated_at: String,
    #[schema(required, format = DateTime)]
    pub(super) ended_at: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) decisions: Vec<DecisionEntry<'a>>,
    /// The variables it owns, as of what was read; told to operators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, nullable = false)]
    pub(super) variables: Option<Value>,
}

/// A decision in an approval.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct DecisionEntry<'a> {
    #[schema(examples("approved", "rejected"))]
    pub(super) decision: &'static str,
    pub(super) by: Option<&'a str>,
    #[schema(format = DateTime)]
    pub(super) at: String,
    pub(super) comment: Option<&'a str>,
}
