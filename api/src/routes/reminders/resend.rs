//! `POST /v1/reminders/{id}/resend`

use axum::extract::State;
use daybook_domain::reminder::{Reminder, ReminderCommand};

use crate::App;
use crate::http::body::EmptyBody;
use crate::http::{Answer, Book, Caller, CommandParams, CommandRequest, PathId, Problem};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::ReminderView;

/// Send a reminder now
///
/// Once more, or before it is due: as soon as a program with a relay comes to it, if there is still something to remind of then. What
/// was sent before stays sent: this is another message.
#[utoipa::path(
    post, path = "/v1/reminders/{id}/resend", tag = "reminders",
    params(("id" = Uuid, Path), CommandParams),
    request_body = Option<EmptyBody>, security(("api_key" = ["book"])),
    responses((status = 200, description = "It is to be sent", body = ReminderView,
               headers(("ETag" = String, description = "The reminder's version"))),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn resend_reminder(
    State(app): State<App>,
    caller: Caller<Book>,
    PathId(id): PathId,
    request: CommandRequest<EmptyBody>,
) -> Result<Answer<ReminderView>, Problem> {
    let (context, EmptyBody {}) = request.by(caller);
    let planned = app.reminders.one(&context.tenant, id.into()).await?;
    let of = planned.map(|planned| planned.row.of).ok_or_else(|| Problem::not_found("reminder"))?;
    app.change::<Reminder>(&context, id, ReminderCommand::AskForResend(of)).await
}
