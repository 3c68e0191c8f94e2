//! `as_of`: what was known at a moment of the past.
//!
//! The moment is resolved to the position that the log had come to, in one statement that bisects. A list waits until
//! the appointments projection has read as far, and then searches the rows that were valid at that position, by
//! the clock of the moment; a single aggregate is folded from its stream up to it (`store/src/engine/as_of.rs`).

use axum::http::StatusCode;
use daybook_domain::TenantId;
use daybook_projections::appointments::Appointments;
use daybook_store::Position;
use daybook_store::log::{AsOf, Moment, NoMoment};

use crate::App;
use crate::http::Problem;
use crate::http::query::{invalid, query_params};

query_params! {
    /// Of which moment.
    pub(crate) struct AsOfParams {
        /// As it was known at this moment: RFC 3339 with an offset, or `position:N` for the moment at which
        /// the log had come to its position N. The answer's `Daybook-Position` says of which position it
        /// is. Left out: now.
        as_of: Option<AsOf>,
    }
}

query_params! {
    /// Between which moments.
    pub(crate) struct Moments {
        /// The first moment: RFC 3339 with an offset, or `position:N`.
        from: AsOf,
        /// The second one; left out: now. It may be before the first.
        to: Option<AsOf>,
    }
}

impl App {
    /// The moment that the parameter `name` means.
    pub(super) async fn moment_of(
        &self,
        tenant: &TenantId,
        name: &str,
        as_of: AsOf,
    ) -> Result<Moment, Problem> {
        let now = self.engine.clock().now();
        let moment = self.engine.log().moment(tenant, as_of, now).await?;
        moment.map_err(|none| no_moment(name, none))
    }

    /// The moment that `as_of` means. `None`: now.
    pub(super) async fn moment(
        &self,
        tenant: &TenantId,
        as_of: Option<AsOf>,
    ) -> Result<Option<Moment>, Problem> {
        match as_of {
            Some(as_of) => self.moment_of(tenant, "as_of", as_of).await.map(Some),
            None => Ok(None),
        }
    }

    /// The same, once the history has read as far.
    pub(super) async fn as_of(
        &self,
        tenant: &TenantId,
        as_of: Option<AsOf>,
        min_position: Option<Position>,
    ) -> Result<Option<Moment>, Problem> {
        let Some(moment) = self.moment(tenant, as_of).await? else { return Ok(None) };
        if min_position.is_some() {
            return Err(invalid("min_position", "it is of lists as they are now, without as_of"));
        }
        self.wait_for(tenant, Appointments::ID, moment.position).await?;
        Ok(Some(moment))
    }

    /// The two moments of a comparison.
    pub(super) async fn moments(
        &self,
        tenant: &TenantId,
        Moments { from, to }: Moments,
    ) -> Result<(Moment, Moment), Problem> {
        let from = self.moment_of(tenant, "from", from).await?;
        let to = if let Some(to) = to {
            self.moment_of(tenant, "to", to).await?
        } else {
            let head = self.engine.log().head(tenant).await?.unwrap_or_default();
            Moment { position: head, at: self.engine.clock().now(), head }
        };
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
