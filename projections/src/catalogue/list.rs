//! Pages of services, resources and clients.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use daybook_domain::{Personal, TenantId};
use daybook_store::Position;
use sqlx::postgres::PgRow;
use sqlx::{FromRow as _, PgPool, Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use super::Catalogue;
use super::entity::{CatalogueEntity, CatalogueStatus, Listed};
use super::facets::Facet;
use crate::page::cursor::List;
use crate::page::keyset::{Keyset, StartKey};
use crate::page::part::{Asked, Part, RecordedList};
use crate::search::TitleWords;
use crate::search::query::BEGIN;
use crate::search::terms::TermsOf;
use crate::{Cursor, Limit, Page, PageError, Recorded, RecordedOrder, Schema};

/// How large the documents of a page are, as they are stored: one that begins after so many bytes is on the next
/// page. A resource can have thousands of exceptions.
const MAX_BYTES: u32 = 1024 * 1024;

/// Which of them are asked for, and in which order; what is not given lets all through.
#[derive(Debug, Clone, Default)]
pub struct CatalogueFilter {
    /// These.
    pub ids: BTreeSet<Uuid>,
    pub status: Option<CatalogueStatus>,
    /// It has one of each of these.
    pub facets: Vec<BTreeSet<Facet>>,
    /// Its name has words that begin like these.
    pub name: Option<Personal<TitleWords>>,
    /// Its name has these words themselves.
    pub whole_words: bool,
    pub order: RecordedOrder,
}

impl CatalogueFilter {
    /// Any of these will do; none: nothing is asked for.
    #[must_use]
    pub fn with_any(mut self, facets: impl IntoIterator<Item = Facet>) -> Self {
        let facets: BTreeSet<Facet> = facets.into_iter().collect();
        self.facets.extend((!facets.is_empty()).then_some(facets));
        self
    }

    /// Whether it lets something through, as far as its document says.
    #[must_use]
    pub fn finds<E: CatalogueEntity>(&self, document: &E::Document) -> bool {
        !self.asks_for_terms() || {
            E::found_by(document).has(&self.facets, self.words(), self.whole_words)
        }
    }

    fn asks_for_terms(&self) -> bool {
        !self.facets.is_empty() || self.words().next().is_some()
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.name.iter().filter_map(Personal::reveal).flat_map(TitleWords::iter)
    }

    const fn time(&self) -> &'static str {
        match self.order.by {
            Recorded::Created => "created_at",
            Recorded::Updated => "updated_at",
        }
    }
}

/// In the order in which they were made or changed; whether it is what was asked for, the document decides when it is open.
/// Served by `services_created`, `services_updated` and their like, or
/// with a status by `services_status` and `services_status_updated`; with terms, where they are rare, by
/// `services_found_by`.
pub(super) async fn page<E: CatalogueEntity>(
    pool: &PgPool,
    (tenant, terms): (&TenantId, &TermsOf),
    filter: &CatalogueFilter,
    (cursor, limit): (Option<&Cursor>, Limit),
) -> Result<Page<Listed<E>>, PageError> {
    let keyset = Keyset::new(List::of(tenant, E::TABLE, filter), cursor, limit)?;
    let list = recorded_list::<E>((tenant, terms), filter, keyset, limit);
    let mut tx = pool.begin_with(BEGIN).await?;
    let part = list.part(&mut tx).await?;
    let rows = statement::<E>(&list, &part, "").build().fetch_all(&mut *tx).await?;
    let found: i64 = rows.first().map(|row| row.try_get("found")).transpose()?.unwrap_or_default();
    let is_cut = i64::try_from(rows.len()).is_ok_and(|read| read < found);
    let listed = |row: &PgRow| {
        let listed = Listed::<E>::from_row(row)?;
        let start_at = row.try_get(list.key[0])?;
        Ok::<_, sqlx::Error>((StartKey { start_at, id: E::uuid(listed.id) }, listed))
    };
    let listed = rows.iter().map(listed).collect::<Result<_, _>>()?;
    let mut page = list.keyset.page_of(listed, is_cut);
    if page.next.is_none() {
        let beyond = list.beyond(&part, &mut tx).await?;
        page.next = beyond.map(|last| list.keyset.cursor(&last));
    }
    tx.commit().await?;
    Ok(page)
}

/// In the order in which they were made. Served by `services_created` and its like.
pub(super) async fn ids<E: CatalogueEntity>(
    pool: &PgPool,
    (tenant, terms): (&TenantId, &TermsOf),
    filter: &CatalogueFilter,
    at: Position,
    (cursor, limit): (Option<&Cursor>, Limit),
) -> Result<Page<Uuid>, PageError> {
    let keyset = Keyset::new(List::of(tenant, E::TABLE, filter).at(at.get()), cursor, limit)?;
    let ids = CatalogueFilter { ids: filter.ids.clone(), ..CatalogueFilter::default() };
    let list = recorded_list::<E>((tenant, terms), &ids, keyset, limit);
    let part = list.named().unwrap_or(Part::Whole);
    let mut sql = QueryBuilder::new("");
    list.push_page(&mut sql, &list.key.join(", "), &part);
    let found: Vec<(DateTime<Utc>, Uuid)> = sql.build_query_as().fetch_all(pool).await?;
    let found = found.into_iter().map(|(start_at, id)| (StartKey { start_at, id }, id));
    Ok(list.keyset.page(found.collect()))
}

/// Served by the primary key.
pub(super) async fn some<E: CatalogueEntity>(
    pool: &PgPool,
    tenant: &TenantId,
    ids: &BTreeSet<Uuid>,
) -> Result<Vec<Listed<E>>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (schema, table, id) = (Schema::of(Catalogue::ID), E::TABLE, E::ID);
    let sql = format!("SELECT * FROM {schema}.{table} WHERE tenant_id = $1 AND {id} = ANY($2)");
    let rows = sqlx::query(&sql)
        .bind(tenant.as_str())
        .bind(ids.iter().copied().collect::<Vec<_>>())
        .fetch_all(pool)
        .await?;
    rows.iter().map(Listed::from_row).collect()
}

/// What is asked for, and the terms of the tenant.
pub(super) struct AskedOf<'a> {
    filter: &'a CatalogueFilter,
    terms: &'a TermsOf,
}

pub(super) fn recorded_list<'a, E: CatalogueEntity>(
    (tenant, terms): (&'a TenantId, &'a TermsOf),
    filter: &'a CatalogueFilter,
    keyset: Keyset<StartKey>,
    limit: Limit,
) -> RecordedList<'a, AskedOf<'a>> {
    RecordedList {
        tenant,
        table: format!("{}.{}", Schema::of(Catalogue::ID), E::TABLE),
        rows: "",
        key: [filter.time(), E::ID],
        order: filter.order,
        keyset: keyset.descending(filter.order.descending),
        limit,
        asked: AskedOf { filter, terms },
    }
}

impl Asked for AskedOf<'_> {
    fn ids(&self) -> BTreeSet<Uuid> {
        self.filter.ids.clone()
    }

    /// Without terms it is: a status has an index in each order.
    fn is_all_in_order(&self) -> bool {
        true
    }

    fn push_terms<'q>(&'q self, sql: &mut QueryBuilder<'q, Postgres>) -> bool {
        for any in &self.filter.facets {
            let any: Vec<i64> = any.iter().map(|facet| facet.term(self.terms)).collect();
            sql.push(" AND found_by && ").push_bind(any);
        }
        let words: Vec<i64> = self.filter.words().map(|word| self.terms.beginning(word)).collect();
        if !words.is_empty() {
            sql.push(" AND found_by @> ").push_bind(words);
        }
        self.filter.asks_for_terms()
    }

    fn push_conditions<'q>(&'q self, sql: &mut QueryBuilder<'q, Postgres>) {
        if let Some(status) = self.filter.status {
            sql.push(" AND status = ").push_bind(status.as_str());
        }
        self.push_terms(sql);
    }
}

/// The page, as far as its documents go. How many rows there are up to the limit is counted before they are cut.
pub(super) fn statement<'q, E: CatalogueEntity>(
    list: &'q RecordedList<'_, AskedOf<'_>>,
    part: &Part,
    prefix: &str,
) -> QueryBuilder<'q, Postgres> {
    let (document, order) = (E::DOCUMENT, list.by());
    let mut sql = QueryBuilder::new(format!(
        "{prefix}SELECT * FROM (
            SELECT *, count(*) OVER () AS found,
                   sum(bytes) OVER (ORDER BY {order}) - bytes AS bytes_before FROM ("
    ));
    list.push_page(&mut sql, &format!("*, pg_column_size({document}) AS bytes"), part);
    sql.push(format!(") AS page) AS sized WHERE bytes_before < {MAX_BYTES} ORDER BY {order}"));
    sql
}
