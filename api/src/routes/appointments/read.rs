//! `GET /v1/appointments/{id}`

use axum::extract::State;
use daybook_domain::appointment::Appointment;
use daybook_store::engine::Known;

use crate::App;
use crate::http::query::query_params;
use crate::http::{Answer, Appointments, Caller, Linked, PathId, Personal, Problem, Query, auth};
use crate::routes::as_of::AsOfParams;
use crate::routes::expanding::ExpandParams;
use crate::routes::listing::ReadParams;
use crate::routes::problems::ReadProblems;
use crate::views::expanded::Expanded;
use crate::views::{AppointmentView, Timed as _};

query_params! {
    /// Of which moment, and with what.
    pub(crate) struct AppointmentAsked {
        ..read: ReadParams,
        ..expand: ExpandParams,
    }
}

/// Get an appointment
///
/// As the log has it now, or as of a moment; no `min_position` is needed to see what a command did.
#[utoipa::path(
    get, path = "/v1/appointments/{id}", tag = "appointments",
    params(("id" = Uuid, Path), AppointmentAsked),
    security(("api_key" = ["appointments"])),
    responses((status = 200, description = "The appointment",
               body = Expanded<AppointmentView>), ReadProblems)
)]
pub(crate) async fn get_appointment(
    State(app): State<App>,
    caller: Caller<Linked<Appointments, auth::See>>,
    PathId(id): PathId,
    Query(AppointmentAsked { read, expand }): Query<AppointmentAsked>,
) -> Result<Answer<Expanded<AppointmentView>>, Problem> {
    let ReadParams { moment: AsOfParams { as_of }, shown } = read;
    expand.is_for(&caller)?;
    let moment = app.moment(&caller.tenant, as_of, shown.tz).await?;
    let known = app.known_to::<Appointment, _>(&caller, id, moment).await?;
    let none = || Problem::not_found("appointment");
    let Known { state, version, position, .. } = known.ok_or_else(none)?;
    // What a hold that lapses becomes, what not every caller sees, and what it is about, does not follow from the version.
    let is_withheld = !caller.has::<Personal>();
    let varies = AppointmentView::varies(&state) || is_withheld || !expand.expand.is_empty();
    let body = AppointmentView::at(state, id, version, app.at(moment)).ok_or_else(none)?;
    let body = body.for_caller(&caller).shown_in(shown.tz);
    let body = app.expand_one(&caller.tenant, body, &expand, moment).await?;
    Ok(if varies {
        Answer::seen(Some(version), Some(position), body)
    } else {
        Answer::read(version, position, body)
    })
}
