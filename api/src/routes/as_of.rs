//! `as_of`: what was known at a moment of the past.
//!
//! The moment is resolved to the position that the log had come to, in one statement that bisects. A list waits until
//! its projection has read as far, and is then of what was so at that position, by the clock of the moment: of rows
//! that have been kept, or else of streams that are folded up to it (`store/src/engine/as_of.rs`).

use axum::http::StatusCode;
use chrono::TimeDelta;
use chrono_tz::Tz;
use daybook_domain::TenantId;
use daybook_projections::ProjectionId;
use daybook_projections::appointments::Appointments;
use daybook_store::Position;
use daybook_store::feed::Boundary;
use daybook_store::log::{AsOf, Moment, NoMoment};
use serde_json::json;
use utoipa::openapi::schema::Schema;

use super::listing::Freshness;
use crate::App;
use crate::http::Problem;
use crate::http::query::{Value, invalid, of_our_format, query_params};

query_params! {
    /// Of which moment.
    pub(crate) struct AsOfParams {
        /// As it was known at this moment: RFC 3339 with an offset; `YYYY-MM-DD` for the end of that day, or for now
        /// where it is today (in `tz`, if there is one, else in the tenant's zone); or `position:N` for the
        /// moment at which the log had come to its position N. The answer's `Daybook-Position` says of which
        /// position it is. Left out: now.
        as_of: Option<NamedMoment>,
    }
}

query_params! {
    /// Between which moments.
    pub(crate) struct Moments {
        /// The first moment, named as for `as_of`.
        from: NamedMoment,
        /// The second one; left out: `as_of`. It may be before the first.
        to: Option<NamedMoment>,
        ..known: AsOfParams,
    }
}

/// A moment, as it is named by who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NamedMoment {
    /// Just after the event at this position.
    Position(Position),
    /// What had been recorded by then: by an instant, or by the end of a day.
    Recorded(Boundary),
}

impl Value for NamedMoment {
    fn read(name: &'static str, text: &str) -> Result<Self, Problem> {
        let moment = match text.strip_prefix("position:") {
            // Its parser would take a sign.
            Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                number.parse().ok().map(Self::Position)
            }
            Some(_) => None,
            None => text.parse().ok().map(Self::Recorded),
        };
        let why = "it is an instant (RFC 3339, with an offset), a date (YYYY-MM-DD) or position:N";
        moment.ok_or_else(|| invalid(name, why))
    }

    fn schema() -> Schema {
        let example = [json!("position:17"), json!("2026-12-01")];
        of_our_format("moment").examples(example).build().into()
    }
}

/// What a list is to be of.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    /// `None`: of now.
    pub(super) moment: Option<Moment>,
    /// The position that it is of; of now, at least.
    pub(super) position: Position,
}

impl App {
    /// The moment that the parameter `name` means; `None`: now.
    async fn named_moment(
        &self,
        tenant: &TenantId,
        name: &str,
        named: NamedMoment,
        tz: Option<Tz>,
    ) -> Result<Option<Moment>, Problem> {
        let now = self.engine.clock().now();
        let as_of = match named {
            NamedMoment::Position(position) => AsOf::Position(position),
            NamedMoment::Recorded(Boundary::Instant(at)) => AsOf::Instant(at),
            NamedMoment::Recorded(day @ Boundary::Day(_)) => {
                let zone = match tz {
                    Some(zone) => zone,
                    None => self.zone_of(tenant).await?,
                };
                if day.from(zone) <= now && now < day.to(zone) {
                    return Ok(None);
                }
                // The log keeps microseconds.
                AsOf::Instant(day.to(zone) - TimeDelta::microseconds(1))
            }
        };
        let moment = self.engine.log().moment(tenant, as_of, now).await?;
        moment.map(Some).map_err(|none| no_moment(name, none))
    }

    /// The moment that `as_of` means, days in this zone or else the tenant's. `None`: now.
    pub(super) async fn moment(
        &self,
        tenant: &TenantId,
        as_of: Option<NamedMoment>,
        tz: Option<Tz>,
    ) -> Result<Option<Moment>, Problem> {
        match as_of {
            Some(named) => self.named_moment(tenant, "as_of", named, tz).await,
            None => Ok(None),
        }
    }

    /// The same, once the history has read as far.
    pub(super) async fn as_of(
        &self,
        tenant: &TenantId,
        as_of: Option<NamedMoment>,
        tz: Option<Tz>,
    ) -> Result<Option<Moment>, Problem> {
        let moment = self.moment(tenant, as_of, tz).await?;
        if let Some(moment) = moment {
            self.wait_for(tenant, Appointments::ID, moment.position).await?;
        }
        Ok(moment)
    }

    /// What a list of a projection is to be of, once that has read as far.
    pub(super) async fn reading(
        &self,
        tenant: &TenantId,
        (as_of, tz): (Option<NamedMoment>, Option<Tz>),
        fresh: Freshness,
        projection: ProjectionId,
    ) -> Result<Reading, Problem> {
        let Some(moment) = self.moment(tenant, as_of, tz).await? else {
            let position = self.wait(tenant, projection, fresh).await?;
            return Ok(Reading { moment: None, position });
        };
        if fresh.min_position.is_some() {
            return Err(invalid("min_position", "it is of lists as they are now, without as_of"));
        }
        self.wait_for(tenant, projection, moment.position).await?;
        Ok(Reading { moment: Some(moment), position: moment.position })
    }

    /// The two moments of a comparison.
    pub(super) async fn moments(
        &self,
        tenant: &TenantId,
        Moments { from, to, known: AsOfParams { as_of } }: Moments,
        tz: Option<Tz>,
    ) -> Result<(Moment, Moment), Problem> {
        let head = self.engine.log().head(tenant).await?.unwrap_or_default();
        let now = Moment { position: head, at: self.engine.clock().now(), head };
        let known = self.moment(tenant, as_of, tz).await?.unwrap_or(now);
        let from = self.named_moment(tenant, "from", from, tz).await?.unwrap_or(now);
        let to = match to {
            Some(to) => self.named_moment(tenant, "to", to, tz).await?.unwrap_or(now),
            None => known,
        };
        for (name, moment) in [("from", from), ("to", to)] {
            if moment.position > known.position {
                return Err(invalid(name, "it is after as_of"));
            }
        }
        Ok((from, to))
    }

    /// Now, at the position up to which the history has read.
    pub(super) async fn now_in_history(&self, tenant: &TenantId) -> Result<Moment, Problem> {
        let position: Position = self.progress.position(tenant, Appointments::ID).await?;
        Ok(Moment { position, at: self.engine.clock().now(), head: position })
    }
}

fn no_moment(name: &str, none: NoMoment) -> Problem {
    let (slug, title) = match none {
        NoMoment::Future { .. } => ("moment-ahead", "The moment has not come"),
        NoMoment::NoPosition { .. } => ("position-ahead", "There is no such position"),
    };
    let problem = Problem::new(StatusCode::BAD_REQUEST, slug, title, format!("{name}: {none}"));
    match none {
        NoMoment::Future { now } => problem.with("now", now.to_rfc3339()),
        NoMoment::NoPosition { head } => problem.with("head", head.get()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_an_instant_a_day_or_a_position() {
        let read = |text| NamedMoment::read("as_of", text).ok();
        assert_eq!(read("position:17"), Some(NamedMoment::Position("17".parse().unwrap())));
        for recorded in ["2026-12-01T09:00:00Z", "2026-12-01T10:00:00+01:00", "2026-12-01"] {
            let boundary = recorded.parse().unwrap();
            assert_eq!(read(recorded), Some(NamedMoment::Recorded(boundary)));
        }
        for bad in [
            "17",
            "position:",
            "position:+1",
            "position:-1",
            "2026-02-30",
            "2026-12-01T10:00",
            "now",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
