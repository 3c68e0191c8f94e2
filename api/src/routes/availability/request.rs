//! What a request asks for.

use std::collections::HashSet;

use chrono::{DateTime, Datelike as _, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use daybook_domain::rights::Limits;
use daybook_domain::service::Roles;
use daybook_domain::service::rules::Grid;
use daybook_domain::time::{Buffer, Duration, Interval, Step, day_bounds};
use daybook_domain::{ResourceId, ServiceId};

use crate::http::Problem;
use crate::http::query::{Within, invalid, invalid_date, invalid_range, one_of, query_params};
use crate::routes::as_of::AsOfParams;

/// The most days that are asked for at once.
pub(crate) const MAX_DAYS: i64 = 92;

/// How many starts are given, for each list of them: where nothing is said, and at most.
const USUAL_LIMIT: usize = 1_000;
pub(crate) const MAX_LIMIT: usize = 10_000;

/// How many starts are given in all lists together.
pub(crate) const MAX_STARTS: usize = 20_000;

query_params! {
    /// What is asked for.
    pub(crate) struct AvailabilityParams {
        /// The service: it gives duration, buffers, rules, and the resources that it needs.
        service_id: Option<ServiceId>,
        /// Only on this resource; given several times, on these. Without roles of a service, any of them will do.
        resource_id: Vec<ResourceId>,
        /// How long it takes; without a service it must be given.
        duration_minutes: Option<Duration>,
        /// The first day it may start on (`YYYY-MM-DD`, in `tz`).
        from: NaiveDate,
        /// The last day it may start on; at most 92 days with the first.
        to: NaiveDate,
        /// The IANA zone of `from` and `to`, and of the local times that are then shown beside; else the tenant's, and
        /// none are.
        tz: Option<Tz>,
        /// How far starts are apart, from local midnight on, where the service has no step of its own;
        /// 15 where it is left out.
        step_minutes: Option<Within<1, 1_440>>,
        /// `merged` (each start once, as where it is left out) or `resource` (each resource by itself).
        by: Option<By>,
        /// The most starts in each list: 1 to 10,000, 1,000 where it is left out. All lists together have at
        /// most 20,000.
        limit: Option<Within<1, MAX_LIMIT>>,
        /// Say why the moment `at` is offered or not, and list no starts.
        explain: Option<bool>,
        /// The moment to explain: RFC 3339, with an offset.
        at: Option<DateTime<Utc>>,
        ..moment: AsOfParams,
    }
}

/// How starts are listed.
#[derive(Clone, Copy)]
pub(crate) enum By {
    Merged,
    Resource,
}

one_of!(By { "merged" => By::Merged, "resource" => By::Resource });

/// What is asked for.
pub(super) struct AvailabilityRequest {
    pub(super) service_id: Option<ServiceId>,
    pub(super) resource_ids: Vec<ResourceId>,
    /// Instead of the service's.
    pub(super) roles: Roles,
    pub(super) duration: Option<Duration>,
    /// Where there is no service to say so.
    pub(super) buffers: (Buffer, Buffer),
    pub(super) days: DayRange,
    /// In which zone times are shown, beside UTC.
    pub(super) shown_in: Option<Tz>,
    pub(super) grid: Grid,
    /// How many starts are given in each list. `None`: as many as usual.
    pub(super) limit: Option<usize>,
    pub(super) show: Show,
    /// What whoever asks is limited to.
    pub(super) limits: Limits,
}

impl AvailabilityRequest {
    /// The most starts in each of so many lists.
    pub(super) fn limit_of(&self, lists: usize) -> Result<usize, Problem> {
        let of_each = MAX_STARTS / lists.max(1);
        match self.limit {
            None => Ok(USUAL_LIMIT.min(of_each)),
            Some(limit) if limit <= of_each => Ok(limit),
            Some(limit) => Err(Problem::too_broad(format!(
                "{lists} lists of {limit} starts; all lists have at most {MAX_STARTS}: lower the limit, or name \
                 fewer resources"
            ))),
        }
    }
}

/// The days that were asked for.
#[derive(Clone, Copy)]
pub(super) struct DayRange {
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

impl AvailabilityRequest {
    pub(super) fn of(
        params: AvailabilityParams,
        tenants_zone: Tz,
        limits: Limits,
    ) -> Result<Self, Problem> {
        let show = show(params.by, params.explain.unwrap_or_default(), params.at)?;
        let mut resource_ids = params.resource_id;
        let mut seen = HashSet::new();
        resource_ids.retain(|id| seen.insert(*id));
        Ok(Self {
            service_id: params.service_id,
            resource_ids,
            roles: Roles::default(),
            duration: params.duration_minutes,
            buffers: (Buffer::NONE, Buffer::NONE),
            days: DayRange::new(params.from, params.to, params.tz.unwrap_or(tenants_zone))?,
            shown_in: params.tz,
            grid: grid(params.step_minutes.map(|Within(minutes)| minutes))
                .map_err(|why| invalid("step_minutes", why))?,
            limit: params.limit.map(|Within(limit)| limit),
            show,
            limits,
        })
    }
}

impl DayRange {
    pub(super) fn new(from: NaiveDate, to: NaiveDate, zone: Tz) -> Result<Self, Problem> {
        let count = to.signed_duration_since(from).num_days().saturating_add(1);
        if !(1..=MAX_DAYS).contains(&count) {
            let detail = format!("from {from} to {to} are not 1 to {MAX_DAYS} days");
            return Err(invalid_range(detail));
        }
        // What the log can keep.
        if !(1970..2200).contains(&from.year()) {
            let detail = format!("from {from}: a year is 1970 to 2199");
            return Err(invalid_date(detail));
        }
        // A zone can skip a day altogether; with the one after it there is always some time.
        let until = to.checked_add_days(Days::new(1)).unwrap_or(to);
        let within = day_bounds(zone, from, to).or_else(|| day_bounds(zone, from, until));
        let too_far = || invalid_date("too far");
        Ok(Self { from, to, zone, within: within.ok_or_else(too_far)? })
    }
}

/// How far starts are apart.
pub(super) fn grid(step_minutes: Option<usize>) -> Result<Grid, String> {
    let Some(minutes) = step_minutes else { return Ok(Grid::default()) };
    let minutes = u32::try_from(minutes).unwrap_or(u32::MAX);
    let step = Step::from_minutes(minutes).map_err(|error| error.to_string())?;
    Grid::new(step, 0).map_err(|error| error.to_string())
}

/// How many starts are asked for.
pub(super) fn limit(asked: Option<usize>) -> Result<Option<usize>, String> {
    match asked {
        Some(limit) if !(1..=MAX_LIMIT).contains(&limit) => {
            Err(format!("1 to {MAX_LIMIT}, got {limit}"))
        }
        asked => Ok(asked),
    }
}

fn show(by: Option<By>, explain: bool, at: Option<DateTime<Utc>>) -> Result<Show, Problem> {
    match (explain, at, by) {
        (true, Some(at), _) => Ok(Show::Why(at)),
        (true, None, _) => Err(invalid("at", "the moment to explain must be given")),
        (false, Some(_), _) => Err(invalid("at", "it is the moment to explain, with explain=true")),
        (false, None, None | Some(By::Merged)) => Ok(Show::Merged),
        (false, None, Some(By::Resource)) => Ok(Show::EachResource),
    }
}
