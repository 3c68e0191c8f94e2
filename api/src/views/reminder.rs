//! A reminder, as clients see it.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybook_domain::reminder::{Reminder, Why as WhyNotReminded};
use daybook_domain::sending::{Failure as ReminderFailure, MAX_LATE, Status as ReminderStatus};
use daybook_domain::service::ReminderRule;
use daybook_projections::reminders::ReminderRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Viewed;
use super::times::local;

/// A reminder.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReminderView {
    id: Uuid,
    status: ReminderStatus,
    /// Its version: how many events it has had; 0 while it is planned.
    version: u64,
    appointment_id: Uuid,
    service_id: Uuid,
    client_id: Uuid,
    rule: ReminderRule,
    /// When the appointment starts that it reminds of.
    start_at: DateTime<Utc>,
    /// The start as clocks show it in the zone that is asked for, with their offset; else it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, example = "2027-03-28T09:00:00+02:00")]
    local_start_at: Option<String>,
    /// When it is due by its rule.
    due_at: DateTime<Utc>,
    /// It was due more than a day ago, and nothing has become of it: it is not sent any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(default = false)]
    missed: bool,
    /// How many tries to send it were begun.
    attempts: u16,
    /// When it is tried again, or found to be unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_at: Option<DateTime<Utc>>,
    /// The code of the mail relay's last reply (RFC 5321), where that says what has become of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<ReminderFailure>,
    /// Why nothing is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<WhyNotReminded>,
}

impl ReminderView {
    pub(crate) fn of_row(row: &ReminderRow, now: DateTime<Utc>) -> Self {
        let is_planned = row.status == ReminderStatus::Planned;
        Self {
            id: row.reminder_id.uuid(),
            status: row.status,
            version: row.version,
            appointment_id: row.of.appointment_id.uuid(),
            service_id: row.of.service_id.uuid(),
            client_id: row.of.client_id.uuid(),
            rule: row.of.rule,
            start_at: row.of.start,
            local_start_at: None,
            due_at: row.of.due,
            missed: is_planned && now - row.of.due > MAX_LATE,
            attempts: row.attempts,
            next_at: row.next_at.filter(|_| !is_planned),
            code: row.code,
            failure: row.failure,
            why: row.why,
        }
    }

    /// The same, with the local time of the start where a zone is asked for.
    pub(crate) fn shown_in(mut self, zone: Option<Tz>) -> Self {
        self.local_start_at = zone.map(|zone| local(zone, self.start_at));
        self
    }
}

impl Viewed for Reminder {
    type View = ReminderView;

    const PATH: &'static str = "/v1/reminders";

    fn view(self, id: Uuid, version: u64) -> Option<ReminderView> {
        let ledger = self.ledger()?;
        let row = ReminderRow::after(id.into(), version, ledger);
        // It is not planned any more, so it is not missed.
        Some(ReminderView::of_row(&row, ledger.of.due))
    }
}
