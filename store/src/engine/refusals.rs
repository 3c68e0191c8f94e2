//! What is noted of commands while a request is answered: whether all were answered before; and refusals, for whoever
//! runs the program, each of which is logged. Those that answer a request are counted where it is answered.

use std::cell::RefCell;
use std::fmt::{self, Debug, Write as _};

use daybook_domain::series::SeriesRefusal;
use daybook_domain::{Refusal, TenantId};
use serde_json::Value;
use tokio::task_local;
use uuid::Uuid;

use super::{CommandContext, Engine};

/// A command that was refused: which rule refused what, of which stream. Nothing in it was written by a client.
#[derive(Debug, Clone)]
pub struct RefusedCommand {
    pub tenant: TenantId,
    /// The stream: its aggregate's type, and its id.
    pub aggregate: &'static str,
    pub aggregate_id: Uuid,
    pub command: String,
    pub refusal: String,
    /// In words, with ids, times and counts.
    pub reason: String,
    pub correlation_id: Uuid,
}

/// What is noted of the commands of a request.
#[derive(Debug, Default)]
pub struct Noted {
    /// The first that was refused.
    pub refused: Option<RefusedCommand>,
    /// Whether each so far was answered by its key; `None`: there was none.
    replayed: Option<bool>,
}

impl Noted {
    /// Whether all that the request asked for was done, or refused, before: its keys had answers.
    #[must_use]
    pub fn is_replay(&self) -> bool {
        self.replayed == Some(true)
    }
}

task_local! {
    static NOTED: RefCell<Noted>;
}

/// Does what answers a request. The first command in it that is refused is for its line in the log to say; each
/// further one, as of a batch, has a line of its own.
pub async fn noting<T>(work: impl Future<Output = T>) -> (T, Noted) {
    let noted = async {
        let output = work.await;
        (output, NOTED.with(RefCell::take))
    };
    NOTED.scope(RefCell::default(), noted).await
}

/// Whether all that the request has asked for so far was done, or refused, before.
#[must_use]
pub fn is_replay_so_far() -> bool {
    NOTED.try_with(|noted| noted.borrow().is_replay()).unwrap_or(false)
}

/// A command has its answer: the one that its key had already, or a new one.
pub(super) fn note_answer(replayed: bool) {
    let _ = NOTED.try_with(|noted| {
        let so_far = &mut noted.borrow_mut().replayed;
        *so_far = Some(so_far.unwrap_or(true) && replayed);
    });
}

impl RefusedCommand {
    /// A line of its own.
    pub fn log(&self) {
        let Self { tenant, aggregate, aggregate_id, command, refusal, reason, .. } = self;
        let correlation_id = &self.correlation_id;
        tracing::info!(
            %tenant, aggregate, %aggregate_id, command, refusal, reason, %correlation_id,
            "a command was refused"
        );
    }

    /// Leaves it to whoever answers the request, if there is one and nothing was left to it yet.
    fn report(self) {
        let mut left = Some(self);
        let _ = NOTED.try_with(|noted| {
            let first = &mut noted.borrow_mut().refused;
            if first.is_none() {
                *first = left.take();
            }
        });
        if let Some(own_line) = left {
            own_line.log();
        }
    }
}

impl Engine {
    /// Says which rule refused what.
    pub(super) fn report_refusal(
        &self,
        context: &CommandContext,
        (aggregate, aggregate_id): (&'static str, Uuid),
        command: String,
        refusal: &Refusal,
    ) {
        if !self.reports_refusals {
            return;
        }
        let refused = RefusedCommand {
            tenant: context.tenant.clone(),
            aggregate,
            aggregate_id,
            command,
            refusal: refusal_type(refusal),
            reason: refusal.to_string(),
            correlation_id: context.correlation_id,
        };
        refused.report();
    }
}

/// What the API calls a refusal, each rule by itself; but what is not found says of what kind it is.
pub(crate) fn refusal_type(refusal: &Refusal) -> String {
    match refusal {
        Refusal::InBatch { refusal, .. }
        | Refusal::Series(SeriesRefusal::OccurrenceRefused { refusal, .. }) => {
            return refusal_type(refusal);
        }
        _ => {}
    }
    let written = serde_json::to_value(refusal).unwrap_or_default();
    let named = |member: &str| written.get(member).and_then(Value::as_str).map(str::to_owned);
    named("rule").or_else(|| named("code")).or_else(|| named("aggregate")).unwrap_or_default()
}

/// The name of an enum's variant. Its fields, which may be personal, are not looked at.
pub(super) fn variant_name(value: &impl Debug) -> String {
    struct Name(String);
    impl fmt::Write for Name {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let end = text.find(|c: char| !c.is_alphanumeric());
            self.0.push_str(&text[..end.unwrap_or(text.len())]);
            // What comes after the name is not even written.
            if end.is_some() { Err(fmt::Error) } else { Ok(()) }
        }
    }
    let mut name = Name(String::new());
    let _ = write!(name, "{value:?}");
    name.0
}

#[cfg(test)]
mod tests {
    use daybook_domain::appointment::{AppointmentCommand, AppointmentRefusal, CancelledBy};
    use daybook_domain::{Personal, Reason};

    use super::*;

    #[test]
    fn a_command_is_known_by_its_name_alone() {
        let (reason, by) = (Reason::new("private").ok().map(Personal::new), CancelledBy::Client);
        let cancel = AppointmentCommand::CancelAppointment { reason, by, overriding: None };
        assert_eq!(variant_name(&cancel), "CancelAppointment");
        assert_eq!(variant_name(&AppointmentCommand::ExpireHold), "ExpireHold");
        assert_eq!(variant_name(&Some(1)), "Some");
    }

    #[tokio::test]
    async fn the_first_refusal_is_for_the_request_to_say() {
        let refused = |command: &str| RefusedCommand {
            tenant: "north".parse().unwrap(),
            aggregate: "appointment",
            aggregate_id: Uuid::nil(),
            command: command.to_owned(),
            refusal: "slot-taken".to_owned(),
            reason: String::new(),
            correlation_id: Uuid::nil(),
        };
        // Outside a request: there is nobody to leave it to.
        refused("zeroth").report();
        let ((), noted) = noting(async {
            refused("first").report();
            refused("second").report();
        })
        .await;
        assert_eq!(noted.refused.unwrap().command, "first");
        assert!(noting(async {}).await.1.refused.is_none());
    }

    #[tokio::test]
    async fn a_request_is_a_replay_if_all_its_commands_are() {
        for (answers, expected) in [
            (&[][..], false),
            (&[true], true),
            (&[true, true], true),
            (&[true, false], false),
            (&[false, true], false),
        ] {
            let ((), noted) = noting(async { answers.iter().copied().for_each(note_answer) }).await;
            assert_eq!(noted.is_replay(), expected, "{answers:?}");
        }
    }

    #[test]
    fn a_refusal_of_a_batch_is_known_by_that_of_its_item() {
        let refusal = Box::new(AppointmentRefusal::NoResources.into());
        assert_eq!(refusal_type(&Refusal::InBatch { index: 3, refusal }), "no-resources");
        let stale = Refusal::StaleVersion { expected: 1, actual: 2 };
        assert_eq!(refusal_type(&stale), "stale-version");
    }
}
