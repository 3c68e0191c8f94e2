//! `PUT /v1/resources/{id}/holidays`

use axum::extract::State;
use daybook_domain::resource::ResourceCommand;
use daybook_domain::time::{Holiday, Holidays, LocalDate};
use daybook_domain::{HolidayId, Name};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::dry_run::{Changed, ResourceOrDryRun};
use crate::App;
use crate::http::{
    Answer, Caller, CommandParams, CommandRequest, IfMatch, Manage, PathId, Problem,
};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::ResourceView;

/// The days on which a resource is closed, whatever its weekly hours say.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HolidaysBody {
    /// All of them from now on.
    #[serde(deserialize_with = "holidays")]
    #[schema(value_type = Vec<HolidayBody>, max_items = 1000)]
    holidays: Holidays,
}

/// A holiday.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HolidayBody {
    /// `YYYY-MM-DD`.
    #[schema(example = "2027-05-17")]
    date: LocalDate,
    /// What it is called.
    #[schema(max_length = 200, example = "Constitution Day")]
    name: Name,
    /// Which one it is, where it is known already; else made from its date and name.
    id: Option<Uuid>,
}

impl From<HolidayBody> for Holiday {
    fn from(HolidayBody { date, name, id }: HolidayBody) -> Self {
        let made = || HolidayId::of(&format!("{date}\n{name}"));
        Self { id: id.map_or_else(made, HolidayId::from), date, name }
    }
}

fn holidays<'de, D: Deserializer<'de>>(from: D) -> Result<Holidays, D::Error> {
    let holidays: Vec<HolidayBody> = Vec::deserialize(from)?;
    let holidays: Vec<Holiday> = holidays.into_iter().map(Holiday::from).collect();
    Holidays::try_from(holidays).map_err(serde::de::Error::custom)
}

/// Set a resource's holidays
///
/// Those that were set before are replaced. Appointments made before stand.
#[utoipa::path(
    put, path = "/v1/resources/{id}/holidays", tag = "resources",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = HolidaysBody, security(("api_key" = ["manage"])),
    responses((status = 200, description = "They are set", body = ResourceOrDryRun),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn set_resource_holidays(
    State(app): State<App>,
    caller: Caller<Manage>,
    PathId(id): PathId,
    request: CommandRequest<HolidaysBody>,
) -> Result<Changed<Answer<ResourceView>>, Problem> {
    let (context, body) = request.by(caller);
    let command = ResourceCommand::ChangeResourceHolidays(body.holidays);
    app.change_resource(&context, id, vec![command]).await
}
