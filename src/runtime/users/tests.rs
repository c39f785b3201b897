//! Users in a store in memory: passwords, changes, and which tokens are valid. Time is an argument
//! everywhere.

use std::time::Duration;

use super::{
    requests::{UserOperation, UserRequest},
    *,
};
use crate::{
    journal::{Damaged, MemoryStore},
    limits,
};

const NOW: Time = Time(1_800_000_000_000);

fn later(millis: i64) -> Time {
    Time(NOW.0 + millis)
}

/// Users with Ada, whose password is `right`.
async fn users() -> (Users, MemoryStore) {
    let store = MemoryStore::default();
    let users = open(&store);
    let ada = NewUser {
        tenant: "default",
        name: "ada",
        password: "right",
        roles: &["clerk".to_owned()],
    };
    users.add(ada, NOW).await.unwrap();
    (users, store)
}

fn open(store: &MemoryStore) -> Users {
    use crate::journal::Store;
    let rows = store.reader().unwrap().users().unwrap();
    let journal = Journal::start(
        Box::new(store.clone()),
        16,
        Box::new(|error| panic!("{error}")),
    )
    .unwrap();
    Users::load(journal, rows, &Damaged::default())
}

async fn sign_in(
    users: &Users,
    name: &str,
    password: &str,
    now: Time,
) -> Result<Vec<String>, SignInError> {
    users
        .sign_in("default", name, password, None, now)
        .await
        .map(|signed_in| signed_in.roles)
}

#[tokio::test]
async fn the_password_signs_in_also_after_a_restart() {
    let (users, store) = users().await;
    assert_eq!(
        sign_in(&users, "ada", "right", NOW).await,
        Ok(vec!["clerk".to_owned()])
    );
    for (name, password) in [
        ("ada", "wrong"),
        ("ada", ""),
        ("eve", "right"),
        ("Ada", "right"),
        ("", ""),
    ] {
        assert_eq!(
            sign_in(&users, name, password, NOW).await,
            Err(SignInError::Wrong),
            "{name} {password}"
        );
    }
    assert_eq!(
        users.sign_in("other", "ada", "right", None, NOW).await,
        Err(SignInError::Wrong),
        "another tenant"
    );
    assert_eq!(
        sign_in(&users, "ada", &"x".repeat(limits::PASSWORD_BYTES + 1), NOW).await,
        Err(SignInError::Wrong)
    );
    assert_eq!(
        sign_in(&open(&store), "ada", "right", NOW).await,
        Ok(vec!["clerk".to_owned()])
    );
}

#[tokio::test]
async fn guessing_is_delayed_for_known_and_unknown_names() {
    let (users, _) = users().await;
    for name in ["ada", "eve"] {
        for _ in 0..5 {
            assert_eq!(
                sign_in(&users, name, "wrong", NOW).await,
                Err(SignInError::Wrong)
            );
        }
        let throttled = Err(SignInError::Throttled(Duration::from_secs(1)));
        assert_eq!(sign_in(&users, name, "wrong", NOW).await, throttled);
        assert_eq!(
            sign_in(&users, name, "right", NOW).await,
            throttled,
            "not even with the right one"
        );
    }
    assert!(sign_in(&users, "ada", "right", later(1_000)).await.is_ok());
    assert!(
        sign_in(&users, "ada", "wrong", later(1_000)).await == Err(SignInError::Wrong),
        "counted again"
    );
}

#[tokio::test]
async fn concurrent_right_passwords_are_not_throttled() {
    let (users, _) = users().await;
    let all =
        futures_util::future::join_all((0..12).map(|_| sign_in(&users, "ada", "right", NOW))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
}

#[tokio::test]
async fn concurrent_wrong_passwords_count_like_sequential_ones() {
    let (users, _) = users().await;
    let all =
        futures_util::future::join_all((0..12).map(|_| sign_in(&users, "ada", "wrong", NOW))).await;
    assert_eq!(
        all.iter()
            .filter(|outcome| **outcome == Err(SignInError::Wrong))
            .count(),
        5,
        "{all:?}"
    );
}

#[tokio::test]
async fn a_new_password_revokes_earlier_tokens() {
    let (users, _) = users().await;
    users
        .set_password("default", "ada", "new", later(10))
        .await
        .unwrap();
    assert_eq!(
        sign_in(&users, "ada", "right", later(20)).await,
        Err(SignInError::Wrong)
    );
    assert!(sign_in(&users, "ada", "new", later(20)).await.is_ok());
    assert!(!users.admits("default", "ada", Some(later(5))));
    assert!(users.admits("default", "ada", Some(later(11))));
}

#[tokio::test]
async fn roles_count_from_the_next_sign_in_and_change_nothing_else() {
    let (users, _) = users().await;
    users
        .set_roles("default", "ada", &["admin".to_owned(), "x".to_owned()], NOW)
        .await
        .unwrap();
    assert_eq!(
        sign_in(&users, "ada", "right", NOW).await.unwrap(),
        ["admin", "x"]
    );
    assert!(
        users.admits("default", "ada", Some(NOW)),
        "tokens go on as they are"
    );
}

#[tokio::test]
async fn a_revocation_ends_the_tokens_issued_so_far() {
    let (users, store) = users().await;
    let mut changes = users.changes();
    users.revoke("default", "ada", later(10)).await.unwrap();
    assert!(
        changes.has_changed().unwrap(),
        "whoever is connected is looked at"
    );
    changes.mark_unchanged();
    for users in [&users, &open(&store)] {
        assert!(!users.admits("default", "ada", Some(later(9))));
        assert!(!users.admits("default", "ada", Some(later(10))));
        assert!(users.admits("default", "ada", Some(later(11))));
        assert!(
            !users.admits("default", "ada", None),
            "nobody knows when it was issued"
        );
        assert!(
            users.admits("default", "eve", None),
            "no user of this server"
        );
        assert!(users.admits("other", "ada", None), "another tenant's");
    }
    assert!(sign_in(&users, "ada", "right", later(11)).await.is_ok());
}

#[tokio::test]
async fn a_removed_user_can_be_added_again_but_keeps_no_access() {
    let (users, store) = users().await;
    users.remove("default", "ada", later(10)).await.unwrap();
    for users in [&users, &open(&store)] {
        assert_eq!(
            sign_in(users, "ada", "right", later(20)).await,
            Err(SignInError::Wrong)
        );
        assert!(
            !users.admits("default", "ada", Some(later(20))),
            "no token of that name is good any more"
        );
        assert!(users.all("default").is_empty() && users.get("default", "ada").is_none());
    }
    assert_eq!(
        users.revoke("default", "ada", later(20)).await,
        Err(UserError::Unknown("ada".into()))
    );
    let again = NewUser {
        tenant: "default",
        name: "ada",
        password: "second",
        roles: &[],
    };
    users.add(again, later(20)).await.unwrap();
    assert_eq!(
        sign_in(&users, "ada", "second", later(21)).await,
        Ok(Vec::new())
    );
    assert!(
        !users.admits("default", "ada", Some(later(9))),
        "tokens of the former one"
    );
    assert!(users.admits("default", "ada", Some(later(21))));
}

#[tokio::test]
async fn invalid_requests_are_refused() {
    let (users, _) = users().await;
    let roles = |roles: &[&str]| {
        roles
            .iter()
            .map(|role| role.to_string())
            .collect::<Vec<_>>()
    };
    let check = async |name: &str, password: &str, granted: Vec<String>, part: &str| {
        let user = NewUser {
            tenant: "default",
            name,
            password,
            roles: &granted,
        };
        let sentence = users.add(user, NOW).await.unwrap_err().to_string();
        assert!(
            sentence.starts_with("expected ") && sentence.contains(part),
            "{sentence}"
        );
    };
    check("ada", "x", roles(&[]), "there is a user 'ada'").await;
    for name in ["", " ", "ada ", "a\nb", "a\u{0}b", &"x".repeat(257)] {
        check(name, "x", roles(&[]), "a name of 1 to 256 bytes").await;
    }
    check("bob", "", roles(&[]), "a password of 1 to 1024 bytes").await;
    check(
        "bob",
        &"x".repeat(1025),
        roles(&[]),
        "a password of 1 to 1024 bytes",
    )
    .await;
    for bad in [
        roles(&[""]),
        roles(&["a b"]),
        roles(&["a\tb"]),
        vec!["r".into(); 65],
        vec!["r".repeat(257)],
    ] {
        check("bob", "x", bad, "roles").await;
    }
    assert!(
        users
            .set_roles("default", "ada", &roles(&["a b"]), NOW)
            .await
            .is_err()
    );
    assert!(users.set_password("default", "ada", "", NOW).await.is_err());
    assert_eq!(
        users.set_roles("default", "bob", &[], NOW).await,
        Err(UserError::Unknown("bob".into()))
    );
    assert_eq!(users.all("default").len(), 1);
}

#[tokio::test]
async fn of_two_concurrent_additions_of_a_name_one_succeeds() {
    let (users, _) = users().await;
    let bob = |password| {
        users.add(
            NewUser {
                tenant: "default",
                name: "bob",
                password,
                roles: &[],
            },
            NOW,
        )
    };
    let (one, two) = tokio::join!(bob("one"), bob("two"));
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    assert_eq!(
        sign_in(&users, "bob", "one", NOW).await.is_ok(),
        one.is_ok()
    );
}

#[tokio::test]
async fn requests_do_the_same_as_data() {
    let (users, _) = users().await;
    let serve = async |operation| {
        users
            .serve(
                UserRequest {
                    tenant: "default".into(),
                    operation,
                },
                later(1),
            )
            .await
    };
    let (name, password) = ("bob".to_owned(), "one".to_owned());
    serve(UserOperation::Add {
        name: name.clone(),
        password,
        roles: vec!["x".into()],
    })
    .await
    .unwrap();
    serve(UserOperation::SetPassword {
        name: name.clone(),
        password: "two".into(),
    })
    .await
    .unwrap();
    serve(UserOperation::SetRoles {
        name: name.clone(),
        roles: vec!["y".into()],
    })
    .await
    .unwrap();
    assert_eq!(sign_in(&users, "bob", "two", NOW).await.unwrap(), ["y"]);
    let list = serve(UserOperation::List).await.unwrap();
    assert_eq!(
        list.iter().map(|user| &*user.name).collect::<Vec<_>>(),
        ["ada", "bob"]
    );
    assert_eq!(
        list[1].revoked_at.as_deref(),
        Some("2027-01-15T08:00:00.001Z")
    );
    serve(UserOperation::Revoke { name: name.clone() })
        .await
        .unwrap();
    serve(UserOperation::Remove { name }).await.unwrap();
    assert_eq!(serve(UserOperation::List).await.unwrap().len(), 1);
}
