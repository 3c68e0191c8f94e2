//! `GET /v1/reminders`, `GET /v1/appointments/{id}/reminders`

use axum::extract::State;
use axum::http::Uri;
use chrono_tz::Tz;
use daybook_domain::appointment::Appointment;
use daybook_domain::sending::Status as ReminderStatus;
use daybook_projections::reminders::{ReminderFilter, Reminders};

use crate::App;
use crate::http::query::{Several, query_params};
use crate::http::{Appointments, Caller, PathId, Problem, Query};
use crate::routes::listing::{Days, List, Listed, PageParams, ShownIn};
use crate::routes::problems::ReadProblems;
use crate::views::ReminderView;

query_params! {
    /// The filters. All that are given must be met. The days are those on which reminders are due.
    pub(crate) struct ReminderParams {
        /// What has become of it: this, or one of several.
        status: Several<ReminderStatus>,
        ..days: Days,
        ..page: PageParams,
    }
}

/// List reminders
///
/// Those that are planned, and what has become of the others, in the order in which they are due.
#[utoipa::path(
    get, path = "/v1/reminders", tag = "reminders",
    params(ReminderParams),
    security(("api_key" = ["appointments"])),
    responses((status = 200, description = "A page, by when they are due", body = List<ReminderView>),
              ReadProblems)
)]
pub(crate) async fn list_reminders(
    State(app): State<App>,
    caller: Caller<Appointments>,
    uri: Uri,
    Query(ReminderParams { status, days, page }): Query<ReminderParams>,
) -> Result<Listed<ReminderView>, Problem> {
    let (from, to) = app.days(&caller.tenant, &days).await?;
    let statuses = status.to_vec();
    let filter = ReminderFilter { from, to, statuses, ..ReminderFilter::default() };
    app.reminders_page(&caller, uri, &filter, (page, days.tz)).await
}

query_params! {
    /// Which page, and how it is shown.
    pub(crate) struct OfAppointmentParams {
        ..page: PageParams,
        ..shown: ShownIn,
    }
}

/// List the reminders of an appointment
///
/// Of each start that it has or had, in the order in which they are due.
#[utoipa::path(
    get, path = "/v1/appointments/{id}/reminders", tag = "reminders",
    params(("id" = Uuid, Path), OfAppointmentParams),
    security(("api_key" = ["appointments"])),
    responses((status = 200, description = "A page, by when they are due", body = List<ReminderView>),
              ReadProblems)
)]
pub(crate) async fn list_appointment_reminders(
    State(app): State<App>,
    caller: Caller<Appointments>,
    PathId(id): PathId,
    uri: Uri,
    Query(OfAppointmentParams { page, shown }): Query<OfAppointmentParams>,
) -> Result<Listed<ReminderView>, Problem> {
    let found = app.known::<Appointment>(&caller.tenant, id, None).await?;
    found.ok_or_else(|| Problem::not_found("appointment"))?;
    let filter = ReminderFilter { appointment_id: Some(id.into()), ..ReminderFilter::default() };
    app.reminders_page(&caller, uri, &filter, (page, shown.tz)).await
}

impl App {
    async fn reminders_page(
        &self,
        caller: &Caller<Appointments>,
        uri: Uri,
        filter: &ReminderFilter,
        (page, zone): (PageParams, Option<Tz>),
    ) -> Result<Listed<ReminderView>, Problem> {
        let tenant = &caller.tenant;
        let position = self.wait(tenant, Reminders::ID, page.fresh).await?;
        let now = self.engine.clock().now();
        let (cursor, limit) = (page.cursor.as_ref(), page.limit());
        let found = self.reminders.page(tenant, filter, cursor, limit).await?;
        Ok(Listed::of(uri, position, found, |row| ReminderView::of_row(&row, now).shown_in(zone)))
    }
}
