//! `GET /v1/appointments/{id}/events`

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use daybook_domain::appointment::Appointment;
use daybook_domain::{TenantId, withhold_personal};
use daybook_store::log::StreamId;
use daybook_store::personal::About;
use daybook_store::{ExecuteError, Position};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::http::query::query_params;
use crate::http::{Appointments, At, Book, Caller, PathId, Personal, Problem, Query, Within};
use crate::routes::as_of::AsOfParams;
use crate::routes::problems::ReadProblems;
use crate::views::EventView;

/// The most events of one answer.
pub(crate) const MAX_EVENTS: u32 = 200;

query_params! {
    /// Which of them.
    pub(crate) struct EventsAsked {
        /// Leave out the events up to this version.
        after: Option<u64>,
        ..moment: AsOfParams,
    }
}

/// What happened to an appointment, in order.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventList {
    items: Vec<EventView>,
    /// Ask for what is `after` this version; left out: there is no more at present.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_after: Option<u64>,
}

/// List what happened to an appointment
///
/// A key that is limited to some of the tenant is told what happened to it where that key sees it.
#[utoipa::path(
    get, path = "/v1/appointments/{id}/events", tag = "appointments",
    params(("id" = Uuid, Path), EventsAsked),
    security(("api_key" = ["appointments"])),
    responses((status = 200, description = "Its history, oldest first", body = EventList),
              ReadProblems)
)]
pub(crate) async fn list_appointment_events(
    State(app): State<App>,
    caller: Caller<Within<Appointments>>,
    PathId(id): PathId,
    Query(asked): Query<EventsAsked>,
) -> Result<At<Json<EventList>>, Problem> {
    let moment = app.moment(&caller.tenant, asked.moment.as_of, None).await?;
    let after = asked.after.unwrap_or(0);
    let stream = StreamId::of::<Appointment>(&caller.tenant, id);
    let log = app.engine.log();
    let up_to = moment.map(|moment| moment.position);
    let seen = app.versions_seen(&caller, id, up_to).await?;
    let events = log.read_stream(&caller.tenant, &stream, (after, up_to), MAX_EVENTS).await?;
    if events.is_empty() && after == 0 {
        return Err(Problem::not_found("appointment"));
    }
    let position = match events.last() {
        Some(last) => last.position,
        None => log.head(&caller.tenant).await?.unwrap_or_default(),
    };
    let next_after = events.last().map(|last| last.sequence);
    let next_after = next_after.filter(|_| events.len() == MAX_EVENTS as usize);
    let mut items: Vec<EventView> = events.into_iter().map(EventView::from).collect();
    if let Some(seen) = &seen {
        items.retain(|item| seen.contains(&item.version()));
        // From where it has come, they are not told.
        let came = items.iter_mut().filter(|item| !seen.contains(&(item.version() - 1)));
        came.for_each(EventView::forget_from_where);
    }
    let may_be_told = caller.has::<Personal>()
        && (caller.has::<Book>() || !app.is_private(&caller.tenant, id).await?);
    if !may_be_told {
        for item in &mut items {
            withhold_personal(stream.kind(), item.data_mut());
        }
    } else if let Some(keyring) = app.engine.keyring() {
        let about = About { tenant: &caller.tenant, kind: stream.kind(), id };
        let told = items.iter_mut().map(|item| (about, item.data_mut())).collect();
        keyring.open_json(told).await.map_err(ExecuteError::from)?;
    }
    let position = moment.map_or(position, |moment| moment.position);
    Ok(At(position, Json(EventList { items, next_after })))
}

impl App {
    /// The versions after which it lay where the caller sees it: of other events they are not told. `None`: they see all.
    async fn versions_seen<S>(
        &self,
        caller: &Caller<S>,
        id: Uuid,
        up_to: Option<Position>,
    ) -> Result<Option<BTreeSet<u64>>, Problem> {
        if caller.limits.are_none() {
            return Ok(None);
        }
        let seen = self.engine.versions_within(&caller.tenant, id, &caller.limits, up_to).await?;
        if seen.is_empty() { Err(Problem::not_found("appointment")) } else { Ok(Some(seen)) }
    }

    /// Whether its text is not for whoever may only read.
    async fn is_private(&self, tenant: &TenantId, id: Uuid) -> Result<bool, Problem> {
        let there = self.engine.load::<Appointment>(tenant, id).await?;
        let details = there.as_ref().and_then(|(appointment, _)| appointment.details());
        Ok(details.is_some_and(|details| details.private))
    }
}
