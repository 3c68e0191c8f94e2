//! `/v1/resources/{id}/exceptions`: extra hours and time off.

use axum::extract::State;
use daybook_domain::resource::{Resource, ResourceCommand};
use daybook_domain::time::{ExceptionKind, HoursException, LocalDays, LocalHours, LocalSpan};
use daybook_domain::{Personal, Reason};
use daybook_store::engine::Known;
use daybook_store::{Executed, Target};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::dry_run::{Changed, DryRunView, ResourceOrDryRun};
use crate::App;
use crate::http::body::EmptyBody;
use crate::http::{
    Answer, Availability, Caller, CommandParams, CommandRequest, Created, IfMatch, Manage, PathId,
    PathIds, Problem, Query, Within,
};
use crate::routes::as_of::AsOfParams;
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::{ExceptionView, ResourceView};

/// Extra hours or time off, for whole `days` or for `hours`: one of the two.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(try_from = "ExceptionFields")]
pub(crate) struct ExceptionBody {
    kind: ExceptionKind,
    #[serde(flatten)]
    span: LocalSpan,
    /// Why: at most 500 characters. It is told to keys with the scope `personal`, for it may say something of who is away.
    #[schema(max_length = 500, example = "Training")]
    reason: Option<Personal<Reason>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExceptionFields {
    kind: ExceptionKind,
    days: Option<LocalDays>,
    hours: Option<LocalHours>,
    reason: Option<Personal<Reason>>,
}

impl TryFrom<ExceptionFields> for ExceptionBody {
    type Error = &'static str;

    fn try_from(fields: ExceptionFields) -> Result<Self, &'static str> {
        let ExceptionFields { kind, days, hours, reason } = fields;
        let span = match (days, hours) {
            (Some(days), None) => LocalSpan::Days(days),
            (None, Some(hours)) => LocalSpan::Hours(hours),
            _ => return Err("an exception has either `days` or `hours`"),
        };
        Ok(Self { kind, span, reason })
    }
}

/// Add extra hours or time off
///
/// Appointments made before stand. The `ETag` is the resource's.
#[utoipa::path(
    post, path = "/v1/resources/{id}/exceptions", tag = "resources",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = ExceptionBody, security(("api_key" = ["manage"])),
    responses((status = 200, description = "With `dry_run`", body = DryRunView),
              (status = 201, description = "It is added", body = ExceptionView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn add_resource_exception(
    State(app): State<App>,
    caller: Caller<Manage>,
    PathId(resource): PathId,
    request: CommandRequest<ExceptionBody>,
) -> Result<Changed<Created<ExceptionView>>, Problem> {
    let (context, ExceptionBody { kind, span, reason }) = request.by(caller);
    let id = Uuid::now_v7().into();
    let command = ResourceCommand::AddResourceException(HoursException { id, kind, span, reason });
    if context.dry_run {
        return Ok(Changed::Tried(app.try_change(&context, resource, vec![command]).await?));
    }
    let target = Target::Existing(resource);
    let executed = app.engine.execute::<Resource>(&context, target, command).await?;
    let Executed { version, position, mut state, .. } = executed;
    app.engine.open(&context.tenant, &mut [(resource, &mut state)]).await?;
    // At the version that the command led to, the newest is the one that it added: also where this is
    // the answer to an earlier request, whose id was another.
    let exceptions = state.profile().map(|profile| &profile.opening_hours.exceptions);
    let added = exceptions.and_then(|exceptions| exceptions.iter().next_back());
    let body = ExceptionView::from(added.ok_or_else(Problem::internal)?.clone());
    let body = if context.tells_personal { body } else { body.withheld() };
    let location = format!("/v1/resources/{resource}/exceptions/{}", body.id);
    let answer = Answer::of_command(version, position, body);
    Ok(Changed::Made(Created { location, answer }))
}

/// Get extra hours or time off
#[utoipa::path(
    get, path = "/v1/resources/{id}/exceptions/{exception_id}", tag = "resources",
    params(("id" = Uuid, Path), ("exception_id" = Uuid, Path), AsOfParams),
    security(("api_key" = ["availability"])),
    responses((status = 200, description = "The exception", body = ExceptionView), ReadProblems)
)]
pub(crate) async fn get_resource_exception(
    State(app): State<App>,
    caller: Caller<Within<Availability>>,
    PathIds(resource, id): PathIds,
    Query(AsOfParams { as_of }): Query<AsOfParams>,
) -> Result<Answer<ExceptionView>, Problem> {
    let moment = app.moment(&caller.tenant, as_of, None).await?;
    let known = app.known_to::<Resource, _>(&caller, resource, moment).await?;
    let Known { state, version, position, .. } =
        known.ok_or_else(|| Problem::not_found("resource"))?;
    let exceptions = state.profile().map(|profile| &profile.opening_hours.exceptions);
    let exception = exceptions.and_then(|exceptions| exceptions.get(id.into()));
    let body: ExceptionView =
        exception.ok_or_else(|| Problem::not_found("exception"))?.clone().into();
    let answer = Answer::read(version, position, body);
    Ok(answer.told_to(&caller, ExceptionView::withheld))
}

/// Remove extra hours or time off
///
/// Appointments made before stand.
#[utoipa::path(
    delete, path = "/v1/resources/{id}/exceptions/{exception_id}", tag = "resources",
    params(("id" = Uuid, Path), ("exception_id" = Uuid, Path), CommandParams, IfMatch),
    security(("api_key" = ["manage"])),
    responses((status = 200, description = "It is removed", body = ResourceOrDryRun),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn remove_resource_exception(
    State(app): State<App>,
    caller: Caller<Manage>,
    PathIds(resource, id): PathIds,
    request: CommandRequest<EmptyBody>,
) -> Result<Changed<Answer<ResourceView>>, Problem> {
    let (context, EmptyBody {}) = request.by(caller);
    let command = ResourceCommand::RemoveResourceException(id.into());
    app.change_resource(&context, resource, vec![command]).await
}
