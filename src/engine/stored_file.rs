//! A file of an instance, as its records and data describe it. The bytes are in `runtime::files`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// The description of a stored file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    /// Its id, unique within the instance.
    pub id: Uuid,
    /// The name given by the user, cleaned of unsafe characters.
    pub name: String,
    /// The size in bytes.
    pub size: u64,
    /// The media type, in lower case and without parameters, as the client gave it.
    #[serde(rename = "type")]
    pub media_type: String,
    /// The hash of the bytes, in hexadecimal.
    pub sha256: String,
}

impl StoredFile {
    /// The reference to the file in data and replies.
    pub fn reference(&self) -> Value {
        json!({"id": self.id, "name": self.name, "size": self.size, "type": self.media_type, "sha256": self.sha256})
    }
}
