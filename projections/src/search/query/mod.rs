//! A page of appointments: from a filter, an order and a cursor to rows.
//!
//! * `plan`: which statement is next, and when the page is full. It runs none itself.
//! * `statement`: the statements and what they answer; `index_scan`: the longest of them.
//! * `key_range`: parts of the order of all appointments.
//! * `recorded`: pages in another order.

mod index_scan;
mod key_range;
mod plan;
mod recorded;
mod statement;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use daybook_store::Position;
use daybook_store::log::Moment;
use daybook_store::personal::{Keyring, KeyringError};
use sqlx::PgPool;

use super::filter::{SearchFilter, SearchTerms, Sort};
use super::row::FoundAppointment;
use super::signature::Signature;
use super::terms::TermsOf;
use super::tokens::TitleTokens;
use crate::appointments::Appointments;
use crate::page::cursor::List;
use crate::page::keyset::{Keyset, StartKey};
use crate::{Cursor, Limit, Page, PageError, Schema};
use plan::SearchPlan;
pub(crate) use recorded::page as recorded_page;

/// All statements of a page look at the same rows, and a page changes none. An estimate that is
/// wrong (a new tenant, two filters that exclude each other) must not end in reading the table. Lists that are put together
/// are sorted, whatever their lengths.
pub(crate) const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
     SET LOCAL enable_seqscan = off;
     SET LOCAL enable_hashagg = off";

/// Which appointments are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// As they are now: the versions that have not ended.
    Now,
    /// As they were after the event at that position: of the versions that each has had, one for each of its
    /// events, the one that was valid then.
    AsOf(Position),
}

/// A table of the projection.
fn table(name: &str) -> String {
    format!("{}.{name}", Schema::of(Appointments::ID))
}

/// What is asked for.
#[derive(Clone)]
pub(crate) struct SearchQuery<'a> {
    tenant: &'a TenantId,
    filter: &'a SearchFilter,
    sort: Sort,
    limit: Limit,
    now: DateTime<Utc>,
    source: Source,
    terms: TermsOf,
    search_terms: SearchTerms,
    /// What stands for each of the words, in their order; none: no personal title is looked for.
    word_tokens: Vec<i64>,
    /// See [`SearchFilter::signatures`].
    signatures: Vec<Vec<Signature>>,
    /// Entries of an index that a scan of all reads for each row that is wanted.
    scan_factor: usize,
}

/// Of what is known now.
const SCAN_FACTOR: u64 = 80;
/// Most of what a scan in order meets was not known long ago, and a scan of terms does not even meet that. So it is
/// the shorter the less was known, down to this.
const MIN_SCAN_FACTOR: usize = 20;
/// A scan of each length is a statement of its own, so these are few.
const SCAN_FACTOR_STEP: usize = 10;

impl<'a> SearchQuery<'a> {
    pub(crate) fn new(
        tenant: &'a TenantId,
        filter: &'a SearchFilter,
        sort: Sort,
        limit: Limit,
        now: DateTime<Utc>,
    ) -> Self {
        let terms = TermsOf::new(tenant);
        let search_terms = filter.search_terms(&terms, &[]);
        let signatures = filter.signatures(&terms, &[]);
        let (source, scan_factor) = (Source::Now, scan_factor(1, 1));
        Self {
            tenant,
            filter,
            sort,
            limit,
            now,
            source,
            terms,
            search_terms,
            word_tokens: Vec::new(),
            signatures,
            scan_factor,
        }
    }

    /// The same among personal titles, too, where words are asked for and there is a secret to make tokens of them.
    pub(crate) async fn with_tokens(self, keyring: Option<&Keyring>) -> Result<Self, sqlx::Error> {
        let Some(keyring) = keyring.filter(|_| self.filter.asks_for_personal_titles()) else {
            return Ok(self);
        };
        let tokens = TitleTokens::of(keyring, self.tenant).await.map_err(KeyringError::read)?;
        Ok(self.finding_by(&tokens))
    }

    fn finding_by(self, tokens: &TitleTokens) -> Self {
        let word_tokens: Vec<i64> =
            self.filter.title.iter().map(|word| tokens.word(word)).collect();
        let search_terms = self.filter.search_terms(&self.terms, &word_tokens);
        let signatures = self.filter.signatures(&self.terms, &word_tokens);
        Self { search_terms, word_tokens, signatures, ..self }
    }

    /// The same among what was known at a moment.
    pub(crate) fn known_at(self, moment: Moment) -> Self {
        let scan_factor = scan_factor(moment.position.get(), moment.head.get());
        Self { source: Source::AsOf(moment.position), scan_factor, ..self }
    }

    /// Which list it is: a page belongs to the moment that its first one was of.
    fn list(&self) -> List {
        let list = self.filter.list(self.tenant, self.sort);
        match self.source {
            Source::Now => list,
            Source::AsOf(position) => list.at(position.get()),
        }
    }
}

/// With the root of the share that was known: with a quarter of the log, a scan is half as long.
fn scan_factor(known: u64, all: u64) -> usize {
    let squared = SCAN_FACTOR * SCAN_FACTOR * known.min(all) / all.max(1);
    let factor = usize::try_from(squared.isqrt()).unwrap_or_default();
    factor.next_multiple_of(SCAN_FACTOR_STEP).max(MIN_SCAN_FACTOR)
}

pub(crate) async fn page(
    pool: &PgPool,
    asked: &SearchQuery<'_>,
    cursor: Option<&Cursor>,
) -> Result<Page<FoundAppointment>, PageError> {
    let keyset = Keyset::new(asked.list(), cursor, asked.limit)?;
    let (items, next) = run(pool, asked, keyset.after().copied()).await?;
    Ok(Page { items, next: next.map(|key| keyset.cursor(&key)) })
}

/// The items of the page after a place, and after which the next page starts.
pub(crate) async fn run(
    pool: &PgPool,
    asked: &SearchQuery<'_>,
    after: Option<StartKey>,
) -> Result<(Vec<FoundAppointment>, Option<StartKey>), sqlx::Error> {
    let mut plan = SearchPlan::new(asked, after);
    let mut tx = pool.begin_with(BEGIN).await?;
    while let Some(statement) = plan.next() {
        plan.take(statement.run(asked, &mut tx).await?);
    }
    tx.commit().await?;
    Ok(plan.page())
}
