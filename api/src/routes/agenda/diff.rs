//! `GET /v1/agenda/diff`

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use chrono_tz::Tz;
use daybook_domain::time::LocalDate;
use daybook_projections::appointments::Appointments;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::is_theirs;
use super::query::{AgendaDiffAsked, AgendaQuery};
use super::view::{AgendaItem, AgendaView};
use crate::App;
use crate::http::{At, Caller, Problem, Query, Within, auth};
use crate::routes::problems::ReadProblems;
use crate::views::Times;
use crate::views::change::{FieldChange, MomentView, between, fields};

/// What changed on a resource's calendar.
#[derive(Serialize, ToSchema)]
pub(crate) struct AgendaDiff {
    resource_id: Uuid,
    /// The zone of the days and of local times.
    #[schema(example = "Europe/Oslo")]
    time_zone: Tz,
    /// The days that were compared.
    days: Days,
    from: MomentView,
    to: MomentView,
    /// What was there at the second moment only, by start.
    added: Vec<AgendaItem>,
    /// What was there at the first moment only.
    removed: Vec<AgendaItem>,
    /// What was there at both, and differs.
    changed: Vec<ChangedItem>,
    /// When the resource was open, where that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<OpenChange>,
}

/// The days that were compared, both ends included.
#[derive(Serialize, ToSchema)]
pub(crate) struct Days {
    from: LocalDate,
    to: LocalDate,
}

/// Something that changed on the calendar.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangedItem {
    /// As it was at the second moment.
    item: AgendaItem,
    /// Each field that differs.
    changes: Vec<FieldChange>,
}

/// When the resource was open.
#[derive(Serialize, ToSchema)]
pub(crate) struct OpenChange {
    before: Vec<Times>,
    after: Vec<Times>,
}

/// See what changed on a resource's calendar between two moments
#[utoipa::path(
    get, path = "/v1/agenda/diff", tag = "agenda",
    params(AgendaDiffAsked),
    security(("api_key" = ["appointments"])),
    responses((status = 200, description = "What changed", body = AgendaDiff), ReadProblems)
)]
pub(crate) async fn diff_agenda(
    State(app): State<App>,
    caller: Caller<Within<auth::Appointments>>,
    Query(asked): Query<AgendaDiffAsked>,
) -> Result<At<Json<AgendaDiff>>, Problem> {
    let tenant = &caller.tenant;
    let AgendaDiffAsked { agenda, moments } = asked;
    let query = AgendaQuery::of(&agenda)?;
    is_theirs(&caller, query.resource_id)?;
    let (from, to) = app.moments(tenant, moments, agenda.tz).await?;
    let position = from.position.max(to.position);
    app.wait(tenant, Appointments::ID, agenda.fresh).await?;
    app.wait_for(tenant, Appointments::ID, position).await?;
    let before = app.agenda_of(&caller, &query, from, Some(from)).await?;
    let after = app.agenda_of(&caller, &query, to, Some(to)).await?;
    // Where there was no resource, nothing was on its calendar.
    let Some(any) = before.as_ref().or(after.as_ref()) else {
        return Err(Problem::not_found("resource"));
    };
    let (time_zone, resource_id) = (any.time_zone, any.resource_id);
    let on =
        |view: Option<AgendaView>| view.map_or_else(Default::default, |it| (it.items, it.open));
    let ((items_before, open_before), (items, open)) = (on(before), on(after));
    let (added, removed, changed) = compared(items_before, items)?;
    let open = (open_before != open).then_some(OpenChange { before: open_before, after: open });
    let days = Days { from: query.from, to: query.to };
    let (from, to) = (from.into(), to.into());
    let diff = AgendaDiff { resource_id, time_zone, days, from, to, added, removed, changed, open };
    Ok(At(position, Json(diff)))
}

type Compared = (Vec<AgendaItem>, Vec<AgendaItem>, Vec<ChangedItem>);

/// What was added, removed and changed.
fn compared(before: Vec<AgendaItem>, after: Vec<AgendaItem>) -> Result<Compared, Problem> {
    let (mut added, mut changed) = (Vec::new(), Vec::new());
    let mut gone: BTreeMap<Uuid, AgendaItem> =
        before.into_iter().map(|item| (item.id(), item)).collect();
    for item in after {
        let Some(was) = gone.remove(&item.id()) else {
            added.push(item);
            continue;
        };
        let differences = between(&fields(&was)?, &fields(&item)?);
        if !differences.is_empty() {
            changed.push(ChangedItem { item, changes: differences });
        }
    }
    let mut removed: Vec<_> = gone.into_values().collect();
    removed.sort_by_key(|item| (item.start(), item.id()));
    Ok((added, removed, changed))
}
