//! The checker of histories finds those that no order explains, lets those through that one does, and is quick
//! about either.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::checker::check;
use super::finding::Finding;
use super::linearizability::{asked, linearizable};
use super::recorder::{Operation, Outcome, Record, Refusal, Seen};
use crate::harness::monday;

/// An operation from one second to another.
fn record(client: usize, (from, to): (u64, u64), operation: Operation, outcome: Outcome) -> Record {
    Record {
        client,
        key: String::new(),
        operation,
        invoked: Duration::from_secs(from),
        completed: Duration::from_secs(to),
        outcome,
        asked_again: false,
    }
}

fn book(start: DateTime<Utc>) -> Operation {
    Operation::Book {
        service: String::new(),
        rooms: Vec::new(),
        client: String::new(),
        start,
        hold_minutes: None,
    }
}

fn seen(number: u128, version: i64, status: &str, start: DateTime<Utc>) -> Outcome {
    Outcome::Accepted(Seen {
        appointment: Uuid::from_u128(number),
        version,
        status: status.to_owned(),
        start,
        hold_expires_at: None,
        position: None,
    })
}

fn taken(start: DateTime<Utc>, end: DateTime<Utc>) -> Outcome {
    Outcome::Refused(Refusal { slug: "slot-taken".to_owned(), taken: Some((start, end)) })
}

#[test]
fn a_history_that_no_order_explains_is_found() {
    let (ten, quarter, half) = (monday(10, 0), monday(10, 15), monday(10, 30));
    let id = Uuid::from_u128(71);
    let booked = record(0, (0, 2), book(ten), seen(71, 1, "booked", ten));
    let cancelled = record(0, (4, 6), Operation::Cancel(id), seen(71, 2, "cancelled", ten));
    let read = |span, version, status| {
        record(1, span, Operation::Read(id), seen(71, version, status, ten))
    };
    let never: [&[Record]; 6] = [
        // Both have the same time.
        &[booked.clone(), record(1, (1, 3), book(quarter), seen(72, 1, "booked", quarter))],
        // It was cancelled before it was read, and read as booked.
        &[booked.clone(), cancelled.clone(), read((7, 8), 1, "booked")],
        // It was read as cancelled before anybody cancelled it.
        &[booked.clone(), read((2, 3), 2, "cancelled"), cancelled.clone()],
        // Nothing conflicted.
        &[booked.clone(), cancelled.clone(), record(1, (7, 8), book(quarter), taken(ten, half))],
        // What conflicted had another time.
        &[booked.clone(), record(1, (3, 4), book(quarter), taken(quarter, half))],
        // Read as cancelled, and then as booked.
        &[booked.clone(), cancelled.clone(), read((4, 5), 2, "cancelled"), {
            record(2, (6, 7), Operation::Read(id), seen(71, 1, "booked", ten))
        }],
    ];
    for history in never {
        let found = linearizable(history);
        assert!(matches!(found, Err(Finding::NotLinearizable { .. })), "{history:#?}");
    }
    let possible: [&[Record]; 5] = [
        &[booked.clone(), cancelled.clone(), read((7, 8), 2, "cancelled")],
        // While it was cancelled, it may have been read either way.
        &[booked.clone(), cancelled.clone(), read((4, 5), 1, "booked")],
        &[booked.clone(), cancelled, record(1, (5, 8), book(quarter), taken(ten, half))],
        // Touching is not overlapping.
        &[booked, record(1, (1, 3), book(half), seen(72, 1, "booked", half))],
        // It had no answer, and stood in another's way.
        &[
            record(0, (0, 1), book(ten), Outcome::Unknown),
            record(1, (2, 3), book(quarter), taken(ten, half)),
            record(0, (2, 4), book(half), seen(73, 1, "booked", half)),
        ],
    ];
    for history in possible {
        linearizable(history).unwrap();
    }
}

/// Twenty operations of four clients, four of them without an answer: each client books at a time of its own, moves
/// that, is not told what came of another move, and reads twice what the others have.
///
/// `last` is the version that the last of them reads.
fn with_four_open(last: i64) -> Vec<Record> {
    let hour = |client: usize, nth: i64| {
        monday(9, 0) + TimeDelta::hours(nth) + TimeDelta::hours(4) * i32::try_from(client).unwrap()
    };
    let number = |client: usize| 71 + (client % 4) as u128;
    let id = |client: usize| Uuid::from_u128(number(client));
    let mut records = Vec::new();
    for client in 0..4 {
        let move_to =
            |nth| Operation::Reschedule { appointment: id(client), start: hour(client, nth) };
        let read = |whose: usize| Operation::Read(id(whose));
        // It was moved by what had no answer: of two, so it was read.
        let as_read = |whose: usize| match whose % 4 {
            0 | 2 => seen(number(whose), 3, "booked", hour(whose % 4, 2)),
            _ => seen(number(whose), 2, "booked", hour(whose % 4, 1)),
        };
        records.extend([
            record(
                client,
                (0, 9),
                book(hour(client, 0)),
                seen(number(client), 1, "booked", hour(client, 0)),
            ),
            record(
                client,
                (10, 19),
                move_to(1),
                seen(number(client), 2, "booked", hour(client, 1)),
            ),
            record(client, (20, 29), move_to(2), Outcome::Unknown),
            record(client, (30, 39), read(client + 1), as_read(client + 1)),
            record(client, (40, 49), read(client + 2), as_read(client + 2)),
        ]);
    }
    if let Some(Record { outcome: Outcome::Accepted(seen), .. }) = records.last_mut() {
        seen.version = last;
    }
    records
}

/// A search that does not remember tries the orders of four operations, for each of five times, each with every
/// order of all that is open.
#[test]
fn a_history_with_much_that_is_open_is_decided_at_once() {
    let possible = check(&asked(&with_four_open(2)));
    assert!(possible.linearizable);
    let never = check(&asked(&with_four_open(4)));
    assert!(!never.linearizable);
    for verdict in [possible, never] {
        assert!(verdict.looked_at < 5_000, "{verdict:?}");
    }
}
