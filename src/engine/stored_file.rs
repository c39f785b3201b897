//! A file of an instance: what its records and data hold of it. The bytes are in `runtime::files`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// A file in the store of files, as the instance it belongs to knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    /// Names it within its instance.
    pub id: Uuid,
    /// What the user called it, cleaned.
    pub name: String,
    /// In bytes.
    pub size: u64,
    /// Media type, in lower case and without parameters, as the client named it.
    #[serde(rename = "type")]
    pub media_type: String,
    /// Of its bytes, in hex.
    pub sha256: String,
}

impl StoredFile {
    /// What data and answers hold of it.
    pub fn reference(&self) -> Value {
        json!({"id": self.id, "name": self.name, "size": self.size, "type": self.media_type, "sha256": self.sha256})
    }
}
