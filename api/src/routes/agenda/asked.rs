//! Which days of which resource.

use chrono::{Datelike as _, Days, NaiveDate};
use chrono_tz::Tz;
use daybook_domain::ResourceId;
use daybook_domain::time::{Interval, LocalDate, day_bounds};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::http::params::invalid;
use crate::http::{Params, Problem};

/// The parameters, for the documentation.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by `Asked::of`; this is how it is documented")]
pub(super) struct AgendaParams {
    resource_id: Uuid,
    /// The day (`YYYY-MM-DD`, in `tz`), or a day of the week.
    date: NaiveDate,
    /// `day`, as where it is left out, or `week`: Monday to Sunday.
    #[param(inline)]
    view: Option<ViewName>,
    /// The IANA zone of the days; else the resource's.
    tz: Option<String>,
    /// Show at least what had happened at this position of the log: the `Daybook-Position` of a
    /// command shows what that command did.
    min_position: Option<u64>,
}

/// How many days.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "it documents `view`")]
pub(super) enum ViewName {
    Day,
    Week,
}

/// What is asked for.
pub(super) struct Asked {
    pub(super) resource_id: ResourceId,
    pub(super) from: LocalDate,
    pub(super) to: LocalDate,
    /// `None`: the resource's.
    pub(super) zone: Option<Tz>,
}

impl Asked {
    pub(super) fn of(params: &mut Params) -> Result<Self, Problem> {
        let resource_id = params.id("resource_id")?;
        let resource_id = resource_id.ok_or_else(|| invalid("resource_id", "it must be given"))?;
        let date = params.date("date")?.ok_or_else(|| invalid("date", "it must be given"))?;
        let zone = params.time_zone("tz")?;
        let (from, to) = match params.text("view")?.as_deref() {
            None | Some("day") => (date, date),
            Some("week") => {
                let monday = date - Days::new(date.weekday().num_days_from_monday().into());
                (monday, monday + Days::new(6))
            }
            Some(_) => return Err(invalid("view", "it is day or week")),
        };
        Ok(Self { resource_id, from: known(from)?, to: known(to)?, zone })
    }

    /// The days; `None`: the zone skipped them.
    pub(super) fn within(&self, zone: Tz) -> Option<Interval> {
        day_bounds(zone, self.from.date(), self.to.date())
    }
}

/// A date that the log can keep.
fn known(date: NaiveDate) -> Result<LocalDate, Problem> {
    LocalDate::try_from(date).map_err(|error| {
        Problem::bad_query("invalid-date", "The date is not valid", format!("date: {error}"))
    })
}
