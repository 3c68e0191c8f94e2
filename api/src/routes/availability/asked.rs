//! What a request asks for.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use daybook_domain::service::Roles;
use daybook_domain::service::rules::Grid;
use daybook_domain::time::{Buffer, Duration, Interval, Step, day_bounds};
use daybook_domain::{ResourceId, ServiceId};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::http::instant;
use crate::http::params::{invalid, listed};
use crate::http::{Params, Problem};

/// The most days that are asked for at once.
const MAX_DAYS: i64 = 92;

/// How many starts are given, for each list of them: where nothing is said, and at most.
const USUAL_LIMIT: usize = 1_000;
const MAX_LIMIT: usize = 10_000;

/// The parameters, for the documentation.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by `Asked::of`; this is how it is documented")]
pub(crate) struct AvailabilityParams {
    /// The service: it gives duration, buffers, rules, and the resources that it needs.
    service_id: Option<Uuid>,
    /// Only on these resources: several with commas between them, or given several times. Without
    /// roles of a service, any of them will do.
    resource_id: Option<String>,
    /// How long it takes; without a service it must be given.
    duration_minutes: Option<u32>,
    /// The first day it may start on (`YYYY-MM-DD`, in `tz`).
    from: NaiveDate,
    /// The last day it may start on; at most 92 days with the first.
    to: NaiveDate,
    /// The IANA zone of `from` and `to`; else the tenant's.
    tz: Option<String>,
    /// How far starts are apart, from local midnight on, where the service has no step of its own;
    /// 15 where it is left out.
    step_minutes: Option<u32>,
    /// `merged` (each start once, as where it is left out) or `resource` (each resource by itself).
    by: Option<String>,
    /// The most starts in each list: 1 to 10,000, 1,000 where it is left out.
    limit: Option<u32>,
    /// Say why the moment `at` is offered or not, and list no starts.
    explain: Option<bool>,
    /// The moment to explain: RFC 3339, with an offset.
    at: Option<DateTime<Utc>>,
}

/// What is asked for.
pub(super) struct Asked {
    pub(super) service_id: Option<ServiceId>,
    pub(super) resource_ids: Vec<ResourceId>,
    /// Instead of the service's.
    pub(super) roles: Roles,
    pub(super) duration: Option<Duration>,
    /// Where there is no service to say so.
    pub(super) buffers: (Buffer, Buffer),
    pub(super) days: AskedDays,
    pub(super) grid: Grid,
    pub(super) limit: usize,
    pub(super) show: Show,
}

/// The days that were asked for.
#[derive(Clone, Copy)]
pub(super) struct AskedDays {
    pub(super) from: NaiveDate,
    pub(super) to: NaiveDate,
    pub(super) zone: Tz,
    pub(super) within: Interval,
}

/// How it is to be shown.
#[derive(Clone, Copy)]
pub(super) enum Show {
    /// Each start once.
    Merged,
    /// Each resource's starts.
    EachResource,
    /// Why a moment is offered or not.
    Why(DateTime<Utc>),
}

impl Asked {
    pub(super) fn of(params: &mut Params, tenants_zone: Tz) -> Result<Self, Problem> {
        let service_id = params.id("service_id")?;
        let resource_ids = resource_ids(params)?;
        let duration = params.parsed::<u32>("duration_minutes")?;
        let duration = duration.map(Duration::from_minutes).transpose();
        let duration = duration.map_err(|error| invalid("duration_minutes", error))?;
        let date = |params: &mut Params, name| {
            params.date(name)?.ok_or_else(|| invalid(name, "it must be given"))
        };
        let (from, to) = (date(params, "from")?, date(params, "to")?);
        let zone = params.time_zone("tz")?.unwrap_or(tenants_zone);
        let step = params.parsed("step_minutes")?;
        let limit = params.parsed("limit")?;
        let show = show(params)?;
        Ok(Self {
            service_id,
            resource_ids,
            roles: Roles::default(),
            duration,
            buffers: (Buffer::NONE, Buffer::NONE),
            days: AskedDays::new(from, to, zone)?,
            grid: grid(step).map_err(|why| invalid("step_minutes", why))?,
            limit: self::limit(limit).map_err(|why| invalid("limit", why))?,
            show,
        })
    }
}

impl AskedDays {
    pub(super) fn new(from: NaiveDate, to: NaiveDate, zone: Tz) -> Result<Self, Problem> {
        let count = to.signed_duration_since(from).num_days().saturating_add(1);
        if !(1..=MAX_DAYS).contains(&count) {
            let detail = format!("from {from} to {to} are not 1 to {MAX_DAYS} days");
            return Err(Problem::bad_query("invalid-range", "The range is not valid", detail));
        }
        // What the log can keep.
        if !(1970..2200).contains(&from.year()) {
            let detail = format!("from {from}: a year is 1970 to 2199");
            return Err(Problem::bad_query("invalid-date", "The date is not valid", detail));
        }
        // A zone can skip a day altogether; with the one after it there is always some time.
        let until = to.checked_add_days(Days::new(1)).unwrap_or(to);
        let within = day_bounds(zone, from, to).or_else(|| day_bounds(zone, from, until));
        let too_far = || Problem::bad_query("invalid-date", "The date is not valid", "too far");
        Ok(Self { from, to, zone, within: within.ok_or_else(too_far)? })
    }
}

/// How far starts are apart.
pub(super) fn grid(step_minutes: Option<u32>) -> Result<Grid, String> {
    let Some(minutes) = step_minutes else { return Ok(Grid::default()) };
    let step = Step::from_minutes(minutes).map_err(|error| error.to_string())?;
    Grid::new(step, 0).map_err(|error| error.to_string())
}

/// How many starts are given.
pub(super) fn limit(asked: Option<usize>) -> Result<usize, String> {
    let limit = asked.unwrap_or(USUAL_LIMIT);
    let fits = (1..=MAX_LIMIT).contains(&limit);
    if fits { Ok(limit) } else { Err(format!("1 to {MAX_LIMIT}, got {limit}")) }
}

fn resource_ids(params: &mut Params) -> Result<Vec<ResourceId>, Problem> {
    let mut ids: Vec<ResourceId> = Vec::new();
    for text in listed(&params.all("resource_id")) {
        let id = Uuid::parse_str(text).map_err(|_| {
            let detail = "resource_id is one UUID or several";
            Problem::bad_query("invalid-id", "The id is not a UUID", detail)
        })?;
        if !ids.contains(&id.into()) {
            ids.push(id.into());
        }
    }
    Ok(ids)
}

fn show(params: &mut Params) -> Result<Show, Problem> {
    let by = params.text("by")?;
    let explain = params.parsed::<bool>("explain")?.unwrap_or_default();
    let at = params.text("at")?;
    if explain {
        let at = at.ok_or_else(|| invalid("at", "the moment to explain must be given"))?;
        let at =
            instant::parse(&at).ok_or_else(|| invalid("at", "it is RFC 3339, with an offset"))?;
        return Ok(Show::Why(at));
    }
    if at.is_some() {
        return Err(invalid("at", "it is the moment to explain, with explain=true"));
    }
    match by.as_deref() {
        None | Some("merged") => Ok(Show::Merged),
        Some("resource") => Ok(Show::EachResource),
        Some(_) => Err(invalid("by", "it is merged or resource")),
    }
}
