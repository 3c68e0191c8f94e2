//! Refusals of the engine as problems. What each means is said beside the refusal; here it gets a
//! status by its kind, and its own code as the name of the problem.

use axum::http::StatusCode;
use daybook_domain::appointment::AppointmentRefusal as A;
use daybook_domain::series::{RefusedOccurrence, SeriesRefusal as Q};
use daybook_domain::{Meaning, Refusal, RefusalKind};
use daybook_store::ExecuteError;
use daybook_store::log::AppendError;
use daybook_store::personal::KeyringError;
use serde_json::{Map, Value, json};

use super::Problem;

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::told(refusal, Telling::All)
    }
}

/// How much of a refusal is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Telling {
    All,
    /// Not what is in the way: it may not be theirs to know who are limited.
    Limited,
}

impl Problem {
    /// A refusal for somebody who is limited: what is in the way may not be theirs to know.
    pub(crate) fn of_limited(refusal: Refusal) -> Self {
        Self::told(refusal, Telling::Limited)
    }

    fn told(refusal: Refusal, telling: Telling) -> Self {
        let refusal = match refusal {
            Refusal::InBatch { index, refusal } => {
                return Self::told(*refusal, telling).with("index", index);
            }
            Refusal::Series(Q::OccurrenceRefused { recurrence_id, refusal }) => {
                let problem = Self::told(*refusal, telling);
                return problem.with("recurrence_id", recurrence_id.to_string());
            }
            other if telling == Telling::Limited => match Self::in_the_way(&other) {
                Some(problem) => return problem,
                None => other,
            },
            other => other,
        };
        let Meaning { kind, title } = refusal.meaning();
        let status = status(kind);
        if kind == RefusalKind::NotFound {
            return Self::new(status, "not-found", title, refusal.to_string());
        }
        let members = members(&refusal);
        let name = match &refusal {
            Refusal::StaleVersion { .. } => "stale-version",
            Refusal::ReferenceTaken { .. } => "reference-taken",
            // Each rule is a type of problem by itself.
            Refusal::Appointment(A::RuleBroken(_)) => text(&members, "rule"),
            _ => text(&members, "code"),
        };
        let problem =
            Self::new(status, name, title, refusal.to_string()).with_all(flat(members.clone()));
        match refusal {
            Refusal::Series(Q::NoneBooked { refused } | Q::NoneChanged { refused }) => {
                problem.with("refused", each(refused, telling))
            }
            _ => problem,
        }
    }

    /// That something is in the way, and not what; `None`: nothing is.
    fn in_the_way(refusal: &Refusal) -> Option<Self> {
        let Meaning { kind, title } = refusal.meaning();
        let status = status(kind);
        match refusal {
            Refusal::Appointment(A::SlotTaken { resource_id, .. }) => {
                let detail = format!("resource {resource_id} is taken for some of the time");
                let problem = Self::new(status, "slot-taken", title, detail);
                Some(problem.with("resource_id", resource_id.to_string()))
            }
            Refusal::ReferenceTaken { .. } => {
                let detail = "another has this reference; give another";
                Some(Self::new(status, "reference-taken", title, detail))
            }
            _ => None,
        }
    }
}

/// Occurrences that were refused, each with its problem.
fn each(refused: Vec<RefusedOccurrence>, telling: Telling) -> Vec<Value> {
    let each = refused.into_iter().map(|RefusedOccurrence { recurrence_id, refusal }| {
        json!({"recurrence_id": recurrence_id, "problem": Problem::told(refusal, telling)})
    });
    each.collect()
}

/// The status of each kind.
const fn status(kind: RefusalKind) -> StatusCode {
    match kind {
        RefusalKind::NotFound => StatusCode::NOT_FOUND,
        RefusalKind::Conflict => StatusCode::CONFLICT,
        RefusalKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        RefusalKind::Precondition => StatusCode::PRECONDITION_FAILED,
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

/// `during` is shown as `start_at` and `end_at`, as everywhere in the API.
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
            ExecuteError::Outside(_) => Self::new(
                StatusCode::FORBIDDEN,
                "outside-limits",
                "It would lie outside of what the key is limited to",
                "choose a location, resources, a category and a client that your key is limited to",
            ),
            ExecuteError::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "The idempotency key names another request",
                "this Idempotency-Key was sent before with another request",
            ),
            ExecuteError::KeyOfAnother => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-of-another",
                "The idempotency key is another caller's",
                "this Idempotency-Key was sent before with another API key: choose one of your own, for \
                 example a random UUID",
            ),
            ExecuteError::TooBroad { .. } => {
                Self::too_broad(format!("{error}: ask for fewer days or fewer resources"))
            }
            ExecuteError::Contended | ExecuteError::Append(AppendError::Overloaded) => {
                Self::unavailable(error.to_string())
            }
            ExecuteError::Append(AppendError::Unavailable | AppendError::OutcomeUnknown) => {
                Self::unavailable(format!("{error}; retry with the same Idempotency-Key"))
            }
            ExecuteError::Unavailable(_) => {
                Self::unavailable("the log cannot be read").because(&error)
            }
            ExecuteError::Personal(
                KeyringError::Database(_) | KeyringError::NoMasterKey(_) | KeyringError::Ledger(_),
            ) => Self::unavailable("personal data cannot be opened").because(&error),
            ExecuteError::Append(AppendError::UnknownTenant | AppendError::Rejected { .. })
            | ExecuteError::Personal(_)
            | ExecuteError::Unreadable(_) => Self::internal().because(&error),
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
