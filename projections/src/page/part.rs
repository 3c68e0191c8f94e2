//! Lists in the order in which their items were made or changed, of which a filter lets some through.
//!
//! No index has both such an order and such a filter. So what an inverted index finds is sorted where it is rare; where it
//! is common, the list is read in order, a bounded part of it for each page, which may then have fewer items than it
//! could. No page reads more than a small multiple of what it can have, and no estimate is needed of which it is: see
//! `docs/adr/0046-a-list-in-another-order-sorts-what-is-rare.md`.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use sqlx::{Executor as _, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::keyset::{Keyset, StartKey};
use super::{Limit, RecordedOrder};

/// As many matches of an inverted index as this are sorted.
pub(crate) const RARE: usize = 1_000;

/// Rows of a list that are read in order for each that a page can have.
pub(crate) const SCAN_FACTOR: usize = 20;

/// An inverted index is read by bitmaps, all others are not: where many match, the planner would rather read another index,
/// from end to end, until enough of them have come by.
pub(crate) const BY_TERMS_ONLY: &str =
    "SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off";
pub(crate) const BY_ANY_INDEX: &str =
    "SET LOCAL enable_indexscan = on; SET LOCAL enable_indexonlyscan = on";

/// Which items of a list are asked for.
pub(crate) trait Asked {
    /// These at most, each once; none: whichever.
    fn ids(&self) -> BTreeSet<Uuid>;

    /// Whether the index that is in the order of the list is of those that are asked for.
    fn is_all_in_order(&self) -> bool;

    /// What an inverted index knows of it: ` AND` and a condition on terms, as often as needed. Whether there is any.
    fn push_terms<'q>(&'q self, sql: &mut QueryBuilder<'q, Postgres>) -> bool;

    /// All of it: ` AND` and a condition on the columns of a row, as often as needed.
    fn push_conditions<'q>(&'q self, sql: &mut QueryBuilder<'q, Postgres>);
}

/// A page of such a list.
pub(crate) struct RecordedList<'a, A> {
    pub(crate) tenant: &'a TenantId,
    /// The table, with its schema.
    pub(crate) table: String,
    /// Which of its rows are on the list at all: ` AND` and a condition, or nothing.
    pub(crate) rows: &'static str,
    /// The columns of the order: the instant, and the id.
    pub(crate) key: [&'static str; 2],
    pub(crate) order: RecordedOrder,
    pub(crate) keyset: Keyset<StartKey>,
    pub(crate) limit: Limit,
    pub(crate) asked: A,
}

/// Which part of the list the page is made from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All that comes after the pages before.
    Whole,
    /// These of it.
    These(Vec<Uuid>),
    /// The first so many of it.
    First(usize),
}

impl<A: Asked> RecordedList<'_, A> {
    /// Which part has the page.
    pub(crate) async fn part(&self, connection: &mut PgConnection) -> Result<Part, sqlx::Error> {
        if let Some(these) = self.named() {
            return Ok(these);
        }
        let Some(mut sql) = self.matches("") else {
            let whole = self.asked.is_all_in_order();
            return Ok(if whole { Part::Whole } else { self.first() });
        };
        connection.execute(BY_TERMS_ONLY).await?;
        let found: Vec<(DateTime<Utc>, Uuid, bool)> =
            sql.build_query_as().fetch_all(&mut *connection).await?;
        connection.execute(BY_ANY_INDEX).await?;
        if found.len() > RARE {
            return Ok(self.first());
        }
        let found = found.into_iter().filter(|(.., matches)| *matches);
        let mut found: Vec<_> = found.map(|(at, id, _)| (at, id)).collect();
        found.sort_unstable();
        if self.order.descending {
            found.reverse();
        }
        found.truncate(self.limit.items() + 1);
        Ok(Part::These(found.into_iter().map(|(_, id)| id).collect()))
    }

    /// Those that are asked for by their ids; `None`: whichever.
    pub(crate) fn named(&self) -> Option<Part> {
        let ids = self.asked.ids();
        (!ids.is_empty()).then(|| Part::These(ids.into_iter().collect()))
    }

    const fn first(&self) -> Part {
        Part::First(SCAN_FACTOR * (self.limit.items() + 1))
    }

    /// The rows that an inverted index finds, one more than are rare at most, and whether each is on the page or after it;
    /// `None`: there is nothing to look for. What it does not know is no condition: rows that fail it would be read
    /// without an end. The collation keeps away the indexes that begin with the tenant. To be run [`BY_TERMS_ONLY`].
    pub(crate) fn matches(&self, prefix: &str) -> Option<QueryBuilder<'_, Postgres>> {
        let mut sql = QueryBuilder::new(format!("{prefix}SELECT {}, (true", self.columns()));
        self.push_after(&mut sql);
        self.asked.push_conditions(&mut sql);
        sql.push(format!(") AS matches FROM {} WHERE tenant_id = ", self.table));
        sql.push_bind(self.tenant.as_str()).push(format!(" COLLATE \"C\"{}", self.rows));
        let there_are_terms = self.asked.push_terms(&mut sql);
        sql.push(format!(" LIMIT {RARE} + 1"));
        there_are_terms.then_some(sql)
    }

    /// These columns of the rows of the page, and of one more if there is one.
    pub(crate) fn push_page<'q>(
        &'q self,
        sql: &mut QueryBuilder<'q, Postgres>,
        columns: &str,
        part: &Part,
    ) {
        sql.push(format!("SELECT {columns} FROM "));
        match part {
            Part::Whole => self.push_rows(sql),
            // One by one, each by its id: else the planner may read the whole list in order until it has met them.
            Part::These(ids) => {
                sql.push("(SELECT item.* FROM unnest(").push_bind(ids.clone());
                sql.push(") AS named (id) CROSS JOIN LATERAL (SELECT * FROM ");
                self.push_rows(sql);
                sql.push(format!(
                    " AND {} = named.id OFFSET 0) AS item) AS these WHERE true",
                    self.key[1]
                ));
            }
            Part::First(places) => {
                sql.push("(SELECT * FROM ");
                self.push_rows(sql);
                sql.push(format!(" ORDER BY {} LIMIT {places}) AS scanned WHERE true", self.by()));
            }
        }
        self.asked.push_conditions(sql);
        self.keyset.push_order(sql, &self.columns());
    }

    /// Where the next page starts, if this one, which is not full, had not all: after the last place that was read.
    pub(crate) async fn beyond(
        &self,
        part: &Part,
        connection: &mut PgConnection,
    ) -> Result<Option<StartKey>, sqlx::Error> {
        let Part::First(places) = part else { return Ok(None) };
        let mut sql = self.last_of(*places, "");
        let last: Option<(DateTime<Utc>, Uuid)> =
            sql.build_query_as().fetch_optional(connection).await?;
        Ok(last.map(|(start_at, id)| StartKey { start_at, id }))
    }

    /// The last of so many places; none if there are fewer.
    pub(crate) fn last_of(&self, places: usize, prefix: &str) -> QueryBuilder<'_, Postgres> {
        let mut sql = QueryBuilder::new(format!("{prefix}SELECT {} FROM ", self.columns()));
        self.push_rows(&mut sql);
        sql.push(format!(" ORDER BY {} OFFSET {} LIMIT 1", self.by(), places - 1));
        sql
    }

    /// What comes after the pages before.
    fn push_rows<'q>(&'q self, sql: &mut QueryBuilder<'q, Postgres>) {
        sql.push(format!("{} WHERE tenant_id = ", self.table));
        sql.push_bind(self.tenant.as_str()).push(self.rows);
        self.push_after(sql);
    }

    fn push_after<'q>(&'q self, sql: &mut QueryBuilder<'q, Postgres>) {
        self.keyset.push_after(sql, &self.columns());
        if let Some(since) = self.order.since {
            sql.push(format!(" AND {} >= ", self.key[0])).push_bind(since);
        }
    }

    fn columns(&self) -> String {
        self.key.join(", ")
    }

    /// The order of the list.
    pub(crate) fn by(&self) -> String {
        self.keyset.order(&self.columns())
    }
}
