//! Refusals of the engine as problems: which status each has. Its name is the refusal's own code.

use axum::http::StatusCode;
use daybook_domain::Refusal;
use daybook_domain::appointment::AppointmentRefusal as A;
use daybook_domain::client::ClientRefusal as C;
use daybook_domain::resource::ResourceRefusal as R;
use daybook_domain::series::{RefusedOccurrence, SeriesRefusal as Q};
use daybook_domain::service::ServiceRefusal as S;
use daybook_domain::service::rules::Rule;
use daybook_domain::session::SessionRefusal as N;
use daybook_domain::waiting::WaitingRefusal as W;
use daybook_store::ExecuteError;
use daybook_store::log::AppendError;
use serde_json::{Map, Value, json};

use super::Problem;

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let refusal = match refusal {
            Refusal::InBatch { index, refusal } => {
                return Self::from(*refusal).with("index", index);
            }
            Refusal::Series(Q::OccurrenceRefused { recurrence_id, refusal }) => {
                return Self::from(*refusal).with("recurrence_id", recurrence_id.to_string());
            }
            other => other,
        };
        let (status, title) = meaning(&refusal);
        if status == StatusCode::NOT_FOUND {
            return Self::new(status, "not-found", title, refusal.to_string());
        }
        let members = members(&refusal);
        let name = match &refusal {
            Refusal::StaleVersion { .. } => "stale-version",
            // Each rule is a type of problem by itself.
            Refusal::Appointment(A::RuleBroken(_)) => text(&members, "rule"),
            _ => text(&members, "code"),
        };
        let problem =
            Self::new(status, name, title, refusal.to_string()).with_all(flat(members.clone()));
        match refusal {
            Refusal::Series(Q::NoneBooked { refused } | Q::NoneChanged { refused }) => {
                problem.with("refused", each(refused))
            }
            _ => problem,
        }
    }
}

/// Occurrences that were refused, each with its problem.
fn each(refused: Vec<RefusedOccurrence>) -> Vec<Value> {
    let each = refused.into_iter().map(|RefusedOccurrence { recurrence_id, refusal }| {
        json!({"recurrence_id": recurrence_id, "problem": Problem::from(refusal)})
    });
    each.collect()
}

fn meaning(refusal: &Refusal) -> (StatusCode, &'static str) {
    const CONFLICT: StatusCode = StatusCode::CONFLICT;
    const UNPROCESSABLE: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
    const NOT_FOUND: (StatusCode, &str) = (StatusCode::NOT_FOUND, "Not found");
    match refusal {
        Refusal::Service(S::ServiceNotFound)
        | Refusal::Resource(R::ResourceNotFound | R::ExceptionNotFound { .. })
        | Refusal::Client(C::ClientNotFound)
        | Refusal::Waiting(W::EntryNotFound)
        | Refusal::Appointment(A::AppointmentNotFound)
        | Refusal::Session(N::SessionNotFound) => NOT_FOUND,
        Refusal::Service(S::ServiceExists)
        | Refusal::Resource(R::ResourceExists | R::ExceptionExists { .. })
        | Refusal::Client(C::ClientExists)
        | Refusal::Waiting(W::EntryExists)
        | Refusal::Appointment(A::AppointmentExists)
        | Refusal::Session(N::SessionExists) => (CONFLICT, "It exists already"),
        Refusal::Session(N::SessionIsCancelled) => (CONFLICT, "The session was called off"),
        Refusal::Session(N::NotInSessions { .. }) => {
            (UNPROCESSABLE, "The service is not given in sessions")
        }
        Refusal::Service(S::ServiceRetired) | Refusal::Resource(R::ResourceRetired) => {
            (CONFLICT, "It has been retired")
        }
        Refusal::Resource(R::TooManyExceptions { .. }) => (CONFLICT, "Too many exceptions"),
        Refusal::Resource(R::TooManyHolidays { .. }) => (CONFLICT, "Too many holidays"),
        Refusal::StaleVersion { .. } => (StatusCode::PRECONDITION_FAILED, "It has changed"),
        Refusal::InBatch { refusal, .. }
        | Refusal::Series(Q::OccurrenceRefused { refusal, .. }) => meaning(refusal),
        Refusal::Series(refusal) => match refusal {
            Q::SeriesNotFound | Q::OccurrenceRefused { .. } => NOT_FOUND,
            Q::SeriesExists => (CONFLICT, "It exists already"),
            Q::InvalidRrule(_) => (UNPROCESSABLE, "The recurrence rule is not valid"),
            Q::StartNotInRule { .. } => (UNPROCESSABLE, "The series does not start then"),
            Q::UnknownExdate { .. } => (UNPROCESSABLE, "Nothing occurs then"),
            Q::TooManyOccurrences { .. } => (UNPROCESSABLE, "Too many occurrences"),
            Q::NoOccurrences => (UNPROCESSABLE, "No occurrence is left"),
            Q::OutOfCalendar => (UNPROCESSABLE, "After the end of the calendar"),
            Q::UnknownOccurrence { .. } => (UNPROCESSABLE, "Unknown occurrence"),
            Q::NoneBooked { .. } => (CONFLICT, "No occurrence can be booked"),
            Q::NoneChanged { .. } => (CONFLICT, "No occurrence can be changed"),
            Q::NothingToChange => (CONFLICT, "There is nothing to change"),
        },
        Refusal::Waiting(refusal) => match refusal {
            W::EntryClosed { .. } => (CONFLICT, "They wait no longer"),
            W::OfferOpen => (CONFLICT, "A place is offered"),
            W::NoOffer => (CONFLICT, "No place is offered"),
            W::WishesStand => (CONFLICT, "The wishes have not passed"),
            W::WishesPassed { .. } => (UNPROCESSABLE, "The wishes have passed"),
            W::TooFarAhead { .. } => (UNPROCESSABLE, "It is too far ahead"),
            W::EntryNotFound | W::EntryExists => NOT_FOUND,
        },
        Refusal::Appointment(refusal) => match refusal {
            A::SlotTaken { .. } => (CONFLICT, "The time is taken"),
            A::RoleTaken { .. } => (CONFLICT, "Nobody is free for a role"),
            A::ClientDayLimit { .. } => (CONFLICT, "The client has enough that day"),
            A::ClientHoldLimit { .. } => (CONFLICT, "The client holds enough"),
            A::WrongStatus { .. } => (CONFLICT, "Its status does not allow this"),
            A::HoldExpired { .. } => (CONFLICT, "The hold has lapsed"),
            A::SessionFull { .. } => (CONFLICT, "The session is full"),
            A::SessionCancelled { .. } => (CONFLICT, "The session was called off"),
            A::InSession { .. } => (CONFLICT, "It is where its session is"),
            A::NotInSession => (CONFLICT, "It is in no session"),
            A::SessionsOnly { .. } => (UNPROCESSABLE, "The service is given in sessions"),
            A::UnknownSession { .. } => (UNPROCESSABLE, "Unknown session"),
            A::NoConflict => (CONFLICT, "There is no conflict"),
            A::ResourceNotUsed { .. } => (UNPROCESSABLE, "The resource is not used"),
            A::ResourceUsedAlready { .. } => (UNPROCESSABLE, "The resource is used already"),
            A::HoldStillRuns { .. } => (CONFLICT, "The hold has not lapsed"),
            A::InThePast { .. } => (UNPROCESSABLE, "It would be in the past"),
            A::RuleBroken(broken) => (UNPROCESSABLE, broken_title(broken.rule())),
            A::OutsideOpeningHours { .. } => (UNPROCESSABLE, "Outside opening hours"),
            A::NoResources => (UNPROCESSABLE, "No resource is named"),
            A::UnfitResource { .. } => (UNPROCESSABLE, "The resource fills no role"),
            A::RoleUnfilled { .. } => (UNPROCESSABLE, "A role cannot be filled"),
            A::UnknownService { .. } => (UNPROCESSABLE, "Unknown service"),
            A::RetiredService { .. } => (UNPROCESSABLE, "Retired service"),
            A::UnknownResource { .. } => (UNPROCESSABLE, "Unknown resource"),
            A::RetiredResource { .. } => (UNPROCESSABLE, "Retired resource"),
            A::UnknownClient { .. } => (UNPROCESSABLE, "Unknown client"),
            A::AppointmentNotFound | A::AppointmentExists => NOT_FOUND,
        },
    }
}

const fn broken_title(rule: Rule) -> &'static str {
    match rule {
        Rule::OfferedDuration => "The service is not offered for this long",
        Rule::StartGrid => "The service does not start at this time of day",
        Rule::MinimumNotice => "It is too late to book this",
        Rule::BookingHorizon => "It is too early to book this",
        Rule::ReschedulingWindow => "It is too late to move this",
        Rule::CancellationWindow => "It is too late to cancel this",
        Rule::OpeningHours => "Outside opening hours",
    }
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> &'a str {
    members.get(name).and_then(Value::as_str).unwrap_or("refused")
}

fn members(refusal: &Refusal) -> Map<String, Value> {
    match serde_json::to_value(refusal) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

/// `during` is shown as `start` and `end`, as everywhere in the API.
fn flat(mut members: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::Object(during)) = members.remove("during") {
        members.extend(during);
    }
    if let Some(status) = members.remove("status") {
        members.insert("appointment_status".to_owned(), status);
    }
    members
}

impl From<ExecuteError> for Problem {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::Refused(refusal) => refusal.into(),
            ExecuteError::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "The idempotency key names another request",
                "this Idempotency-Key was sent before with another request",
            ),
            ExecuteError::Contended | ExecuteError::Append(AppendError::Overloaded) => {
                Self::unavailable(error.to_string())
            }
            ExecuteError::Append(AppendError::Unavailable | AppendError::OutcomeUnknown) => {
                Self::unavailable(format!("{error}; retry with the same Idempotency-Key"))
            }
            ExecuteError::Unavailable(_) => {
                tracing::warn!(%error, "a command failed");
                Self::unavailable("the log cannot be read")
            }
            ExecuteError::Append(AppendError::UnknownTenant | AppendError::Rejected { .. })
            | ExecuteError::Unreadable(_) => {
                tracing::error!(%error, "a command failed");
                Self::internal()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use daybook_domain::appointment::{Status, Wanted};

    use super::*;

    #[test]
    fn a_refusal_keeps_its_own_name_and_its_facts() {
        let refusal = A::WrongStatus { status: Status::NoShow, wanted: Wanted::CheckedIn };
        let problem = Problem::from(Refusal::from(refusal));
        assert_eq!(problem.kind(), "urn:daybook:problem:wrong-status");
        let json = serde_json::to_value(&problem).unwrap();
        assert_eq!(json["appointment_status"], "no-show");
        assert_eq!(json["wanted"], "checked-in");
        assert_eq!(json["status"], 409);
    }

    #[test]
    fn what_is_stale_is_a_failed_precondition() {
        let problem = Problem::from(Refusal::StaleVersion { expected: 1, actual: 2 });
        assert_eq!(problem.kind(), "urn:daybook:problem:stale-version");
        assert_eq!(problem.into_response().status(), StatusCode::PRECONDITION_FAILED);
    }
}
