//! Cursors as texts: what is written can be read back, and anything else is refused.

use super::*;

const LOG: u32 = 0x0a0b_0c0d;

fn key(number: u128) -> InstanceKey {
    InstanceKey(Uuid::from_u128(number))
}

fn mark(instance: u128, seq: u64, announces: &[u128], ended: bool) -> Mark {
    Mark {
        instance: key(instance),
        seq,
        announces: announces.iter().copied().map(key).collect(),
        ended,
    }
}

fn reads_back(cursor: &TreeCursor) {
    let text = cursor.to_string();
    assert!(
        text.bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"&#+%\"".contains(&byte)),
        "fit for headers and URLs: {text}"
    );
    assert_eq!(
        TreeCursor::parse(cursor.root, cursor.tree, &text).as_ref(),
        Ok(cursor),
        "{text}"
    );
}

#[test]
fn a_cursor_has_a_number_for_each_followed_instance() {
    let mut cursor = TreeCursor::new(key(1), true).of_log(LOG);
    cursor.advance(&mark(1, 7, &[2, 3], false));
    assert_eq!(
        cursor.to_string(),
        "0a0b0c0d:7.AAAAAAAAAAAAAAAAAAAAAg:0.AAAAAAAAAAAAAAAAAAAAAw:0"
    );
    reads_back(&cursor);
    cursor.advance(&mark(3, 12, &[], false));
    cursor.advance(&mark(2, 5, &[], true));
    assert_eq!(
        cursor.to_string(),
        "0a0b0c0d:7.AAAAAAAAAAAAAAAAAAAAAw:12.AAAAAAAAAAAAAAAAAAAAAg!5"
    );
    reads_back(&cursor);
    // A child that has ended may still announce children of its own.
    cursor.advance(&mark(2, 9, &[], true));
    cursor.advance(&mark(1, 8, &[2], true));
    assert_eq!(
        cursor.to_string(),
        "0a0b0c0d:8.AAAAAAAAAAAAAAAAAAAAAw:12.AAAAAAAAAAAAAAAAAAAAAg!9"
    );
}

#[test]
fn without_the_tree_a_cursor_is_a_number() {
    let mut cursor = TreeCursor::new(key(1), false).of_log(LOG);
    cursor.advance(&mark(1, 118, &[2], false));
    assert_eq!(cursor.to_string(), "118");
    assert_eq!(
        TreeCursor::parse(key(1), false, "118").unwrap().at,
        Some(118)
    );
}

#[test]
fn the_length_of_a_cursor_is_bounded() {
    let mut cursor = TreeCursor::new(key(1), true).of_log(LOG);
    for child in 2..200 {
        cursor.advance(&mark(1, u64::MAX, &[child], false));
        cursor.advance(&mark(child, u64::MAX, &[], false));
        assert!(cursor.to_string().len() < 4_096);
    }
    assert_eq!(cursor.to_string(), format!("0a0b0c0d:{}~", u64::MAX));
    assert!(
        TreeCursor::parse(key(1), true, &cursor.to_string())
            .unwrap()
            .incomplete
    );
    for child in 2..200 {
        cursor.advance(&mark(child, u64::MAX, &[], true));
    }
    assert_eq!(
        cursor.to_string().matches('!').count(),
        limits::ENDED_FOLLOWED
    );
    reads_back(&cursor);
}

#[test]
fn a_cursor_that_was_never_issued_is_refused() {
    let good = "0a0b0c0d:7.AAAAAAAAAAAAAAAAAAAAAg:0";
    assert!(TreeCursor::parse(key(1), true, good).is_ok());
    let many: String = (2..80_u128)
        .map(|child| {
            format!(
                ".{}:1",
                BASE64_URL_SAFE_NO_PAD.encode(key(child).0.as_bytes())
            )
        })
        .collect();
    for bad in [
        "",
        "x",
        "-1",
        "+1",
        "1.5",
        "7 ",
        "18446744073709551616",
        ":7",
        "0a0b0c0d:",
        "0a0b0c0:7",
        "zzzzzzzz:7",
        "0a0b0c0d:7.",
        "0a0b0c0d:7.AAAAAAAAAAAAAAAAAAAAAg",
        "0a0b0c0d:7.AAAAAAAAAAAAAAAAAAAAAg:",
        "0a0b0c0d:7.AAAAAAAAAAAAAAAAAAAAAg?1",
        "0a0b0c0d:7.AAAAAAAAAAAAAAAAAAAAA:1",
        "0a0b0c0d:7.AAAAAAAAAAAAAAAAAAAA€:1",
        &format!("{good}.AAAAAAAAAAAAAAAAAAAAAg!0"),
        "0a0b0c0d:7.AAAAAAAAAAAAAAAAAAAAAQ:1",
        &format!("0a0b0c0d:7{many}"),
        "0a0b0c0d:7~~",
    ] {
        let refused = TreeCursor::parse(key(1), true, bad);
        assert!(
            refused
                .as_ref()
                .is_err_and(|sentence| sentence.starts_with("expected ")),
            "{bad}: {refused:?}"
        );
    }
}
