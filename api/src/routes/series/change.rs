//! What is done to a series, or to a part of it: reschedule, cancel.

use axum::extract::State;
use daybook_domain::appointment::{CancelledBy, MovedBy};
use daybook_domain::series::{
    Mode, RecurrenceId, SeriesCancel, SeriesMove, Shift, ShiftDays, Which,
};
use daybook_domain::time::TimeOfDay;
use daybook_domain::{Personal, Reason, ResourceIds};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::bodies::overriding::{self, OverrideBody};
use crate::bodies::{by_client, new_resources};
use crate::http::{
    Answer, Book, Caller, CommandParams, CommandRequest, IfMatch, PathId, Problem, Within,
};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::SeriesView;

/// How far a change reaches: one occurrence, that one and all after it, or all.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Scope {
    This,
    Following,
    All,
}

/// What a change is for.
fn which(scope: Scope, recurrence_id: Option<RecurrenceId>) -> Result<Which, Problem> {
    match (scope, recurrence_id) {
        (Scope::This, Some(id)) => Ok(Which::This(id)),
        (Scope::Following, Some(id)) => Ok(Which::Following(id)),
        (Scope::All, None) => Ok(Which::All),
        (Scope::All, Some(_)) => Err(Problem::bad_body("scope all goes without recurrence_id")),
        (Scope::This | Scope::Following, None) => {
            Err(Problem::bad_body("scope this or following needs recurrence_id"))
        }
    }
}

/// Where occurrences move.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeriesRescheduleBody {
    scope: Scope,
    /// Which occurrence, for `this` and `following`: its local start by the rule, wherever it has been
    /// moved since.
    #[schema(format = "local-date-time", example = "2027-01-04T09:00")]
    recurrence_id: Option<RecurrenceId>,
    /// By so many local days, -366 to 366.
    #[serde(default)]
    #[schema(minimum = -366, maximum = 366)]
    shift_days: ShiftDays,
    /// To this local time of day; else each keeps its own.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "15:30")]
    time: Option<TimeOfDay>,
    /// The new resources; else each keeps its own. Where they are fewer than the service has roles for, the others are
    /// chosen, for each occurrence by itself.
    #[schema(min_items = 1, max_items = 16)]
    resource_ids: Option<ResourceIds>,
    /// Choose anew what `resource_ids` does not name, for each occurrence by itself, as when the series is booked.
    #[serde(default)]
    choose_resources: bool,
    /// Whether all must be moved: `all-or-nothing` where it is left out.
    #[serde(default)]
    mode: Mode,
    /// On whose side: `client` where it is left out. Staff are not bound by the rescheduling
    /// window.
    #[serde(default)]
    by: MovedBy,
    /// Move them although rules are against it: needs the scope `manage`.
    #[serde(rename = "override")]
    overriding: Option<OverrideBody>,
}

/// Reschedule a series
///
/// Or one of it, or that one and all after it. Each occurrence moves by the same local days and to the same local
/// time, from where it is. Occurrences that have begun, or are no longer booked, are left alone
/// (`latest_change` says which). With `all-or-nothing` all the others are moved at once, or none: the problem
/// is then that of the first that is refused, with its `recurrence_id`. If none can be moved, that is refused
/// (`none-changed`, `nothing-to-change`).
#[utoipa::path(
    post, path = "/v1/series/{id}/reschedule", tag = "series",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = SeriesRescheduleBody, security(("api_key" = ["book"])),
    responses((status = 200, description = "What was moved, and what was not", body = SeriesView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn reschedule_series(
    State(app): State<App>,
    caller: Caller<Within<Book>>,
    PathId(id): PathId,
    request: CommandRequest<SeriesRescheduleBody>,
) -> Result<Answer<SeriesView>, Problem> {
    if request.body.by != MovedBy::Client {
        caller.must_be_staff()?;
    }
    app.must_see_series(&caller, id).await?;
    let context = request.context(&caller);
    let body = request.body;
    let shift = Shift { days: body.shift_days, time: body.time };
    let resource_ids = new_resources(body.resource_ids, body.choose_resources);
    if shift.is_none() && resource_ids.is_none() {
        let detail = "name shift_days, time or resource_ids, or choose_resources";
        return Err(Problem::bad_body(detail));
    }
    let moving = SeriesMove {
        which: which(body.scope, body.recurrence_id)?,
        shift,
        resource_ids,
        mode: body.mode,
        by: body.by,
        overriding: overriding::reason(&caller, body.overriding)?,
    };
    let executed = app.engine.reschedule_series(&context, id, &moving).await;
    let executed = executed.map_err(|error| context.problem(error))?;
    let executed = app.left_to(&caller, executed).await?;
    app.answer(&context, executed).await
}

/// What is cancelled, and why.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeriesCancelBody {
    scope: Scope,
    /// Which occurrence, for `this` and `following`: its local start by the rule, wherever it has been
    /// moved since.
    #[schema(format = "local-date-time", example = "2027-01-04T09:00")]
    recurrence_id: Option<RecurrenceId>,
    /// Whether all must be cancelled: `all-or-nothing` where it is left out.
    #[serde(default)]
    mode: Mode,
    /// Why. It is shown: no personal data.
    #[schema(max_length = 500)]
    reason: Option<Personal<Reason>>,
    /// On whose side: `client` where it is left out. Only a client is bound by the cancellation
    /// window.
    #[serde(default = "by_client")]
    by: CancelledBy,
    /// Cancel them although their cancellation window has closed: needs the scope `manage`.
    #[serde(rename = "override")]
    overriding: Option<OverrideBody>,
}

/// Cancel a series
///
/// Or one of it, or that one and all after it. Occurrences that have begun, or are no longer booked, are left alone
/// (`latest_change` says which). Whether all the others must be cancelled, and what is refused, is as when
/// rescheduling.
#[utoipa::path(
    post, path = "/v1/series/{id}/cancel", tag = "series",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = SeriesCancelBody, security(("api_key" = ["book"])),
    responses((status = 200, description = "What was cancelled, and what was not", body = SeriesView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn cancel_series(
    State(app): State<App>,
    caller: Caller<Within<Book>>,
    PathId(id): PathId,
    request: CommandRequest<SeriesCancelBody>,
) -> Result<Answer<SeriesView>, Problem> {
    if request.body.by != CancelledBy::Client {
        caller.must_be_staff()?;
    }
    app.must_see_series(&caller, id).await?;
    let context = request.context(&caller);
    let body = request.body;
    let cancelling = SeriesCancel {
        which: which(body.scope, body.recurrence_id)?,
        mode: body.mode,
        reason: body.reason,
        by: body.by,
        overriding: overriding::reason(&caller, body.overriding)?,
    };
    let executed = app.engine.cancel_series(&context, id, &cancelling).await;
    let executed = executed.map_err(|error| context.problem(error))?;
    let executed = app.left_to(&caller, executed).await?;
    app.answer(&context, executed).await
}
