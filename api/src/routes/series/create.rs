//! `POST /v1/series`

use axum::extract::State;

use crate::App;
use crate::bodies::SeriesBody;
use crate::http::{Book, Caller, CommandParams, CommandRequest, Created, Problem, Within};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::SeriesView;

/// Book a series
///
/// Every occurrence of a rule of recurrence becomes an appointment. Occurrences are at the same local time all
/// the year round; a local time that does not exist when clocks change, or exists twice, is resolved as
/// RFC 5545 says (section 3.3.5).
///
/// With `all-or-nothing` all are booked at once, or none: the problem is then that of the first that is
/// refused, with its `recurrence_id`. With `best-effort` those are booked that can be, and `refused` says
/// why the others were not; if none can be, that is refused (`none-booked`).
#[utoipa::path(
    post, path = "/v1/series", tag = "series", params(CommandParams),
    request_body = SeriesBody, security(("api_key" = ["book"])),
    responses((status = 201, description = "What was booked, and what was not", body = SeriesView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn book_series(
    State(app): State<App>,
    caller: Caller<Within<Book>>,
    request: CommandRequest<SeriesBody>,
) -> Result<Created<SeriesView>, Problem> {
    app.may_book_for(&caller, request.body.client_id()).await?;
    let context = request.context(&caller);
    let tenants_zone = app.zone_of(&caller.tenant).await?;
    let asked = request.body.bookings(tenants_zone, &caller)?;
    let executed = app.engine.book_series(&context, &asked).await;
    let executed = executed.map_err(|error| context.problem(error))?;
    // What was only tried is nowhere, and would lie within the limits.
    let executed = if context.dry_run { executed } else { app.left_to(&caller, executed).await? };
    app.created(&context, executed).await
}
