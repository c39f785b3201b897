//! Where a token lists its roles: in `roles`, or in another claim that an issuer uses.

use serde_json::{Map, Value};

use crate::session::protocol::cut;

/// How much of the claim's name a refusal repeats, in bytes.
const NAMED_BYTES: usize = 40;
/// The claim in tokens of this server.
const OWN: &str = "roles";

/// The name of a claim, or a path into one: `realm_access.roles`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolesClaim(String);

impl Default for RolesClaim {
    fn default() -> Self {
        Self(OWN.to_owned())
    }
}

impl RolesClaim {
    /// The claim with this name; if a token has none, the path of names between the dots.
    pub fn new(path: String) -> Self {
        Self(path)
    }

    /// The roles among the claims of a token; empty if the claim is absent. A token that this
    /// server has minted (`own`) may have them under `roles` instead.
    ///
    /// # Errors
    /// A sentence if the claim is not a list of texts.
    pub(in crate::session) fn of(
        &self,
        claims: &Map<String, Value>,
        own: bool,
    ) -> Result<Vec<String>, String> {
        let found = self
            .find(claims)
            .or_else(|| claims.get(OWN).filter(|_| own));
        let Some(value) = found.filter(|value| !value.is_null()) else {
            return Ok(Vec::new());
        };
        let roles = value.as_array().map(|list| {
            list.iter()
                .map(|role| role.as_str().map(str::to_owned))
                .collect()
        });
        roles.flatten().ok_or_else(|| {
            format!(
                "expected a token whose {} (list) holds texts, but it does not",
                cut(&self.0, NAMED_BYTES)
            )
        })
    }

    /// The name of a claim may contain dots itself, for example if it is a URL.
    fn find<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        let step = |value: &'a Value, name: &str| value.get(name);
        let mut names = self.0.split('.');
        let first = names.next().and_then(|name| claims.get(name));
        claims.get(&self.0).or_else(|| names.try_fold(first?, step))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(path: &str, claims: Value, own: bool, expected: Result<&[&str], ()>) {
        let found = RolesClaim::new(path.to_owned()).of(claims.as_object().unwrap(), own);
        let expected = expected.map(|roles| {
            roles
                .iter()
                .map(|role| role.to_string())
                .collect::<Vec<_>>()
        });
        assert_eq!(found.clone().map_err(drop), expected, "{claims}: {found:?}");
    }

    #[test]
    fn roles_are_found_by_name_or_path() {
        check(
            "roles",
            json!({"roles": ["a", "b"]}),
            false,
            Ok(&["a", "b"]),
        );
        check(
            "realm_access.roles",
            json!({"realm_access": {"roles": ["a"]}, "roles": ["admin"]}),
            false,
            Ok(&["a"]),
        );
        check(
            "https://id.example/roles",
            json!({"https://id.example/roles": ["a"]}),
            false,
            Ok(&["a"]),
        );
        check(
            "realm_access.roles",
            json!({"realm_access": "x"}),
            false,
            Ok(&[]),
        );
        check(
            "realm_access.roles",
            json!({"realm_access": {"roles": null}}),
            false,
            Ok(&[]),
        );
        check("", json!({}), false, Ok(&[]));
    }

    #[test]
    fn the_default_claim_counts_for_own_tokens_only() {
        check("groups", json!({"roles": ["admin"]}), false, Ok(&[]));
        check("groups", json!({"roles": ["admin"]}), true, Ok(&["admin"]));
        check(
            "groups",
            json!({"roles": ["admin"], "groups": ["a"]}),
            true,
            Ok(&["a"]),
        );
    }

    #[test]
    fn roles_other_than_a_list_of_texts_are_refused() {
        check("roles", json!({"roles": "admin"}), false, Err(()));
        check("roles", json!({"roles": [1]}), false, Err(()));
        check("roles", json!({"roles": {"admin": true}}), false, Err(()));
    }
}
