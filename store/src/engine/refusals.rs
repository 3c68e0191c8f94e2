//! Refusals, for whoever runs the program: each is logged. Those that answer a request are counted where
//! it is answered.

use std::fmt::{self, Debug, Write as _};

use daybook_domain::Refusal;
use daybook_domain::series::SeriesRefusal;
use serde_json::Value;

use super::{CommandContext, Engine};

impl Engine {
    /// Says which rule refused what; nothing that a client wrote.
    pub(super) fn report_refusal(
        &self,
        context: &CommandContext,
        aggregate: &'static str,
        command: &str,
        refusal: &Refusal,
    ) {
        if !self.reports_refusals {
            return;
        }
        tracing::info!(
            tenant = %context.tenant,
            aggregate,
            command,
            refusal = refusal_type(refusal),
            correlation_id = %context.correlation_id,
            "a command was refused"
        );
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
    use daybook_domain::Reason;
    use daybook_domain::appointment::{AppointmentCommand, AppointmentRefusal, CancelledBy};

    use super::*;

    #[test]
    fn a_command_is_known_by_its_name_alone() {
        let (reason, by) = (Reason::new("private").ok(), CancelledBy::Client);
        let cancel = AppointmentCommand::CancelAppointment { reason, by, overriding: None };
        assert_eq!(variant_name(&cancel), "CancelAppointment");
        assert_eq!(variant_name(&AppointmentCommand::ExpireHold), "ExpireHold");
        assert_eq!(variant_name(&Some(1)), "Some");
    }

    #[test]
    fn a_refusal_of_a_batch_is_known_by_that_of_its_item() {
        let refusal = Box::new(AppointmentRefusal::NoResources.into());
        assert_eq!(refusal_type(&Refusal::InBatch { index: 3, refusal }), "no-resources");
        let stale = Refusal::StaleVersion { expected: 1, actual: 2 };
        assert_eq!(refusal_type(&stale), "stale-version");
    }
}
