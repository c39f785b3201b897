//! The guard's result for streams assembled by hand and at random.

use proptest::{collection::vec, prelude::*};

use super::*;

const LIMIT: u64 = 1_000;

/// A masked frame as a client sends it.
fn frame(first: u8, payload: usize) -> Vec<u8> {
    let mut bytes = header(first, payload as u64);
    bytes.resize(bytes.len() + payload, 0xff);
    bytes
}

fn header(first: u8, length: u64) -> Vec<u8> {
    let mut bytes = vec![first];
    match length {
        0..126 => bytes.push(0x80 | length as u8),
        126..0x1_0000 => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes.extend([1, 2, 3, 4]);
    bytes
}

/// The result for the frames, and how many bytes at the end were not passed on.
#[track_caller]
fn check(frames: &[Vec<u8>], stop: Option<StreamStop>, withheld: usize) {
    let bytes = frames.concat();
    assert_eq!(
        FrameGuard::new(LIMIT, LIMIT).inspect(&bytes),
        Inspection {
            pass: bytes.len() - withheld,
            stop
        },
        "{frames:x?}"
    );
}

#[track_caller]
fn breaks(frames: &[Vec<u8>], part: &str) {
    match FrameGuard::new(LIMIT, LIMIT).inspect(&frames.concat()).stop {
        Some(StreamStop::Protocol(sentence)) => assert!(sentence.contains(part), "{sentence}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn sound_frames_pass() {
    check(
        &[
            frame(0x81, 0),
            frame(0x81, 125),
            frame(0x82, 126),
            frame(0x81, 1_000),
        ],
        None,
        0,
    );
    check(
        &[
            frame(0x01, 400),
            frame(0x89, 125),
            frame(0x00, 500),
            frame(0x8a, 0),
            frame(0x80, 100),
            frame(0x81, 1_000),
        ],
        None,
        0,
    );
    check(&[frame(0x81, 5)[..1].to_vec()], None, 0);
}

#[test]
fn a_message_over_the_limit_stops_at_its_header() {
    check(
        &[frame(0x81, 5), header(0x81, 1_001)],
        Some(StreamStop::TooBig),
        5,
    );
    check(&[header(0x82, 1 << 40)], Some(StreamStop::TooBig), 5);
    check(&[header(0x81, (1 << 63) - 1)], Some(StreamStop::TooBig), 5);
    check(
        &[frame(0x01, 999), header(0x00, 2)],
        Some(StreamStop::TooBig),
        5,
    );
    check(
        &[frame(0x01, 999), header(0x80, (1 << 63) - 1)],
        Some(StreamStop::TooBig),
        5,
    );
}

#[test]
fn broken_headers_stop() {
    breaks(&[frame(0xc1, 0)], "reserved bits");
    breaks(&[frame(0x83, 0)], "opcode");
    breaks(&[frame(0x8b, 0)], "opcode");
    breaks(&[frame(0x09, 0)], "one piece");
    breaks(&[frame(0x80, 0)], "a new message");
    breaks(&[frame(0x01, 0), frame(0x81, 0)], "a continuation");
    breaks(&[vec![0x81, 0x05]], "masked");
    breaks(&[header(0x89, 126)], "125 bytes");
    breaks(&[header(0x89, 1 << 40)], "125 bytes");
    breaks(&[frame(0x88, 1)], "close code");
    breaks(&[header(0x81, 1 << 63)], "63 bits");
}

#[test]
fn nothing_passes_after_a_close_or_a_stop() {
    check(
        &[frame(0x88, 2), header(0x81, 1 << 40)],
        Some(StreamStop::Closed),
        14,
    );
    check(&[frame(0x88, 0)], Some(StreamStop::Closed), 0);
    let mut guard = FrameGuard::new(LIMIT, LIMIT);
    guard.inspect(&header(0x81, 1 << 40));
    assert_eq!(
        guard.inspect(&frame(0x81, 5)),
        Inspection {
            pass: 0,
            stop: Some(StreamStop::TooBig)
        }
    );
}

/// Frames of every kind, mostly valid, with lengths around every limit.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![6 => prop::sample::select(vec![0x81, 0x82, 0x01, 0x00, 0x80, 0x89, 0x8a, 0x88]), 1 => any::<u8>()];
    let length = prop_oneof![4 => 0_u64..130, 2 => 0_u64..1_100, 1 => any::<u64>()];
    (first, length, prop::bool::weighted(0.95)).prop_map(|(first, length, masked)| {
        let mut bytes = header(first, length);
        bytes.resize(bytes.len() + length.min(1_200) as usize, 0x81);
        if !masked {
            bytes[1] &= 0x7f;
        }
        bytes
    })
}

proptest! {
    #[test]
    fn chunking_does_not_change_the_verdict(frames in vec(any_frame(), 0..12), cuts in vec(1_usize..40, 1..200)) {
        let bytes = frames.concat();
        let whole = FrameGuard::new(LIMIT, LIMIT).inspect(&bytes);

        let mut guard = FrameGuard::new(LIMIT, LIMIT);
        let (mut rest, mut passed, mut stop) = (&bytes[..], 0, None);
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (chunk, later) = rest.split_at(*cut.min(&rest.len()));
            let found = guard.inspect(chunk);
            prop_assert!(found.pass <= chunk.len());
            prop_assert!(found.stop.is_some() || found.pass == chunk.len());
            passed += found.pass;
            stop = found.stop;
            rest = later;
        }
        prop_assert_eq!(Inspection { pass: passed, stop }, whole);
    }

    #[test]
    fn sound_streams_pass_whole(lengths in vec((0_usize..300, 0_usize..126, 0_usize..300), 0..10)) {
        let frames: Vec<_> = lengths
            .iter()
            .flat_map(|&(start, ping, end)| [frame(0x01, start), frame(0x89, ping), frame(0x80, end), frame(0x81, start)])
            .collect();
        let bytes = frames.concat();
        prop_assert_eq!(FrameGuard::new(LIMIT, LIMIT).inspect(&bytes), Inspection { pass: bytes.len(), stop: None });
    }
}

#[test]
fn the_first_message_may_be_longer_in_one_piece_or_several() {
    let inspect = |frames: &[Vec<u8>]| {
        FrameGuard::new(2 * LIMIT, LIMIT)
            .inspect(&frames.concat())
            .stop
    };
    let (long, short) = (2 * LIMIT as usize, LIMIT as usize);
    assert_eq!(
        inspect(&[frame(0x81, long), frame(0x81, short), frame(0x81, short)]),
        None
    );
    assert_eq!(
        inspect(&[
            frame(0x89, 9),
            frame(0x01, short),
            frame(0x89, 9),
            frame(0x80, short),
            frame(0x81, short)
        ]),
        None
    );
    assert_eq!(inspect(&[frame(0x81, long + 1)]), Some(StreamStop::TooBig));
    assert_eq!(
        inspect(&[frame(0x81, 1), frame(0x81, short + 1)]),
        Some(StreamStop::TooBig)
    );
    assert_eq!(
        inspect(&[
            frame(0x01, short),
            frame(0x80, short),
            frame(0x81, short + 1)
        ]),
        Some(StreamStop::TooBig)
    );
}

#[test]
fn an_unfinished_message_is_as_long_as_its_headers_say() {
    let mut guard = FrameGuard::new(LIMIT, LIMIT);
    let mut after = |bytes: &[u8]| {
        guard.inspect(bytes);
        guard.unfinished()
    };
    let (first, last) = (frame(0x01, 40), frame(0x80, 60));
    assert_eq!(after(&first[..1]), 0);
    assert_eq!(after(&first[1..10]), 40);
    assert_eq!(after(&first[10..]), 40);
    assert_eq!(after(&frame(0x89, 9)), 40);
    assert_eq!(after(&last[..6]), 100);
    assert_eq!(after(&last[6..]), 0);
}
