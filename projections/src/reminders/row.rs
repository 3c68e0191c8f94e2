//! The rows.

use std::sync::LazyLock;

use chrono::{DateTime, SubsecRound as _, Utc};
use chrono_tz::Tz;
use daybook_domain::reminder::{Ledger, Occasion, Why};
use daybook_domain::sending::{Failure, SendState, Status};
use daybook_domain::service::{ReminderRule, ReminderRules};
use daybook_domain::{AppointmentId, ClientId, ReminderId, ResourceId, ServiceId};
use daybook_store::{Position, RecordedEvent};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use sqlx::postgres::PgRow;

use crate::kit::read::decode;
use crate::kit::{Column, Json, Table, column};

/// An appointment that is booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Booked {
    pub(super) appointment_id: AppointmentId,
    pub(super) service_id: ServiceId,
    pub(super) client_id: ClientId,
    pub(super) resource_id: ResourceId,
    pub(super) start: DateTime<Utc>,
    /// Since when it is booked at this time.
    pub(super) agreed_at: DateTime<Utc>,
}

pub(super) static APPOINTMENTS: LazyLock<Table<Booked>> = LazyLock::new(|| {
    Table::new(
        "appointments",
        [
            Column::field("appointment_id", |row: &Booked| &row.appointment_id).key(),
            Column::field("service_id", |row| &row.service_id),
            Column::field("client_id", |row| &row.client_id),
            Column::field("resource_id", |row| &row.resource_id),
            Column::field("start_at", |row| &row.start),
            Column::field("agreed_at", |row| &row.agreed_at),
        ],
    )
});

impl FromRow<'_, PgRow> for Booked {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            appointment_id: column(row, "appointment_id")?,
            service_id: column(row, "service_id")?,
            client_id: column(row, "client_id")?,
            resource_id: column(row, "resource_id")?,
            start: column(row, "start_at")?,
            agreed_at: column(row, "agreed_at")?,
        })
    }
}

/// A rule, and since when it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Since {
    pub(super) rule: ReminderRule,
    pub(super) since: DateTime<Utc>,
}

/// The rules of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServiceRules {
    pub(super) service_id: ServiceId,
    pub(super) rules: Vec<Since>,
}

pub(super) static SERVICES: LazyLock<Table<ServiceRules>> = LazyLock::new(|| {
    Table::new(
        "services",
        [
            Column::field("service_id", |row: &ServiceRules| &row.service_id).key(),
            Column::json("rules", |row| &row.rules),
        ],
    )
});

impl FromRow<'_, PgRow> for ServiceRules {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let Json(rules) = column(row, "rules")?;
        Ok(Self { service_id: column(row, "service_id")?, rules })
    }
}

impl ServiceRules {
    /// These hold from now on; those that did already have done so since then.
    pub(super) fn revise(&mut self, rules: &ReminderRules, now: DateTime<Utc>) {
        let since = |rule| {
            let before = self.rules.iter().find(|it| it.rule == rule);
            before.copied().unwrap_or(Since { rule, since: now })
        };
        self.rules = rules.iter().map(since).collect();
    }
}

/// The clocks of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clocks {
    pub(super) resource_id: ResourceId,
    pub(super) time_zone: Tz,
}

pub(super) static RESOURCES: LazyLock<Table<Clocks>> = LazyLock::new(|| {
    Table::new(
        "resources",
        [
            Column::field("resource_id", |row: &Clocks| &row.resource_id).key(),
            Column::value("time_zone", |row| row.time_zone.name()),
        ],
    )
});

impl FromRow<'_, PgRow> for Clocks {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let name: String = column(row, "time_zone")?;
        Ok(Self {
            resource_id: column(row, "resource_id")?,
            time_zone: name.parse().map_err(decode)?,
        })
    }
}

/// A reminder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReminderRow {
    pub reminder_id: ReminderId,
    pub of: Occasion,
    /// By whose clocks it is planned, while nothing has become of it.
    pub resource_id: Option<ResourceId>,
    pub status: Status,
    /// When there is something to be done with it.
    pub next_at: Option<DateTime<Utc>>,
    /// How many tries were begun.
    pub attempts: u16,
    /// The code of the last reply that counts.
    pub code: Option<u16>,
    pub failure: Option<Failure>,
    /// Why nothing is sent.
    pub why: Option<Why>,
    /// When the last of its events was recorded.
    pub changed_at: Option<DateTime<Utc>>,
    /// The number of its events.
    pub version: u64,
    /// Where the last one is.
    pub position: Position,
}

pub(super) static REMINDERS: LazyLock<Table<ReminderRow>> = LazyLock::new(|| {
    Table::new(
        "reminders",
        [
            Column::field("reminder_id", |row: &ReminderRow| &row.reminder_id).key(),
            Column::field("appointment_id", |row| &row.of.appointment_id),
            Column::field("service_id", |row| &row.of.service_id),
            Column::field("client_id", |row| &row.of.client_id),
            Column::field("resource_id", |row| &row.resource_id),
            Column::field("rule", |row| &row.of.rule),
            Column::field("start_at", |row| &row.of.start),
            Column::field("due_at", |row| &row.of.due),
            Column::field("status", |row| &row.status),
            Column::field("next_at", |row| &row.next_at),
            Column::field("attempts", |row| &row.attempts),
            Column::field("code", |row| &row.code),
            Column::field("failure", |row| &row.failure),
            Column::field("why", |row| &row.why),
            Column::field("changed_at", |row| &row.changed_at),
            Column::field("version", |row| &row.version),
            Column::field("position", |row| &row.position),
        ],
    )
});

impl FromRow<'_, PgRow> for ReminderRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            reminder_id: column(row, "reminder_id")?,
            of: Occasion {
                appointment_id: column(row, "appointment_id")?,
                service_id: column(row, "service_id")?,
                client_id: column(row, "client_id")?,
                rule: column(row, "rule")?,
                start: column(row, "start_at")?,
                due: column(row, "due_at")?,
            },
            resource_id: column(row, "resource_id")?,
            status: column(row, "status")?,
            next_at: column(row, "next_at")?,
            attempts: column(row, "attempts")?,
            code: column(row, "code")?,
            failure: column(row, "failure")?,
            why: column(row, "why")?,
            changed_at: column(row, "changed_at")?,
            version: column(row, "version")?,
            position: column(row, "position")?,
        })
    }
}

impl ReminderRow {
    /// One that is planned. What was due before the appointment was booked at this time, or before there was the rule, is
    /// not.
    pub(super) fn planned(booked: &Booked, since: Since, zone: Tz) -> Option<Self> {
        let start = booked.start.trunc_subsecs(6);
        let due = since.rule.due(start, zone)?;
        if due <= booked.agreed_at.max(since.since) {
            return None;
        }
        let Booked { appointment_id, service_id, client_id, resource_id, .. } = *booked;
        let of = Occasion { appointment_id, service_id, client_id, rule: since.rule, start, due };
        Some(Self {
            reminder_id: of.id(),
            of,
            resource_id: Some(resource_id),
            status: Status::Planned,
            next_at: Some(due),
            attempts: 0,
            code: None,
            failure: None,
            why: None,
            changed_at: None,
            version: 0,
            position: Position::START,
        })
    }

    /// What has become of one, after its last event.
    pub(super) fn known(reminder_id: ReminderId, ledger: &Ledger, last: &RecordedEvent) -> Self {
        Self {
            changed_at: Some(last.recorded_at),
            position: last.position,
            ..Self::after(reminder_id, last.sequence, ledger)
        }
    }

    /// The same, of what the log says itself.
    #[must_use]
    pub fn after(reminder_id: ReminderId, version: u64, ledger: &Ledger) -> Self {
        let (code, failure, why) = match ledger.course.state {
            SendState::Sent { code } => (Some(code), None, None),
            SendState::Failed(failed) => (failed.code, Some(failed.failure), None),
            SendState::Skipped(why) => (None, None, Some(why)),
            SendState::Begun { .. } | SendState::Asked { .. } | SendState::Announced => {
                (None, None, None)
            }
        };
        Self {
            reminder_id,
            of: ledger.of,
            resource_id: None,
            status: ledger.course.state.status(),
            next_at: ledger.course.state.next(),
            attempts: ledger.course.attempts,
            code,
            failure,
            why,
            changed_at: None,
            version,
            position: Position::START,
        }
    }
}
