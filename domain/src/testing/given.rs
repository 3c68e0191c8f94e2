//! given/when/then: a test of a decision says what has happened, what is asked, and what comes of it.
//!
//! ```text
//! given::<Appointment>([held(TEN)])
//!     .at(after_it_lapsed)
//!     .when(C::ConfirmAppointment)
//!     .then_refused(R::HoldExpired { expired_at });
//! ```

use std::fmt::{Debug, Write as _};

use chrono::{DateTime, Utc};

use super::{facts_for, now};
use crate::claim::ClaimQuery;
use crate::{Decide, Facts};

/// What has happened to an aggregate, and the world in which something is asked of it.
#[derive(Clone)]
pub(crate) struct Given<A: Decide> {
    events: Vec<A::Event>,
    facts: Option<Facts>,
    now: Option<DateTime<Utc>>,
}

/// These events have happened, in a world in which all is there and open.
pub(crate) fn given<A: Decide>(events: impl IntoIterator<Item = A::Event>) -> Given<A> {
    Given { events: events.into_iter().collect(), facts: None, now: None }
}

impl<A: Decide<Command: Debug>> Given<A> {
    /// In this world instead.
    pub(crate) fn knowing(self, facts: &Facts) -> Self {
        Self { facts: Some(facts.clone()), ..self }
    }

    /// At that time.
    pub(crate) fn at(self, now: DateTime<Utc>) -> Self {
        Self { now: Some(now), ..self }
    }

    /// What the events have come to.
    pub(crate) fn state(&self) -> A {
        let mut state = A::default();
        self.events.iter().for_each(|event| state.apply(event.clone()));
        state
    }

    /// The claims that the decision would have to see.
    pub(crate) fn claim_queries(&self, command: &A::Command) -> Vec<ClaimQuery> {
        self.state().claim_queries(command, &self.facts(command))
    }

    pub(crate) fn when(self, command: A::Command) -> Decided<A> {
        let (facts, asked) = (self.facts(&command), format!("{command:?}"));
        let outcome = self.state().decide(command, &facts);
        Decided { given: self, asked, now: facts.now, outcome }
    }

    fn facts(&self, command: &A::Command) -> Facts {
        let known = self.facts.clone();
        let mut facts = known.unwrap_or_else(|| facts_for(&self.state().needs(command), now()));
        facts.now = self.now.unwrap_or(facts.now);
        facts
    }
}

/// What came of a command.
pub(crate) struct Decided<A: Decide> {
    given: Given<A>,
    asked: String,
    now: DateTime<Utc>,
    outcome: Result<A::Event, A::Error>,
}

impl<A: Decide<Error: PartialEq>> Decided<A> {
    /// This happened, and nothing else.
    #[track_caller]
    pub(crate) fn then(self, expected: impl Into<A::Event>) -> Given<A> {
        self.is(&Ok(expected.into()));
        self.and()
    }

    /// It was refused for this reason.
    #[track_caller]
    pub(crate) fn then_refused(self, expected: impl Into<A::Error>) {
        self.is(&Err(expected.into()));
    }

    /// It was not refused: given all that has happened now.
    #[track_caller]
    pub(crate) fn and(self) -> Given<A> {
        let event = self.event();
        let mut given = self.given;
        given.events.push(event);
        given
    }

    #[track_caller]
    pub(crate) fn event(&self) -> A::Event {
        match &self.outcome {
            Ok(event) => event.clone(),
            Err(refusal) => panic!("{}refused with {refusal:#?}: {refusal}", self.story()),
        }
    }

    /// Why nothing happened.
    #[track_caller]
    pub(crate) fn refusal(self) -> A::Error {
        match self.outcome {
            Err(refusal) => refusal,
            Ok(ref event) => panic!("{}not refused: {event:#?}", self.story()),
        }
    }

    #[track_caller]
    fn is(&self, expected: &Result<A::Event, A::Error>) {
        if self.outcome != *expected {
            let difference = difference(&told(expected), &told(&self.outcome));
            panic!("{}- expected\n+ found\n{difference}", self.story());
        }
    }

    fn story(&self) -> String {
        let mut story = String::from("\ngiven\n");
        for event in &self.given.events {
            let _ = writeln!(story, "    {event:?}");
        }
        let _ = writeln!(story, "when, at {}\n    {}\nthen", self.now, self.asked);
        story
    }
}

fn told<E: Debug, R: Debug>(outcome: &Result<E, R>) -> String {
    match outcome {
        Ok(event) => format!("{event:#?}"),
        Err(refusal) => format!("refused: {refusal:#?}"),
    }
}

/// The lines that differ, without those that begin and end both texts alike.
fn difference(expected: &str, found: &str) -> String {
    let (expected, found): (Vec<_>, Vec<_>) = (expected.lines().collect(), found.lines().collect());
    let alike = |(one, other): &(&&str, &&str)| one == other;
    let head = expected.iter().zip(&found).take_while(alike).count();
    let (expected, found) = (&expected[head..], &found[head..]);
    let tail = expected.iter().rev().zip(found.iter().rev()).take_while(alike).count();
    let mut lines = String::new();
    for (sign, text) in [('-', expected), ('+', found)] {
        for line in &text[..text.len() - tail] {
            let _ = writeln!(lines, "{sign} {line}");
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::booked;
    use super::*;
    use crate::appointment::{Appointment, AppointmentCommand, AppointmentRefusal};

    #[test]
    fn a_failure_tells_the_story() {
        let failing = || {
            given::<Appointment>([booked("2026-11-23T09:00:00Z")])
                .when(AppointmentCommand::CheckInAppointment)
                .then_refused(AppointmentRefusal::NoConflict);
        };
        let failure = std::panic::catch_unwind(failing).unwrap_err().downcast::<String>().unwrap();
        assert!(failure.starts_with("\ngiven\n    AppointmentBooked(Details { "), "{failure}");
        let (_, end) = failure.split_once("when, ").unwrap();
        assert_eq!(
            end,
            "at 2026-11-23 07:00:00 UTC\n    CheckInAppointment\nthen\n- expected\n+ found\n\
             - refused: NoConflict\n+ AppointmentCheckedIn(\n+     AppointmentCheckedIn,\n+ )\n"
        );
    }

    #[test]
    fn what_is_alike_at_both_ends_is_not_told() {
        assert_eq!(difference("a\nb\nc\nd", "a\nx\ny\nd"), "- b\n- c\n+ x\n+ y\n");
    }
}
