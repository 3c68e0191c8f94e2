//! What may be done with a notice.

use super::{
    Begin, Ledger, Notice, NoticeBegun, NoticeBegunAgain, NoticeCommand, NoticeEvent,
    NoticeGivenUp, NoticeRefusal, NoticeSkipped, Subject, Told, Why,
};
use crate::sending::{Course, MAX_LATE, SendState, Try, silence};
use crate::{Decide, Facts, Needs};

impl Decide for Notice {
    fn decide(&self, command: NoticeCommand, facts: &Facts) -> Result<NoticeEvent, NoticeRefusal> {
        match (self, command) {
            (Self::Unbegun, NoticeCommand::Begin(begin)) => self.first(begin, facts),
            (Self::Known(ledger), NoticeCommand::Begin(begin)) => self.again(ledger, begin, facts),
            (Self::Unbegun, _) => Err(NoticeRefusal::NoticeNotFound),
            (Self::Known(ledger), NoticeCommand::Settle { attempt, outcome, jitter }) => {
                let time = (facts.now, ledger.of.told.until());
                let recorded = ledger.course.settle((attempt, outcome, jitter), time);
                let recorded = recorded.ok_or(NoticeRefusal::NoticeNotUnderWay)?;
                Ok(NoticeEvent::of(ledger.of.clone(), recorded))
            }
            (Self::Known(ledger), NoticeCommand::Lapse) => {
                let lapsed = ledger.course.lapse(facts.now, ledger.of.told.until());
                lapsed.map(NoticeEvent::NoticeFailed).ok_or(NoticeRefusal::NoticeNotUnderWay)
            }
        }
    }

    fn needs(&self, command: &NoticeCommand) -> Needs {
        let NoticeCommand::Begin(begin) = command else { return Needs::default() };
        Needs {
            client: Some(begin.client_id),
            appointment: Some(begin.appointment_id),
            ..Needs::default()
        }
    }
}

impl Notice {
    fn first(&self, begin: Begin, facts: &Facts) -> Result<NoticeEvent, NoticeRefusal> {
        let of = self.subject(&begin, present(&begin, facts)?)?;
        if let Some(why) = why_not(&of.told, &begin, facts) {
            return Ok(NoticeEvent::NoticeSkipped(NoticeSkipped { of, why }));
        }
        let tried = a_try(&Course::first(SendState::Skipped(Why::Superseded)), begin, facts);
        Ok(NoticeEvent::NoticeBegun(NoticeBegun { of, tried }))
    }

    fn again(
        &self,
        ledger: &Ledger,
        begin: Begin,
        facts: &Facts,
    ) -> Result<NoticeEvent, NoticeRefusal> {
        let mut course = ledger.course.clone();
        if let SendState::Begun { lapses_at } = course.state {
            return Err(NoticeRefusal::NoticeUnderWay { lapses_at });
        }
        let of = if ledger.is_open() {
            // What is not so any more is not told, even if it is not time yet to try it again.
            if Told::of(&facts.appointment).as_ref() != Some(&ledger.of.told) {
                let of = ledger.of.clone();
                let why = Why::Superseded;
                return Ok(NoticeEvent::NoticeGivenUp(NoticeGivenUp { of, why }));
            }
            course.may_be_tried(facts.now)?;
            ledger.of.clone()
        } else {
            course.anew();
            self.subject(&begin, present(&begin, facts)?)?
        };
        if let Some(why) = why_not(&of.told, &begin, facts) {
            return Ok(NoticeEvent::NoticeGivenUp(NoticeGivenUp { of, why }));
        }
        let tried = a_try(&course, begin, facts);
        Ok(NoticeEvent::NoticeBegunAgain(NoticeBegunAgain { of, tried }))
    }

    /// What is to be told; nothing is, where the client knows it.
    fn subject(&self, begin: &Begin, told: Told) -> Result<Subject, NoticeRefusal> {
        let what = self.due(&told, begin.is_offered).ok_or(NoticeRefusal::NoticeNotDue)?;
        let Begin { appointment_id, service_id, client_id, sequence, .. } = *begin;
        Ok(Subject { appointment_id, service_id, client_id, what, sequence, told })
    }
}

/// What is so at present, if that is what whoever begins knows of.
fn present(begin: &Begin, facts: &Facts) -> Result<Told, NoticeRefusal> {
    let told = Told::of(&facts.appointment);
    let is_seen = begin.appointment_version == facts.versions.appointment;
    told.filter(|_| is_seen).ok_or(NoticeRefusal::NoticeNotDue)
}

fn a_try(course: &Course<Why>, begin: Begin, facts: &Facts) -> Try {
    course.next_try(begin.message_id, facts.versions, (facts.now, begin.lasts))
}

/// Why a client is not told, although there is something to tell.
fn why_not(told: &Told, begin: &Begin, facts: &Facts) -> Option<Why> {
    let is_late = told.until() <= facts.now
        || begin.changed_at + MAX_LATE < facts.now
        || begin.changed_at < begin.since;
    if begin.notices.are_off() {
        return Some(Why::Off);
    }
    is_late.then_some(Why::TooLate).or_else(|| silence(&facts.client).map(Why::from))
}
