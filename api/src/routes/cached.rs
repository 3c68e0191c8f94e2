//! Pages that are cached: those of [`ROUTES`](crate::cache::ROUTES). A route waits until its projection has read as far as is asked for, then asks what
//! an answer rests on, and only then looks for one.

use std::future::Future;

use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use daybook_projections::{Basis, ProjectionId};
use daybook_store::Position;
use daybook_store::log::Moment;

use super::as_of::Reading;
use crate::App;
use crate::cache::{CachedPage, Key, Question, if_known};
use crate::http::Problem;

/// What of a moment an answer depends on; not where the log has come to since.
pub(super) fn moment_of(moment: Option<Moment>) -> Option<(Position, DateTime<Utc>)> {
    moment.map(|moment| (moment.position, moment.at))
}

impl App {
    /// What an answer rests on that reads these projections; of now it reads the first alone. `None`: it cannot be cached.
    pub(super) async fn basis(
        &self,
        tenant: &TenantId,
        reading: Reading,
        projections: &[ProjectionId],
    ) -> Result<Option<Basis>, Problem> {
        let pool = self.engine.log().pool();
        if !self.cache.is_on() {
            return Ok(None);
        }
        Ok(match (reading.moment, projections) {
            (Some(moment), _) => Basis::then(pool, tenant, projections, moment.position).await?,
            (None, [first, ..]) => Basis::now(pool, tenant, *first).await?,
            (None, []) => None,
        })
    }

    /// The basis, if all that was read since it was looked up rests on it.
    pub(super) async fn still(&self, basis: Option<Basis>) -> Result<Option<Basis>, Problem> {
        let Some(basis) = basis else { return Ok(None) };
        Ok(basis.stands(self.engine.log().pool()).await?.then_some(basis))
    }

    /// The answer to a question that rests on this basis: that it is as the caller has it, or what is cached, or what the work
    /// comes to.
    pub(super) async fn cached<W>(
        &self,
        (question, basis): (&Question, Option<&Basis>),
        (uri, headers): (&Uri, &HeaderMap),
        work: impl FnOnce() -> W,
    ) -> Result<Response, Problem>
    where
        W: Future<Output = Result<(CachedPage, Option<Key>), Problem>> + Send + 'static,
    {
        let Some(basis) = basis else { return work().await.map(|(page, _)| page.answer(uri)) };
        let key = question.on(basis);
        if let Some(known) = if_known(&key, headers) {
            return Ok(known);
        }
        Ok(self.cache.read(&key, work).await?.answer(uri))
    }
}
