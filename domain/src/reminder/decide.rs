//! What may be done with a reminder.

use chrono::{DateTime, SubsecRound as _, Utc};

use super::retry::{self, MAX_LATE, MAX_TRIES, MAX_UNKNOWN};
use super::{
    Begin, Failure, Ledger, Occasion, Outcome, Reminder, ReminderAsked, ReminderBegun,
    ReminderBegunAgain, ReminderCommand, ReminderEvent, ReminderFailed, ReminderGivenUp,
    ReminderRefusal, ReminderResendAsked, ReminderSent, ReminderSkipped, ReminderState, Try, Why,
};
use crate::appointment::Status;
use crate::client::{Client, Reminding};
use crate::{Decide, Facts, Needs};

impl Decide for Reminder {
    fn decide(
        &self,
        command: ReminderCommand,
        facts: &Facts,
    ) -> Result<ReminderEvent, ReminderRefusal> {
        match (self, command) {
            (Self::Unbegun, ReminderCommand::Begin(begin)) => first(begin, facts),
            (Self::Known(ledger), ReminderCommand::Begin(begin)) => again(ledger, begin, facts),
            (Self::Unbegun, ReminderCommand::AskForResend(of)) => {
                let at = may_be_asked(&of, facts.now)?;
                Ok(ReminderEvent::ReminderAsked(ReminderAsked { of, at }))
            }
            (Self::Unbegun, _) => Err(ReminderRefusal::ReminderNotFound),
            (Self::Known(ledger), ReminderCommand::Settle { attempt, outcome, jitter }) => {
                settle(ledger, attempt, outcome, jitter, facts.now)
            }
            (Self::Known(ledger), ReminderCommand::Lapse) => match ledger.state {
                ReminderState::Begun { lapses_at } if lapses_at <= facts.now => {
                    Ok(unknown(ledger, Some(facts.now.trunc_subsecs(6))))
                }
                _ => Err(ReminderRefusal::ReminderNotUnderWay),
            },
            (Self::Known(ledger), ReminderCommand::AskForResend(_)) => resend(ledger, facts.now),
        }
    }

    fn needs(&self, command: &ReminderCommand) -> Needs {
        let ReminderCommand::Begin(Begin { of, zone_of, .. }) = command else {
            return Needs::default();
        };
        Needs {
            service: Some(of.service_id),
            resources: vec![*zone_of],
            client: Some(of.client_id),
            appointment: Some(of.appointment_id),
            ..Needs::default()
        }
    }
}

/// The first try, or why there is none. What is not planned is refused: nothing is to become of it.
fn first(begin: Begin, facts: &Facts) -> Result<ReminderEvent, ReminderRefusal> {
    let of = begin.of;
    let is_planned = due(&begin, facts) == Some(of.due) && !is_imported(facts);
    if !is_planned || of.due > facts.now {
        return Err(ReminderRefusal::ReminderNotDue);
    }
    let late = of.due + MAX_LATE < facts.now || of.due < begin.since;
    let superseded = begin.is_superseded;
    match why_not(&of, facts) {
        Some(Why::Cancelled | Why::Moved | Why::RuleGone) => Err(ReminderRefusal::ReminderNotDue),
        Some(why) => Ok(skipped(of, why)),
        None if late => Ok(skipped(of, Why::TooLate)),
        None if superseded => Ok(skipped(of, Why::Superseded)),
        None => {
            let tried = a_try(1, begin, facts);
            Ok(ReminderEvent::ReminderBegun(ReminderBegun { of, tried }))
        }
    }
}

/// Another try, or why there is none.
fn again(ledger: &Ledger, begin: Begin, facts: &Facts) -> Result<ReminderEvent, ReminderRefusal> {
    let asked = match ledger.state {
        ReminderState::Begun { lapses_at } => {
            return Err(ReminderRefusal::ReminderUnderWay { lapses_at });
        }
        ReminderState::Failed(ReminderFailed { retry_at: Some(at), .. }) if at <= facts.now => {
            false
        }
        ReminderState::Asked { at } if at <= facts.now => true,
        ReminderState::Failed(ReminderFailed { retry_at: Some(_), .. })
        | ReminderState::Asked { .. } => return Err(ReminderRefusal::ReminderNotDue),
        ReminderState::Failed(_) | ReminderState::Sent { .. } | ReminderState::Skipped(_) => {
            return Err(ReminderRefusal::ReminderSettled);
        }
    };
    let why = why_not(&ledger.of, facts)
        .filter(|why| !asked || *why != Why::RuleGone)
        .or_else(|| (ledger.of.due < begin.since && !asked).then_some(Why::TooLate))
        .or_else(|| (begin.is_superseded && !asked).then_some(Why::Superseded));
    if let Some(why) = why {
        return Ok(ReminderEvent::ReminderGivenUp(ReminderGivenUp { why }));
    }
    let message_id = ledger.message_id.clone().unwrap_or(begin.message_id);
    let tried = a_try(ledger.attempts + 1, Begin { message_id, ..begin }, facts);
    Ok(ReminderEvent::ReminderBegunAgain(ReminderBegunAgain { tried }))
}

fn a_try(attempt: u16, begin: Begin, facts: &Facts) -> Try {
    Try {
        attempt,
        appointment_version: facts.versions.appointment,
        client_version: facts.versions.client,
        message_id: begin.message_id,
        lapses_at: (facts.now + begin.lasts).trunc_subsecs(6),
    }
}

fn skipped(of: Occasion, why: Why) -> ReminderEvent {
    ReminderEvent::ReminderSkipped(ReminderSkipped { of, why })
}

fn is_imported(facts: &Facts) -> bool {
    facts.appointment.details().is_some_and(|details| details.imported)
}

/// When it is due, by the clocks of the resource that it names; `None`: it is of another resource by now, or never due.
fn due(begin: &Begin, facts: &Facts) -> Option<DateTime<Utc>> {
    let first = facts.appointment.slot()?.resource_ids.iter().next();
    let (_, resource) = facts.resources.iter().find(|(id, _)| Some(*id) == first)?;
    begin.of.rule.due(begin.of.start, resource.profile()?.time_zone)
}

/// Why nobody is to be reminded of this, whenever that would be.
fn why_not(of: &Occasion, facts: &Facts) -> Option<Why> {
    let appointment = &*facts.appointment;
    // As the read model has it, to the microsecond.
    let is_of = |start: DateTime<Utc>| start.trunc_subsecs(6) == of.start;
    match appointment.status() {
        Some(Status::Booked) => {}
        Some(Status::CheckedIn | Status::Fulfilled | Status::NoShow) => return Some(Why::Over),
        Some(Status::Held | Status::Cancelled) | None => return Some(Why::Cancelled),
    }
    if !appointment.slot().is_some_and(|slot| is_of(slot.during.start())) {
        return Some(Why::Moved);
    }
    if !facts.service.terms().is_some_and(|terms| terms.reminders.contains(of.rule)) {
        return Some(Why::RuleGone);
    }
    if of.start <= facts.now {
        return Some(Why::TooLate);
    }
    match &*facts.client {
        Client::Registered(record) if record.restriction.is_some() => Some(Why::Restricted),
        Client::Registered(record) if record.contact.reminders == Reminding::None => {
            Some(Why::NotWanted)
        }
        Client::Registered(record) if record.contact.email.is_some() => None,
        Client::Registered(_) | Client::Unregistered | Client::Erased { .. } => {
            Some(Why::NoAddress)
        }
    }
}

fn settle(
    ledger: &Ledger,
    attempt: u16,
    outcome: Outcome,
    jitter: u8,
    now: DateTime<Utc>,
) -> Result<ReminderEvent, ReminderRefusal> {
    let lapsed = matches!(
        ledger.state,
        ReminderState::Failed(ReminderFailed { failure: Failure::Unknown, .. })
    );
    let is_known = matches!(ledger.state, ReminderState::Begun { .. });
    // Whoever learns late that it was taken says so, unless it has been begun again.
    let is_late = lapsed && matches!(outcome, Outcome::Accepted { .. });
    if ledger.attempts != attempt || !(is_known || is_late) {
        return Err(ReminderRefusal::ReminderNotUnderWay);
    }
    let next = || retry::next(ledger.tries, jitter, now, ledger.of.start);
    Ok(match outcome {
        Outcome::Accepted { code } => ReminderEvent::ReminderSent(ReminderSent { code }),
        Outcome::Transient { code } => failed(Failure::Transient, code, next()),
        Outcome::Permanent { code } => failed(Failure::Permanent, code, None),
        Outcome::Unknown => unknown(ledger, next()),
        Outcome::Nothing(why) => ReminderEvent::ReminderGivenUp(ReminderGivenUp { why }),
    })
}

fn failed(failure: Failure, code: Option<u16>, retry_at: Option<DateTime<Utc>>) -> ReminderEvent {
    ReminderEvent::ReminderFailed(ReminderFailed { failure, code, retry_at })
}

/// Once more, and no more often.
fn unknown(ledger: &Ledger, retry_at: Option<DateTime<Utc>>) -> ReminderEvent {
    let retry_at = retry_at.filter(|at| {
        ledger.unknown < MAX_UNKNOWN && ledger.tries < MAX_TRIES && *at < ledger.of.start
    });
    failed(Failure::Unknown, None, retry_at)
}

fn resend(ledger: &Ledger, now: DateTime<Utc>) -> Result<ReminderEvent, ReminderRefusal> {
    match ledger.state {
        ReminderState::Begun { lapses_at } => Err(ReminderRefusal::ReminderUnderWay { lapses_at }),
        ReminderState::Sent { .. }
        | ReminderState::Failed(_)
        | ReminderState::Skipped(_)
        | ReminderState::Asked { .. } => {
            let at = may_be_asked(&ledger.of, now)?;
            Ok(ReminderEvent::ReminderResendAsked(ReminderResendAsked { at }))
        }
    }
}

/// Nobody is reminded of what has started.
fn may_be_asked(of: &Occasion, now: DateTime<Utc>) -> Result<DateTime<Utc>, ReminderRefusal> {
    if of.start <= now { Err(ReminderRefusal::ReminderTooLate) } else { Ok(now.trunc_subsecs(6)) }
}
