//! `PATCH /v1/appointments/{id}`

use axum::extract::State;
use daybook_domain::appointment::{Appointment, AppointmentPatch};

use crate::App;
use crate::bodies::BookingBody;
use crate::http::patch::patch_form;
use crate::http::{
    Answer, Book, Caller, CommandParams, IfMatch, PatchRequest, PathId, Problem, Within,
};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::AppointmentView;

patch_form! {
    /// What changes of what is said about an appointment. `null` leaves it no note, or no tags.
    AppointmentChanges: AppointmentPatch of BookingBody
}

/// Change an appointment
///
/// What is said about it, in every status: what is left out stays; `null` removes. When and where it is, and what has
/// become of it, are operations of their own.
#[utoipa::path(
    patch, path = "/v1/appointments/{id}", tag = "appointments",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body(content((AppointmentChanges = "application/merge-patch+json"),
                         (AppointmentChanges = "application/json"))),
    security(("api_key" = ["book"])),
    responses((status = 200, description = "It is changed", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn change_appointment(
    State(app): State<App>,
    caller: Caller<Within<Book>>,
    PathId(id): PathId,
    request: PatchRequest<AppointmentPatch>,
) -> Result<Answer<AppointmentView>, Problem> {
    caller.must_be_staff()?;
    let (context, patch) = request.by(caller);
    app.change_by::<Appointment>(&context, id, patch.commands()).await
}
