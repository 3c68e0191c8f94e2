//! What may be done with an appointment: the rules, a line each.

use uuid::Uuid;

use super::accepting::accepted;
use super::booking::booked;
use super::cancelling::{Cancelling, cancelled};
use super::confirming::confirmed;
use super::following::{Calendar, with_calendar};
use super::hold::{Hold, expired, released};
use super::joining::followed;
use super::reassigning::{Replacement, reassigned};
use super::rescheduling::{To, rescheduled};
use super::{
    Appointment, AppointmentCheckedIn, AppointmentCommand, AppointmentCompleted,
    AppointmentDescribed, AppointmentEvent, AppointmentHeld, AppointmentMarkedNoShow,
    AppointmentRefusal, AppointmentState, AppointmentTagged, Description, Details, Excused, Wanted,
};
use crate::claim::ClaimQuery;
use crate::patch::{Change, PatchMisfit, Patches as _};
use crate::rights::{Place, Placed};
use crate::{Category, Decide, Facts, Needs, Tags};

impl Decide for Appointment {
    /// Whether the resources are free is not decided here but by the claims, when the event is
    /// appended: only the log knows that exactly. A choice rests on a snapshot of the claims.
    fn decide(
        &self,
        command: AppointmentCommand,
        facts: &Facts,
    ) -> Result<AppointmentEvent, AppointmentRefusal> {
        match self {
            Self::Unmade => make(command, facts),
            Self::Made { details, state, excused } => {
                change(details, state, excused, command, facts)
            }
        }
    }

    fn sets(command: &AppointmentCommand) -> bool {
        use AppointmentCommand::{DescribeAppointment, TagAppointment};
        matches!(command, DescribeAppointment(_) | TagAppointment { .. })
    }

    fn placed(&self, id: Uuid) -> Placed<'_> {
        self.details().map_or(Placed::Nowhere, |details| Placed::At(Place::of(id.into(), details)))
    }

    fn opens(command: &AppointmentCommand) -> bool {
        matches!(command, AppointmentCommand::DescribeAppointment(_))
    }

    fn gives_title(command: &AppointmentCommand) -> bool {
        use AppointmentCommand::{BookAppointment, DescribeAppointment, HoldAppointment};
        match command {
            BookAppointment(booking) | HoldAppointment { booking, .. } => booking.title.is_some(),
            DescribeAppointment(description) => description.title.0.is_some(),
            _ => false,
        }
    }

    fn tells_client(command: &AppointmentCommand) -> bool {
        use AppointmentCommand::{BookAppointment, HoldAppointment};
        matches!(command, BookAppointment(_) | HoldAppointment { .. })
    }

    fn needs(&self, command: &AppointmentCommand) -> Needs {
        self.needs_for(command)
    }

    fn chooses(&self, command: &AppointmentCommand, facts: &Facts) -> bool {
        Self::leaves_resources_open(command, facts)
    }

    fn claim_queries(&self, command: &AppointmentCommand, facts: &Facts) -> Vec<ClaimQuery> {
        self.queries_for(command, facts)
    }

    /// A confirmation takes nothing that the hold did not have: if that is lost, the hold has lapsed
    /// meanwhile, and the decision says so.
    fn conflict_is_final(&self, command: &AppointmentCommand, queries: &[ClaimQuery]) -> bool {
        queries.is_empty() && !matches!(command, AppointmentCommand::ConfirmAppointment)
    }
}

fn make(
    command: AppointmentCommand,
    facts: &Facts,
) -> Result<AppointmentEvent, AppointmentRefusal> {
    use AppointmentCommand::{BookAppointment, HoldAppointment};
    match command {
        BookAppointment(booking) => {
            booked(booking, None, facts).map(AppointmentEvent::AppointmentBooked)
        }
        HoldAppointment { booking, expires_at, holds_per_client } => {
            let hold = Hold::until(expires_at, holds_per_client);
            let (details, expires_at) = (booked(booking, Some(hold), facts)?, hold.expires_at);
            Ok(AppointmentEvent::AppointmentHeld(AppointmentHeld { details, expires_at }))
        }
        _ => Err(AppointmentRefusal::AppointmentNotFound),
    }
}

/// Each command with the states that allow it and its rule, and then how the other states refuse it.
fn change(
    details: &Details,
    state: &AppointmentState,
    excused: &Excused,
    command: AppointmentCommand,
    facts: &Facts,
) -> Result<AppointmentEvent, AppointmentRefusal> {
    use AppointmentCommand as C;
    use AppointmentEvent as E;
    use AppointmentState as S;
    let wrong = |wanted| Err(AppointmentRefusal::WrongStatus { status: state.status(), wanted });
    match (command, state) {
        (C::BookAppointment(_) | C::HoldAppointment { .. }, _) => {
            Err(AppointmentRefusal::AppointmentExists)
        }
        (C::ConfirmAppointment, S::Held { expires_at }) => {
            confirmed(details, *expires_at, facts).map(E::AppointmentConfirmed)
        }
        (C::ConfirmAppointment, _) => wrong(Wanted::Confirmed),
        (
            C::RescheduleAppointment { start, resource_ids, by, overriding },
            S::Held { .. } | S::Booked,
        ) => {
            let to = To { start, resource_ids: resource_ids.as_ref(), overriding: &overriding };
            rescheduled(details, state, to, by, facts).map(E::AppointmentRescheduled)
        }
        (C::FollowSession { plan }, S::Held { .. } | S::Booked) => {
            followed(details, state, &plan, facts).map(E::AppointmentRescheduled)
        }
        (C::FollowCalendar { copied, resource_ids: _, overriding }, S::Booked) => {
            let calendar = Calendar { copied, overriding };
            with_calendar(details, calendar, facts).map(E::AppointmentRescheduled)
        }
        (
            C::RescheduleAppointment { .. } | C::FollowSession { .. } | C::FollowCalendar { .. },
            _,
        ) => wrong(Wanted::Rescheduled),
        (C::DescribeAppointment(description), _) => {
            Ok(described(details, description, facts).map(E::AppointmentDescribed)?)
        }
        (C::ReassignAppointment { from, to, reason }, S::Held { .. } | S::Booked) => {
            reassigned(details, state, Replacement { from, to }, reason, facts)
                .map(E::AppointmentReassigned)
        }
        (C::ReassignAppointment { .. }, _) => wrong(Wanted::Reassigned),
        (C::CancelAppointment { reason, by, overriding }, S::Held { .. } | S::Booked) => {
            let cancelling = Cancelling { by, reason, overriding };
            cancelled(details, state, cancelling, facts).map(E::AppointmentCancelled)
        }
        (C::CancelAppointment { .. }, _) => wrong(Wanted::Cancelled),
        (C::ReleaseHold, S::Held { expires_at }) => {
            released(*expires_at, facts.now).map(E::AppointmentCancelled)
        }
        (C::ReleaseHold, _) => wrong(Wanted::Released),
        (C::ExpireHold, S::Held { expires_at }) => {
            expired(*expires_at, facts.now).map(E::AppointmentHoldExpired)
        }
        (C::ExpireHold, _) => wrong(Wanted::Expired),
        (C::CheckInAppointment, S::Booked) => Ok(E::AppointmentCheckedIn(AppointmentCheckedIn {})),
        (C::CheckInAppointment, _) => wrong(Wanted::CheckedIn),
        // A desk that never checks anyone in can still say that the work is done.
        (C::CompleteAppointment, S::Booked | S::CheckedIn) => {
            Ok(E::AppointmentCompleted(AppointmentCompleted {}))
        }
        (C::CompleteAppointment, _) => wrong(Wanted::Completed),
        (C::MarkNoShow, S::Booked) => Ok(E::AppointmentMarkedNoShow(AppointmentMarkedNoShow {})),
        (C::MarkNoShow, _) => wrong(Wanted::MarkedNoShow),
        (C::AcceptConflict { reason }, S::Held { .. } | S::Booked) => {
            accepted(details, state, excused, reason, facts).map(E::AppointmentConflictAccepted)
        }
        (C::AcceptConflict { .. }, _) => wrong(Wanted::AcceptedAsItIs),
        (C::TagAppointment { category, tags }, _) => {
            Ok(E::AppointmentTagged(tagged(details, category, tags)))
        }
    }
}

fn described(
    details: &Details,
    Description { title, note, private, location, reference, metadata }: Description,
    facts: &Facts,
) -> Result<AppointmentDescribed, PatchMisfit> {
    let mut described = AppointmentDescribed {
        title: details.title.clone(),
        note: details.note.clone(),
        private: details.private,
        location: details.location.clone(),
        reference: details.reference.clone(),
        metadata: details.metadata.clone(),
    };
    title.map(|title| title.given_where(facts.titles)).patch(&mut described.title)?;
    note.patch(&mut described.note)?;
    private.patch(&mut described.private)?;
    if location == Change::Remove {
        described.location = facts.service.terms().and_then(|terms| terms.location.clone());
    } else {
        location.patch(&mut described.location)?;
    }
    reference.patch(&mut described.reference)?;
    metadata.patch(&mut described.metadata)?;
    Ok(described)
}

fn tagged(details: &Details, category: Option<Category>, tags: Option<Tags>) -> AppointmentTagged {
    AppointmentTagged {
        category: category.unwrap_or_else(|| details.category.clone()),
        tags: tags.unwrap_or_else(|| details.tags.clone()),
    }
}
