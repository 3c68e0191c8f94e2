//! `as_of`: what was known at a moment of the past.

use axum::http::StatusCode;
use daybook_domain::TenantId;
use daybook_projections::history::History;
use daybook_store::Position;
use daybook_store::log::{AsOf, Moment, NoMoment};
use utoipa::IntoParams;

use crate::App;
use crate::http::params::invalid;
use crate::http::{Params, Problem, instant};

/// Which moment, for the documentation.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by `App::as_of`; this is how it is documented")]
pub(super) struct AsOfParam {
    /// As it was known at this moment: RFC 3339 with an offset, or `position:N` for the moment at which
    /// the log had come to its position N. The answer's `Daybook-Position` says of which position it
    /// is. Left out: now.
    #[param(example = "position:17")]
    as_of: Option<String>,
}

/// Reads a moment.
fn parse(text: &str) -> Option<AsOf> {
    match text.strip_prefix("position:") {
        // Its parser would take a sign.
        Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            number.parse().ok().map(AsOf::Position)
        }
        Some(_) => None,
        None => instant::parse(text).map(AsOf::Instant),
    }
}

impl App {
    /// Takes a moment out of the query. `None`: now is meant.
    pub(super) async fn moment(
        &self,
        tenant: &TenantId,
        params: &mut Params,
        name: &str,
    ) -> Result<Option<Moment>, Problem> {
        match params.text(name)? {
            Some(text) => self.moment_of(tenant, name, &text).await.map(Some),
            None => Ok(None),
        }
    }

    /// The moment that a text names.
    pub(super) async fn moment_of(
        &self,
        tenant: &TenantId,
        name: &str,
        text: &str,
    ) -> Result<Moment, Problem> {
        let why = "it is an instant (RFC 3339, with an offset) or position:N";
        let as_of = parse(text).ok_or_else(|| invalid(name, why))?;
        let now = self.engine.clock().now();
        let moment = self.engine.log().moment(tenant, as_of, now).await?;
        moment.map_err(|none| no_moment(name, none))
    }

    /// Takes `as_of` out of the query, and waits until the history has read as far.
    pub(super) async fn as_of(
        &self,
        tenant: &TenantId,
        params: &mut Params,
    ) -> Result<Option<Moment>, Problem> {
        let Some(moment) = self.moment(tenant, params, "as_of").await? else { return Ok(None) };
        if params.text("min_position")?.is_some() {
            return Err(invalid("min_position", "it is of lists as they are now, without as_of"));
        }
        self.wait_for(tenant, History::ID, moment.position).await?;
        Ok(Some(moment))
    }

    /// Takes the two moments of a comparison, `from` and `to`, out of the query.
    pub(super) async fn moments(
        &self,
        tenant: &TenantId,
        params: &mut Params,
    ) -> Result<(Moment, Moment), Problem> {
        let from = self.moment(tenant, params, "from").await?;
        let from = from.ok_or_else(|| invalid("from", "it must be given"))?;
        let to = if let Some(to) = self.moment(tenant, params, "to").await? {
            to
        } else {
            let head = self.engine.log().head(tenant).await?.unwrap_or_default();
            Moment { position: head, at: self.engine.clock().now(), head }
        };
        Ok((from, to))
    }

    /// Now, at the position up to which the history has read.
    pub(super) async fn now_in_history(&self, tenant: &TenantId) -> Result<Moment, Problem> {
        let position: Position = self.progress.position(tenant, History::ID).await?;
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
    fn a_moment_is_an_instant_or_a_position() {
        assert_eq!(parse("position:17"), Some(AsOf::Position("17".parse().unwrap())));
        let instant = instant::parse("2026-12-01T10:00:00+01:00").unwrap();
        assert_eq!(parse("2026-12-01T09:00:00Z"), Some(AsOf::Instant(instant)));
        for bad in ["", "17", "position:", "position:+1", "position:-1", "2026-12-01", "now"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
