use daybook_domain::appointment::{AppointmentCancelled, AppointmentEvent, CancelledBy};
use daybook_domain::claim::{ClaimConflict, Claims};
use daybook_domain::time::Interval;
use daybook_domain::{Refusal, TenantId};
use uuid::Uuid;

use super::*;
use crate::testing::{
    a_booking, a_hold, a_move, key, minute, noon, of_stream, resource, submission, uuid,
};

fn tenant() -> TenantId {
    "clinic".parse().unwrap()
}

fn new(id: u128, event: &AppointmentEvent) -> Submission {
    submission(&tenant(), uuid(id), 0, event)
}

fn cancelled() -> AppointmentEvent {
    let by = CancelledBy::Staff;
    AppointmentEvent::AppointmentCancelled(AppointmentCancelled {
        reason: None,
        by,
        overridden: None,
    })
}

fn with_key(submission: Submission, name: &str, request: u8) -> Submission {
    Submission { key: Some(key(name, request)), ..submission }
}

fn decided_at(submission: Submission, at: i64) -> Submission {
    Submission { decided_at: minute(at), ..submission }
}

fn at(position: u64) -> Verdict {
    Verdict::Appended(Position::START.plus(position))
}

fn taken(by: u128, from: i64, to: i64) -> Verdict {
    let during = Interval::new(minute(from), minute(to)).unwrap();
    Verdict::SlotTaken(ClaimConflict { resource: resource(by), during, reference_of: None })
}

/// A log in which these appointments are at version 1.
fn a_log_with(appointments: &[(u128, AppointmentEvent)]) -> BatchState {
    let mut state = BatchState {
        head: Position::START.plus(appointments.len() as u64),
        ..BatchState::default()
    };
    for (id, event) in appointments {
        state.versions.insert(of_stream(&tenant(), uuid(*id)), 1);
        state.claims.restore(uuid(*id).into(), event.claims_after().unwrap());
    }
    state
}

fn holders(resolution: &Resolution<'_>) -> Vec<Uuid> {
    resolution.taken.iter().map(|(holder, _)| holder.uuid()).collect()
}

/// Both in one submission: all of it happens, or nothing.
fn together(one: Submission, other: Submission) -> Submission {
    let (Decision::Accept { read_set, appends, claims, .. }, Decision::Accept { .. }) =
        (other.decision, &one.decision)
    else {
        panic!("two acceptances")
    };
    let mut both = one;
    if let Decision::Accept { read_set: all_read, appends: all, claims: all_claims, .. } =
        &mut both.decision
    {
        all_read.extend(read_set);
        all.extend(appends);
        all_claims.extend(claims);
    }
    both
}

#[test]
fn positions_follow_each_other_and_losers_have_none() {
    let batch = [
        new(1, &a_booking(&[1], 0, 30)),
        new(2, &a_booking(&[1], 29, 40)),
        new(3, &a_booking(&[1], 30, 40)),
    ];
    let (resolution, _) = resolve(&batch, a_log_with(&[]));
    assert_eq!(resolution.verdicts, [at(1), taken(1, 0, 30), at(2)]);
    assert_eq!(resolution.appends.len(), 2);
    assert_eq!(holders(&resolution), [uuid(1), uuid(3)]);
}

#[test]
fn a_decision_on_what_another_of_the_batch_has_changed_is_stale() {
    let batch = [
        submission(&tenant(), uuid(1), 1, &cancelled()),
        submission(&tenant(), uuid(1), 1, &cancelled()),
        submission(&tenant(), uuid(1), 2, &cancelled()),
    ];
    let (resolution, _) = resolve(&batch, a_log_with(&[(1, a_booking(&[1], 0, 30))]));
    let stale = Verdict::Stale(vec![of_stream(&tenant(), uuid(1))]);
    assert_eq!(resolution.verdicts, [at(2), stale, at(3)]);
}

#[test]
fn of_a_read_set_the_streams_that_moved_are_named() {
    let mut booking = new(2, &a_booking(&[2], 0, 30));
    if let Decision::Accept { read_set, .. } = &mut booking.decision {
        read_set.push((of_stream(&tenant(), uuid(1)), 0));
        read_set.push((of_stream(&tenant(), uuid(9)), 0));
    }
    let batch = [booking];
    let (resolution, _) = resolve(&batch, a_log_with(&[(1, a_booking(&[1], 0, 30))]));
    assert_eq!(resolution.verdicts, [Verdict::Stale(vec![of_stream(&tenant(), uuid(1))])]);
    assert!(resolution.appends.is_empty());
}

#[test]
fn a_loser_of_two_resources_leaves_the_other_to_its_neighbour() {
    let batch = [new(2, &a_booking(&[2, 1], 0, 30)), new(3, &a_booking(&[2], 0, 30))];
    let (resolution, _) = resolve(&batch, a_log_with(&[(1, a_booking(&[1], 0, 30))]));
    assert_eq!(resolution.verdicts, [taken(1, 0, 30), at(2)]);
    assert_eq!(holders(&resolution), [uuid(3)]);
}

#[test]
fn what_a_cancellation_frees_is_free_for_the_next_of_the_batch() {
    let batch = [submission(&tenant(), uuid(1), 1, &cancelled()), new(2, &a_booking(&[1], 0, 30))];
    let (resolution, _) = resolve(&batch, a_log_with(&[(1, a_booking(&[1], 0, 30))]));
    assert_eq!(resolution.verdicts, [at(2), at(3)]);
    assert_eq!(resolution.released, BTreeSet::from([uuid(1).into()]));
    assert_eq!(holders(&resolution), [uuid(2)]);
}

#[test]
fn booked_and_cancelled_in_one_batch_claims_nothing() {
    let batch = [new(1, &a_booking(&[1], 0, 30)), submission(&tenant(), uuid(1), 1, &cancelled())];
    let (resolution, _) = resolve(&batch, a_log_with(&[]));
    assert_eq!(resolution.verdicts, [at(1), at(2)]);
    assert!(resolution.taken.is_empty());
}

#[test]
fn a_hold_lapses_at_its_instant_for_whoever_decides_then() {
    let hold = a_hold(&[1], 60, 90, 10);
    let before = [decided_at(new(2, &a_booking(&[1], 60, 90)), 9)];
    let (resolution, _) = resolve(&before, a_log_with(&[(1, hold.clone())]));
    assert_eq!(resolution.verdicts, [taken(1, 60, 90)]);
    let then = [decided_at(new(2, &a_booking(&[1], 60, 90)), 10)];
    let (resolution, _) = resolve(&then, a_log_with(&[(1, hold)]));
    assert_eq!(resolution.verdicts, [at(2)]);
    assert_eq!(resolution.released, BTreeSet::from([uuid(1).into()]));
}

#[test]
fn a_loser_evicts_nobody() {
    let lapsed = a_hold(&[1], 60, 90, 10);
    let booked = a_booking(&[2], 60, 90);
    let log = || a_log_with(&[(1, lapsed.clone()), (2, booked.clone())]);
    // On two resources, as one appointment.
    let one = [decided_at(new(3, &a_booking(&[1, 2], 60, 90)), 20)];
    let (resolution, _) = resolve(&one, log());
    assert_eq!(resolution.verdicts, [taken(2, 60, 90)]);
    assert!(resolution.released.is_empty());
    // As two appointments of one submission: the first could evict, the second loses.
    let two = [decided_at(
        together(new(3, &a_booking(&[1], 60, 90)), new(4, &a_booking(&[2], 60, 90))),
        20,
    )];
    let (resolution, _) = resolve(&two, log());
    assert_eq!(resolution.verdicts, [taken(2, 60, 90)]);
    assert!(resolution.released.is_empty(), "{:?}", resolution.released);
}

#[test]
fn a_hold_of_the_same_batch_that_a_loser_would_evict_is_still_written() {
    let batch = [
        new(1, &a_hold(&[1], 60, 90, 10)),
        decided_at(
            together(new(3, &a_booking(&[1], 60, 90)), new(4, &a_booking(&[2], 60, 90))),
            20,
        ),
    ];
    let (resolution, _) = resolve(&batch, a_log_with(&[(2, a_booking(&[2], 60, 90))]));
    assert_eq!(resolution.verdicts, [at(2), taken(2, 60, 90)]);
    assert_eq!(holders(&resolution), [uuid(1)]);
}

#[test]
fn two_appointments_of_one_submission_can_change_places() {
    let batch = [together(
        submission(&tenant(), uuid(1), 1, &a_move(&[1], 30, 60)),
        submission(&tenant(), uuid(2), 1, &a_move(&[1], 0, 30)),
    )];
    let log = a_log_with(&[(1, a_booking(&[1], 0, 30)), (2, a_booking(&[1], 30, 60))]);
    let (resolution, _) = resolve(&batch, log);
    assert_eq!(resolution.verdicts, [at(4)]);
    assert_eq!(holders(&resolution), [uuid(2), uuid(1)]);
}

#[test]
fn two_appointments_of_one_submission_are_in_each_others_way() {
    let batch = [together(new(1, &a_booking(&[1], 0, 30)), new(2, &a_booking(&[1], 15, 45)))];
    let (resolution, _) = resolve(&batch, a_log_with(&[]));
    assert_eq!(resolution.verdicts, [taken(1, 0, 30)]);
    assert!(resolution.taken.is_empty());
}

#[test]
fn one_key_has_one_answer_within_a_batch_and_after_it() {
    let batch = [
        with_key(new(1, &a_booking(&[1], 0, 30)), "k", 1),
        with_key(new(2, &a_booking(&[1], 0, 30)), "k", 1),
        with_key(new(3, &a_booking(&[1], 0, 30)), "k", 2),
    ];
    let (resolution, _) = resolve(&batch, a_log_with(&[]));
    let answer =
        FirstAnswer::Accepted { id: uuid(1), version: 1, position: Position::START.plus(1) };
    assert_eq!(resolution.verdicts, [at(1), Verdict::Answered(answer.clone()), Verdict::KeyReused]);
    assert_eq!(resolution.answered, [(&key("k", 1), answer)]);
}

#[test]
fn a_slot_that_was_taken_is_the_keys_answer_from_then_on() {
    let batch = [
        with_key(new(2, &a_booking(&[1], 0, 30)), "k", 1),
        submission(&tenant(), uuid(1), 1, &cancelled()),
        with_key(new(3, &a_booking(&[1], 0, 30)), "k", 1),
    ];
    let (resolution, _) = resolve(&batch, a_log_with(&[(1, a_booking(&[1], 0, 30))]));
    let [lost, _, again] = resolution.verdicts.as_slice() else { panic!("three verdicts") };
    assert_eq!(*lost, taken(1, 0, 30));
    assert!(matches!(again, Verdict::Answered(FirstAnswer::Refused(_))), "{again:?}");
}

#[test]
fn a_decision_that_had_a_choice_uses_up_no_key_where_its_choice_is_taken() {
    let batch = [1, 2].map(|id| {
        let mut submission = with_key(new(id, &a_booking(&[1], 0, 30)), &format!("{id}"), 1);
        if let Decision::Accept { on_conflict, .. } = &mut submission.decision {
            *on_conflict = OnConflict::Retry;
        }
        submission
    });
    let (resolution, _) = resolve(&batch, BatchState::default());
    assert_eq!(resolution.verdicts, [at(1), taken(1, 0, 30)]);
    assert_eq!(resolution.answered.len(), 1);
}

#[test]
fn a_stale_decision_uses_up_no_key() {
    let batch = [
        with_key(submission(&tenant(), uuid(1), 7, &cancelled()), "k", 1),
        with_key(submission(&tenant(), uuid(1), 1, &cancelled()), "k", 1),
    ];
    let (resolution, _) = resolve(&batch, a_log_with(&[(1, a_booking(&[1], 0, 30))]));
    assert_eq!(resolution.verdicts[1], at(2));
    assert_eq!(resolution.answered.len(), 1);
}

#[test]
fn refusals_are_kept_with_their_keys() {
    let refusal = Refusal::StaleVersion { expected: 1, actual: 2 };
    let refuse = Submission {
        tenant: tenant(),
        key: Some(key("k", 1)),
        decided_at: noon(),
        decision: Decision::Answer(FirstAnswer::Refused(refusal.clone())),
    };
    let batch = [refuse, with_key(new(1, &a_booking(&[1], 0, 30)), "k", 1)];
    let (resolution, _) = resolve(&batch, a_log_with(&[]));
    let kept = FirstAnswer::Refused(refusal);
    assert_eq!(resolution.verdicts, [Verdict::AnswerKept, Verdict::Answered(kept)]);
    assert!(resolution.appends.is_empty());
}
