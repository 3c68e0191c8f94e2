//! `POST /v1/appointments/{id}/tag`

use axum::extract::State;
use daybook_domain::appointment::{Appointment, AppointmentCommand};
use daybook_domain::{Category, Tags};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::http::{Answer, Book, Caller, CommandParams, CommandRequest, IfMatch, PathId, Problem};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::AppointmentView;

/// A new category, new tags, or both.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TagBody {
    /// The new category; else the same as before.
    #[schema(max_length = 80)]
    category: Option<Category>,
    /// All the new tags; else the same as before.
    #[schema(max_items = 20)]
    tags: Option<Tags>,
}

/// Change category and tags
#[utoipa::path(
    post, path = "/v1/appointments/{id}/tag", tag = "appointments",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = TagBody, security(("api_key" = ["book"])),
    responses((status = 200, description = "They are changed", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn tag_appointment(
    State(app): State<App>,
    caller: Caller<Book>,
    PathId(id): PathId,
    request: CommandRequest<TagBody>,
) -> Result<Answer<AppointmentView>, Problem> {
    let (context, TagBody { category, tags }) = request.by(caller);
    let command = AppointmentCommand::TagAppointment { category, tags };
    app.change::<Appointment>(&context, id, command).await
}
