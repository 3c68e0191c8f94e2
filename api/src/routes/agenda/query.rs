//! Which days of which resource.

use chrono::{Datelike as _, Days, NaiveDate};
use chrono_tz::Tz;
use daybook_domain::ResourceId;
use daybook_domain::time::{Interval, LocalDate, day_bounds};

use crate::http::Problem;
use crate::http::query::{invalid_date, one_of, query_params};
use crate::routes::as_of::{AsOfParams, Moments};
use crate::routes::expanding::ExpandParams;
use crate::routes::listing::Freshness;

query_params! {
    /// Which days of which resource.
    pub(crate) struct AgendaParams {
        /// The resource.
        resource_id: ResourceId,
        /// The day (`YYYY-MM-DD`, in `tz`), or a day of the week.
        date: NaiveDate,
        /// `day`, as where it is left out, or `week`: Monday to Sunday.
        view: Option<Span>,
        /// The IANA zone of the days; else the resource's.
        tz: Option<Tz>,
        ..fresh: Freshness,
    }
}

query_params! {
    /// Which days of which resource, and of which moment.
    pub(crate) struct AgendaAsked {
        ..agenda: AgendaParams,
        ..moment: AsOfParams,
        ..expand: ExpandParams,
    }
}

query_params! {
    /// Which days of which resource, and between which moments.
    pub(crate) struct AgendaDiffAsked {
        ..agenda: AgendaParams,
        ..moments: Moments,
    }
}

/// How many days.
#[derive(Clone, Copy)]
pub(crate) enum Span {
    Day,
    Week,
}

one_of!(Span { "day" => Span::Day, "week" => Span::Week });

/// What is asked for.
pub(super) struct AgendaQuery {
    pub(super) resource_id: ResourceId,
    pub(super) from: LocalDate,
    pub(super) to: LocalDate,
    /// `None`: the resource's.
    pub(super) zone: Option<Tz>,
}

impl AgendaQuery {
    pub(super) fn of(params: &AgendaParams) -> Result<Self, Problem> {
        let date = params.date;
        let (from, to) = match params.view.unwrap_or(Span::Day) {
            Span::Day => (date, date),
            Span::Week => {
                let monday = date - Days::new(date.weekday().num_days_from_monday().into());
                (monday, monday + Days::new(6))
            }
        };
        let (resource_id, zone) = (params.resource_id, params.tz);
        Ok(Self { resource_id, from: known(from)?, to: known(to)?, zone })
    }

    /// The days; `None`: the zone skipped them.
    pub(super) fn within(&self, zone: Tz) -> Option<Interval> {
        day_bounds(zone, self.from.date(), self.to.date())
    }
}

/// A date that the log can keep.
fn known(date: NaiveDate) -> Result<LocalDate, Problem> {
    LocalDate::try_from(date).map_err(|error| invalid_date(format!("date: {error}")))
}
