//! Long writes let short ones go first.

use super::*;

/// A row that takes long to write.
fn long(n: u128, seq: u64) -> Commit {
    let mut row = row(n, seq, seq);
    row.body = vec![0; limits::LONG_WRITES_AT_ONCE * 3 / 4];
    Commit::of(row)
}

#[test]
fn short_writes_go_before_long_ones_which_come_in_order() {
    let bench = Bench::new(20);
    bench.append(1);
    assert_eq!(bench.sizes.recv().unwrap(), 1);
    for number in 2..=4 {
        let place = bench.journal.reserve().unwrap().on(&Chain::default());
        place.append(long(number.into(), 1), bench.note(number));
    }
    // A release that waits for everything before it also waits for the long ones.
    bench.release(5);
    let place = bench.journal.reserve().unwrap().on(&Chain::default());
    place.append(Commit::of(row(6, 1, 1)), bench.note(6));
    bench.permit(1);
    // The short one takes the first long one with it.
    for size in [2, 1, 1] {
        assert_eq!(bench.sizes.recv().unwrap(), size);
        bench.permit(1);
    }
    bench.settle();
    assert_eq!(bench.released(), [1, 6, 2, 3, 4, 5]);
}

/// The sizes of the transactions in which three long writes and these numbers of short ones are
/// written, the short ones handed over between the transactions.
fn sizes_beside(long_bytes: usize, short: &[u64]) -> Vec<usize> {
    let bench = Bench::new(100);
    bench.append(1);
    let mut sizes = vec![bench.sizes.recv().unwrap()];
    let hand_over = |number: u64, commit| {
        let place = bench.journal.reserve().unwrap().on(&Chain::default());
        place.append(commit, bench.note(number));
    };
    for number in 2..=4 {
        let mut commit = long(number.into(), 1);
        commit.row.body.truncate(long_bytes);
        hand_over(number, commit);
    }
    let mut number = 5;
    for count in short {
        for _ in 0..*count {
            let mut commit = Commit::of(row(number.into(), 1, 1));
            commit.row.body = vec![0; 2048];
            hand_over(number, commit);
            number += 1;
        }
        bench.permit(1);
        sizes.push(bench.sizes.recv().unwrap());
    }
    bench.permit(10);
    bench.settle();
    sizes.extend(bench.sizes.try_iter());
    sizes
}

#[test]
fn a_transaction_with_short_writes_takes_few_bytes_of_long_ones() {
    let bytes = limits::LONG_WRITES_AT_ONCE / 4;
    // Alone they fit in one transaction, but beside a short write only one of them is written.
    assert_eq!(sizes_beside(bytes, &[1, 1, 1]), [1, 2, 2, 2]);
    // Beside many short ones they have as many bytes as these.
    assert_eq!(sizes_beside(bytes, &[50]), [1, 53]);
}

#[test]
fn writes_that_depend_on_a_long_write_stay_behind_it() {
    let bench = Bench::new(20);
    bench.append(1);
    assert_eq!(bench.sizes.recv().unwrap(), 1);
    let (first, second) = (Chain::default(), Chain::default());
    let on = |chain: &Chain| bench.journal.reserve().unwrap().on(chain);
    on(&first).append(long(2, 1), bench.note(2));
    on(&second).append(long(3, 1), bench.note(3));
    on(&second).append(Commit::of(row(3, 2, 2)), bench.note(4));
    on(&second).release(bench.note(5));
    on(&first).append(Commit::of(row(2, 2, 2)), bench.note(6));
    bench.permit(3);
    bench.settle();
    assert_eq!(bench.released(), [1, 2, 3, 4, 5, 6]);
    let sizes: Vec<_> = bench.sizes.try_iter().collect();
    assert_eq!(sizes, [1, 3]);
}

#[test]
fn a_failure_fails_the_waiting_long_writes() {
    let mut bench = Bench::new(20);
    bench.append(1);
    assert_eq!(bench.sizes.recv().unwrap(), 1);
    for number in 2..=3 {
        let place = bench.journal.reserve().unwrap().on(&Chain::default());
        place.append(long(number.into(), 1), bench.note(number));
    }
    bench.permits = None;
    bench.settle();
    assert_eq!(bench.released(), [1, 2, 3].map(|n| n + FAILED));
}
