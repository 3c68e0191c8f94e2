//! `GET /v1/appointments/{id}/diff`

use axum::Json;
use axum::extract::State;
use daybook_domain::appointment::Appointment;
use daybook_store::engine::Known;
use daybook_store::log::Moment;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::http::{Appointments, At, Caller, PathId, Problem, Query, Within};
use crate::routes::as_of::Moments;
use crate::routes::problems::ReadProblems;
use crate::views::AppointmentView;
use crate::views::change::{FieldChange, MomentView, between, fields};

/// What changed in an appointment.
#[derive(Serialize, ToSchema)]
pub(crate) struct AppointmentDiff {
    id: Uuid,
    from: MomentView,
    to: MomentView,
    /// Its version at the first moment; left out: there was no such appointment yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    version_before: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_after: Option<u64>,
    /// Each field of the appointment, as `GET` shows it, that differs.
    changes: Vec<FieldChange>,
}

/// See what changed in an appointment between two moments
///
/// A hold that lapsed between them has become cancelled, whether that was recorded or not.
#[utoipa::path(
    get, path = "/v1/appointments/{id}/diff", tag = "appointments",
    params(("id" = Uuid, Path), Moments), security(("api_key" = ["appointments"])),
    responses((status = 200, description = "What changed", body = AppointmentDiff), ReadProblems)
)]
pub(crate) async fn diff_appointment(
    State(app): State<App>,
    caller: Caller<Within<Appointments>>,
    PathId(id): PathId,
    Query(moments): Query<Moments>,
) -> Result<At<Json<AppointmentDiff>>, Problem> {
    let tenant = &caller.tenant;
    let (from, to) = app.moments(tenant, moments, None).await?;
    let (version_before, before) = app.appointment_fields(&caller, id, from).await?;
    let (version_after, after) = app.appointment_fields(&caller, id, to).await?;
    if version_before.is_none() && version_after.is_none() {
        return Err(Problem::not_found("appointment"));
    }
    let (changes, position) = (between(&before, &after), from.position.max(to.position));
    let (from, to) = (from.into(), to.into());
    let diff = AppointmentDiff { id, from, to, version_before, version_after, changes };
    Ok(At(position, Json(diff)))
}

impl App {
    async fn appointment_fields(
        &self,
        caller: &Caller<Within<Appointments>>,
        id: Uuid,
        moment: Moment,
    ) -> Result<(Option<u64>, Map<String, Value>), Problem> {
        let known = self.known_to::<Appointment, _>(caller, id, Some(moment)).await?;
        let shown = known.and_then(|Known { state, version, .. }| {
            let view = AppointmentView::at(state, id, version, moment.at)?;
            Some((view.for_caller(caller), version))
        });
        match shown {
            Some((view, version)) => Ok((Some(version), fields(&view)?)),
            None => Ok((None, Map::new())),
        }
    }
}
