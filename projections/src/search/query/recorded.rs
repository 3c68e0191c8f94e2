//! A page of appointments in the order in which they were made or changed, as they are now.

use std::collections::BTreeSet;

use sqlx::{FromRow as _, PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use super::super::row::{COLUMNS, FoundAppointment};
use super::super::terms::SpanLevel;
use super::statement::push_words;
use super::{BEGIN, SearchQuery, table};
use crate::page::keyset::{Keyset, StartKey};
use crate::page::part::{Asked, RecordedList};
use crate::{Cursor, Page, PageError, Recorded, RecordedOrder};

/// The longest time of starts that is made of few spans.
const MAX_SPAN_DAYS: i64 = 3_660;

/// Served by `current_terms` where few have what is asked for, else by `current_created` or `current_updated`.
pub(crate) async fn page(
    pool: &PgPool,
    asked: &SearchQuery<'_>,
    order: RecordedOrder,
    cursor: Option<&Cursor>,
) -> Result<Page<FoundAppointment>, PageError> {
    let list = recorded_list(asked, order, cursor)?;
    let mut tx = pool.begin_with(BEGIN).await?;
    let part = list.part(&mut tx).await?;
    let mut sql = QueryBuilder::new("");
    list.push_page(&mut sql, &COLUMNS.join(", "), &part);
    let rows = sql.build().fetch_all(&mut *tx).await?;
    let found = rows.iter().map(|row| {
        let found = FoundAppointment::from_row(row)?;
        let start_at = match order.by {
            Recorded::Created => found.created_at,
            Recorded::Updated => found.updated_at,
        };
        Ok::<_, sqlx::Error>((StartKey { start_at, id: found.appointment_id.uuid() }, found))
    });
    let mut page = list.keyset.page(found.collect::<Result<_, _>>()?);
    if page.next.is_none() {
        let beyond = list.beyond(&part, &mut tx).await?;
        page.next = beyond.map(|last| list.keyset.cursor(&last));
    }
    tx.commit().await?;
    page.items.iter_mut().for_each(|found| found.show_at(asked.now));
    Ok(page)
}

/// The list that a page of is asked for.
pub(super) fn recorded_list<'a>(
    asked: &'a SearchQuery<'a>,
    order: RecordedOrder,
    cursor: Option<&Cursor>,
) -> Result<RecordedList<'a, &'a SearchQuery<'a>>, PageError> {
    let list = asked.filter.recorded_list(asked.tenant, order);
    let keyset = Keyset::new(list, cursor, asked.limit)?.descending(order.descending);
    let time = match order.by {
        Recorded::Created => "created_at",
        Recorded::Updated => "recorded_at",
    };
    Ok(RecordedList {
        tenant: asked.tenant,
        table: table("appointments"),
        rows: " AND until_position IS NULL",
        key: [time, "appointment_id"],
        order,
        keyset,
        limit: asked.limit,
        asked,
    })
}

impl Asked for &SearchQuery<'_> {
    fn ids(&self) -> BTreeSet<Uuid> {
        self.filter.ids.iter().map(|id| id.uuid()).collect()
    }

    fn is_all_in_order(&self) -> bool {
        false
    }

    fn push_terms<'q>(&'q self, sql: &mut QueryBuilder<'q, Postgres>) -> bool {
        let mut there_are = false;
        if let Some((from, to)) = self.filter.from.zip(self.filter.to)
            && (0..=MAX_SPAN_DAYS).contains(&(to - from).num_days())
        {
            let spans = SpanLevel::cover(from, to).into_iter();
            let spans: Vec<i64> = spans.map(|(level, n)| self.terms.span(level, n)).collect();
            sql.push(" AND terms && ").push_bind(spans);
            there_are = true;
        }
        if !self.search_terms.all.is_empty() {
            sql.push(" AND terms @> ").push_bind(&self.search_terms.all);
            there_are = true;
        }
        for any in &self.search_terms.any {
            sql.push(" AND terms && ").push_bind(any);
            there_are = true;
        }
        there_are
    }

    fn push_conditions<'q>(&'q self, sql: &mut QueryBuilder<'q, Postgres>) {
        if let Some(from) = self.filter.from {
            sql.push(" AND start_at >= ").push_bind(from);
        }
        if let Some(to) = self.filter.to {
            sql.push(" AND start_at < ").push_bind(to);
        }
        self.filter.push_conditions(sql, self.now);
        push_words(sql, self);
    }
}
