//! `POST /v1/series`

use axum::extract::State;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybook_domain::appointment::{Booking, When};
use daybook_domain::series::{Exdates, Mode, Recurrence, Series};
use daybook_domain::time::{Duration, LocalDateTime};
use daybook_domain::{
    Category, ClientId, Note, Personal, ResourceIds, RuleText, ServiceId, Tags, Title,
};
use daybook_store::engine::SeriesBooking;
use serde::Deserialize;
use utoipa::ToSchema;

use super::SeriesMode;
use super::view::SeriesView;
use crate::App;
use crate::http::{Book, Caller, CommandHeaders, CommandRequest, Created, Problem};
use crate::routes::appointments::overriding::{self, OverrideBody};
use crate::routes::commands::{Shown as _, shown};
use crate::routes::problems::{CommandProblems, ReadProblems};

/// What is to be booked, and when it recurs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeriesBody {
    /// The service: it gives duration, buffers, and what else is left out here.
    #[schema(value_type = Uuid)]
    service_id: ServiceId,
    /// The resources, each once, of every occurrence. Where the service needs roles filled, they fill
    /// some or all of them, and others are chosen for the rest, for each occurrence by itself.
    #[schema(value_type = Option<Vec<Uuid>>, min_items = 1, max_items = 16)]
    resource_ids: Option<ResourceIds>,
    /// Who books.
    #[schema(value_type = Uuid)]
    client_id: ClientId,
    /// When the first occurrence starts: a local time, which the rule must allow.
    #[schema(value_type = String, example = "2027-01-04T09:00")]
    start: LocalDateTime,
    /// The IANA zone in which times are local; else the tenant's.
    #[schema(value_type = Option<String>, example = "Europe/Oslo")]
    tz: Option<Tz>,
    /// The value of an RRULE (RFC 5545) with COUNT or UNTIL. At most 366 occurrences.
    #[schema(value_type = String, max_length = 500, example = "FREQ=WEEKLY;BYDAY=MO;COUNT=10")]
    rrule: RuleText,
    /// What is left out: occurrences by their local start, or whole days.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 366, example = json!(["2027-02-22T09:00", "2027-04-05"]))]
    exdates: Exdates,
    /// Whether all must be booked: `all_or_nothing` where it is left out.
    #[serde(default)]
    #[schema(value_type = Option<SeriesMode>)]
    mode: Mode,
    /// What each is called; else as the service. It is searched and shown: no personal data.
    #[schema(value_type = Option<String>, max_length = 300)]
    title: Option<Title>,
    /// Their category; else the service's.
    #[schema(value_type = Option<String>, max_length = 80)]
    category: Option<Category>,
    /// Their tags; else the service's.
    #[schema(value_type = Option<Vec<String>>, max_items = 20)]
    tags: Option<Tags>,
    /// Free text about the client.
    #[schema(value_type = Option<String>, max_length = 4000)]
    note: Option<Personal<Note>>,
    /// How long each takes: one of the service's durations; else the service's own.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 44640)]
    duration_minutes: Option<Duration>,
    /// Book them although rules are against it: needs the scope `manage`.
    #[serde(rename = "override")]
    overriding: Option<OverrideBody>,
}

impl SeriesBody {
    fn asked(self, tenants_zone: Tz, caller: &Caller<Book>) -> Result<SeriesBooking, Problem> {
        let overriding = overriding::reason(caller, self.overriding)?;
        // Each occurrence has its own.
        let start = DateTime::<Utc>::UNIX_EPOCH;
        let when = When::at(start, self.duration_minutes);
        let recurrence = Recurrence {
            rrule: self.rrule,
            start: self.start,
            time_zone: self.tz.unwrap_or(tenants_zone),
            exdates: self.exdates,
        };
        let booking = Booking {
            service_id: self.service_id,
            resource_ids: self.resource_ids,
            client_id: self.client_id,
            when,
            title: self.title,
            category: self.category,
            tags: self.tags,
            note: self.note,
            overriding,
            series: None,
        };
        Ok(SeriesBooking { recurrence, mode: self.mode, booking })
    }
}

/// Book a series
///
/// Every occurrence of a rule of recurrence becomes an appointment. Occurrences are at the same local time all
/// the year round; a local time that does not exist when clocks change, or exists twice, is resolved as
/// RFC 5545 says (section 3.3.5).
///
/// With `all_or_nothing` all are booked at once, or none: the problem is then that of the first that is
/// refused, with its `recurrence_id`. With `best_effort` those are booked that can be, and `refused` says
/// why the others were not; if none can be, that is refused (`none-booked`).
#[utoipa::path(
    post, path = "/v1/series", tag = "series", params(CommandHeaders),
    request_body = SeriesBody, security(("api_key" = ["book"])),
    responses((status = 201, description = "What was booked, and what was not", body = SeriesView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn book_series(
    State(app): State<App>,
    caller: Caller<Book>,
    request: CommandRequest<SeriesBody>,
) -> Result<Created<SeriesView>, Problem> {
    let context = request.context(&caller);
    let tenants_zone = app.zone_of(&caller.tenant).await?;
    let asked = request.body.asked(tenants_zone, &caller)?;
    let executed = app.engine.book_series(&context, &asked).await?;
    let location = format!("{}/{}", Series::PATH, executed.id);
    Ok(Created { location, answer: shown(executed)? })
}
