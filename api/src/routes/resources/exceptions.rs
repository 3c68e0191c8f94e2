//! `/v1/resources/{id}/exceptions`: extra hours and time off.

use axum::extract::State;
use daybook_domain::resource::{Resource, ResourceCommand};
use daybook_domain::time::{ExceptionKind, HoursException, LocalDays, LocalHours, LocalSpan};
use daybook_domain::{ExceptionId, Reason};
use daybook_store::{Executed, Target};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::ResourceView;
use super::dry_run::{self, Changed, DryRun, DryRunView, ResourceOrDryRun};
use crate::App;
use crate::http::body::Nothing;
use crate::http::{
    Answer, Caller, CommandHeaders, CommandRequest, Created, IfMatch, Manage, Params, PathId,
    PathIds, Problem, Read,
};
use crate::routes::problems::{CommandProblems, ReadProblems};

/// Extra hours or time off, for whole `days` or for `hours`: one of the two.
#[derive(Deserialize, ToSchema)]
#[serde(try_from = "ExceptionFields")]
pub(crate) struct ExceptionBody {
    #[schema(value_type = ExceptionKindName)]
    kind: ExceptionKind,
    #[serde(flatten)]
    #[schema(value_type = ExceptionSpan)]
    span: LocalSpan,
    /// Why: at most 500 characters. Whoever reads the resource sees it, so it is no place for
    /// personal data.
    #[schema(value_type = Option<String>, max_length = 500, example = "Training")]
    reason: Option<Reason>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExceptionFields {
    kind: ExceptionKind,
    days: Option<LocalDays>,
    hours: Option<LocalHours>,
    reason: Option<Reason>,
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

/// `time-off` closes, whatever else says; `extra-hours` open, also on a holiday.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "it documents `ExceptionKind`")]
pub(super) enum ExceptionKindName {
    ExtraHours,
    TimeOff,
}

/// When, in the resource's zone.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "it documents `LocalSpan`")]
pub(super) enum ExceptionSpan {
    Days(ExceptionDays),
    Hours(ExceptionHours),
}

/// Whole days, both included.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents `LocalDays`")]
pub(super) struct ExceptionDays {
    /// `YYYY-MM-DD`.
    #[schema(example = "2027-07-05")]
    first: String,
    /// `YYYY-MM-DD`.
    #[schema(example = "2027-07-09")]
    last: String,
}

/// From one local time to before another.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents `LocalHours`")]
pub(super) struct ExceptionHours {
    /// `YYYY-MM-DDTHH:MM`.
    #[schema(example = "2027-07-05T12:00")]
    from: String,
    /// `YYYY-MM-DDTHH:MM`.
    #[schema(example = "2027-07-05T14:00")]
    to: String,
}

/// Extra hours or time off of a resource.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExceptionView {
    #[schema(value_type = Uuid)]
    id: ExceptionId,
    #[schema(value_type = ExceptionKindName)]
    kind: ExceptionKind,
    #[serde(flatten)]
    #[schema(value_type = ExceptionSpan)]
    span: LocalSpan,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    reason: Option<Reason>,
}

impl From<HoursException> for ExceptionView {
    fn from(HoursException { id, kind, span, reason }: HoursException) -> Self {
        Self { id, kind, span, reason }
    }
}

/// Add extra hours or time off
///
/// Appointments made before stand. The `ETag` is the resource's.
#[utoipa::path(
    post, path = "/v1/resources/{id}/exceptions", tag = "resources",
    params(("id" = Uuid, Path), DryRun, CommandHeaders, IfMatch),
    request_body = ExceptionBody, security(("api_key" = ["manage"])),
    responses((status = 200, description = "With `dry_run`", body = DryRunView),
              (status = 201, description = "It is added", body = ExceptionView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn add_resource_exception(
    State(app): State<App>,
    caller: Caller<Manage>,
    PathId(resource): PathId,
    params: Params,
    request: CommandRequest<ExceptionBody>,
) -> Result<Changed<Created<ExceptionView>>, Problem> {
    let dry_run = dry_run::asked(params)?;
    let (context, ExceptionBody { kind, span, reason }) = request.by(caller);
    let id = Uuid::now_v7().into();
    let command = ResourceCommand::AddResourceException(HoursException { id, kind, span, reason });
    if dry_run {
        return Ok(Changed::Tried(app.try_change(&context, resource, command).await?));
    }
    let target = Target::Existing(resource);
    let executed = app.engine.execute::<Resource>(&context, target, command).await?;
    let Executed { version, position, state, .. } = executed;
    // At the version that the command led to, the newest is the one that it added: also where this is
    // the answer to an earlier request, whose id was another.
    let exceptions = state.profile().map(|profile| &profile.opening_hours.exceptions);
    let added = exceptions.and_then(|exceptions| exceptions.iter().next_back());
    let body = ExceptionView::from(added.ok_or_else(Problem::internal)?.clone());
    let location = format!("/v1/resources/{resource}/exceptions/{}", body.id);
    let answer = Answer { version, position: Some(position), body };
    Ok(Changed::Made(Created { location, answer }))
}

/// Get extra hours or time off
#[utoipa::path(
    get, path = "/v1/resources/{id}/exceptions/{exception_id}", tag = "resources",
    params(("id" = Uuid, Path), ("exception_id" = Uuid, Path)),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "The exception", body = ExceptionView), ReadProblems)
)]
pub(crate) async fn get_resource_exception(
    State(app): State<App>,
    caller: Caller<Read>,
    PathIds(resource, id): PathIds,
) -> Result<Answer<ExceptionView>, Problem> {
    let found = app.engine.load::<Resource>(&caller.tenant, resource).await?;
    let (state, version) = found.ok_or_else(|| Problem::not_found("resource"))?;
    let exceptions = state.profile().map(|profile| &profile.opening_hours.exceptions);
    let exception = exceptions.and_then(|exceptions| exceptions.get(id.into()));
    let body = exception.ok_or_else(|| Problem::not_found("exception"))?.clone().into();
    Ok(Answer { version, position: None, body })
}

/// Call off extra hours or time off
///
/// Appointments made before stand.
#[utoipa::path(
    delete, path = "/v1/resources/{id}/exceptions/{exception_id}", tag = "resources",
    params(("id" = Uuid, Path), ("exception_id" = Uuid, Path), DryRun,
           CommandHeaders, IfMatch),
    security(("api_key" = ["manage"])),
    responses((status = 200, description = "It is called off", body = ResourceOrDryRun),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn remove_resource_exception(
    State(app): State<App>,
    caller: Caller<Manage>,
    PathIds(resource, id): PathIds,
    params: Params,
    request: CommandRequest<Nothing>,
) -> Result<Changed<Answer<ResourceView>>, Problem> {
    let dry_run = dry_run::asked(params)?;
    let (context, Nothing {}) = request.by(caller);
    let command = ResourceCommand::RemoveResourceException(id.into());
    app.change_resource(&context, resource, command, dry_run).await
}
