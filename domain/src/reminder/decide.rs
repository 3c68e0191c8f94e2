//! What may be done with a reminder.

use chrono::{DateTime, SubsecRound as _, Utc};

use super::{
    Begin, Ledger, Occasion, Reminder, ReminderAsked, ReminderBegun, ReminderBegunAgain,
    ReminderCommand, ReminderDue, ReminderDueAgain, ReminderEvent, ReminderGivenUp,
    ReminderRefusal, ReminderResendAsked, ReminderSkipped, Why,
};
use crate::appointment::Status;
use crate::sending::{Course, MAX_LATE, SendState, Silence, Try, silence};
use crate::service::Channel;
use crate::{Decide, Facts, Needs, SeenVersions};

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
                let time = (facts.now, ledger.of.start);
                let recorded = ledger.course.settle((attempt, outcome, jitter), time);
                recorded.map(Into::into).ok_or(ReminderRefusal::ReminderNotUnderWay)
            }
            (Self::Known(ledger), ReminderCommand::Lapse) => {
                let lapsed = ledger.course.lapse(facts.now, ledger.of.start);
                let lapsed = lapsed.ok_or(ReminderRefusal::ReminderNotUnderWay)?;
                Ok(ReminderEvent::ReminderFailed(lapsed))
            }
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
            let SeenVersions { appointment, client } = facts.versions;
            if of.rule.channel() == Channel::Webhook {
                return Ok(ReminderEvent::ReminderDue(ReminderDue {
                    of,
                    appointment_version: appointment,
                    client_version: client,
                }));
            }
            let nothing = Course::first(SendState::Asked { at: of.due });
            let tried = a_try(&nothing, begin, facts);
            Ok(ReminderEvent::ReminderBegun(ReminderBegun { of, tried }))
        }
    }
}

/// Another try, or why there is none.
fn again(ledger: &Ledger, begin: Begin, facts: &Facts) -> Result<ReminderEvent, ReminderRefusal> {
    let asked = ledger.course.may_be_tried(facts.now)?;
    let why = why_not(&ledger.of, facts)
        .filter(|why| !asked || *why != Why::RuleGone)
        .or_else(|| (ledger.of.due < begin.since && !asked).then_some(Why::TooLate))
        .or_else(|| (begin.is_superseded && !asked).then_some(Why::Superseded));
    if let Some(why) = why {
        return Ok(ReminderEvent::ReminderGivenUp(ReminderGivenUp { why }));
    }
    if ledger.of.rule.channel() == Channel::Webhook {
        let SeenVersions { appointment, client } = facts.versions;
        return Ok(ReminderEvent::ReminderDueAgain(ReminderDueAgain {
            of: ledger.of,
            appointment_version: appointment,
            client_version: client,
        }));
    }
    let tried = a_try(&ledger.course, begin, facts);
    Ok(ReminderEvent::ReminderBegunAgain(ReminderBegunAgain { tried }))
}

fn a_try(course: &Course<Why>, begin: Begin, facts: &Facts) -> Try {
    course.next_try(begin.message_id, facts.versions, (facts.now, begin.lasts))
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
    let is_written_to = of.rule.channel() == Channel::Email;
    let silence = silence(&facts.client);
    // Whoever else reminds them knows how they are reached.
    silence.filter(|it| is_written_to || *it != Silence::NoAddress).map(Why::from)
}

fn resend(ledger: &Ledger, now: DateTime<Utc>) -> Result<ReminderEvent, ReminderRefusal> {
    if let SendState::Begun { lapses_at } = ledger.course.state {
        return Err(ReminderRefusal::ReminderUnderWay { lapses_at });
    }
    let at = may_be_asked(&ledger.of, now)?;
    Ok(ReminderEvent::ReminderResendAsked(ReminderResendAsked { at }))
}

/// Nobody is reminded of what has started.
fn may_be_asked(of: &Occasion, now: DateTime<Utc>) -> Result<DateTime<Utc>, ReminderRefusal> {
    if of.start <= now { Err(ReminderRefusal::ReminderTooLate) } else { Ok(now.trunc_subsecs(6)) }
}
