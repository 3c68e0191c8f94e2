//! Keyset paging: a list in the order of its key, each page after the last key of the one before.
//!
//! Not by the number of rows before it, as `OFFSET` does: rows come and go while pages are read, and
//! an index leads straight to a key.

use chrono::{DateTime, Utc};
use daybook_store::Position;
use sqlx::query_builder::Separated;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::cursor::{Cursor, CursorError, List};
use super::{Limit, Page};

/// What a list is ordered by: no two of its items have the same.
pub(crate) trait Key: Sized {
    /// The most bytes that one is encoded in.
    const MAX_BYTES: usize;

    fn encode(&self) -> Vec<u8>;
    /// `None`: no key is encoded so.
    fn decode(bytes: &[u8]) -> Option<Self>;
    /// Binds its values, in the order of the list's columns.
    fn bind(&self, values: &mut Separated<'_, '_, Postgres, &'static str>);
}

/// How several lists are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Union {
    /// No item is on two of them.
    All,
    /// Those that are on several are there once.
    Once,
}

/// A page that is asked for, of a list that is ordered by `K`.
#[derive(Debug, Clone)]
pub(crate) struct Keyset<K> {
    list: List,
    after: Option<K>,
    limit: Limit,
    descending: bool,
}

impl<K: Key> Keyset<K> {
    /// # Errors
    /// When the cursor is not one of this list.
    pub(crate) fn new(
        list: List,
        cursor: Option<&Cursor>,
        limit: Limit,
    ) -> Result<Self, CursorError> {
        let decoded = |cursor: &Cursor| {
            let key = cursor.open(list, K::MAX_BYTES)?;
            K::decode(&key).ok_or(CursorError::Damaged)
        };
        Ok(Self { list, after: cursor.map(decoded).transpose()?, limit, descending: false })
    }

    /// The other way round, where it is: the greatest key first.
    pub(crate) fn descending(self, descending: bool) -> Self {
        Self { descending, ..self }
    }

    /// The key after which the page starts; `None`: at the beginning.
    pub(crate) const fn after(&self) -> Option<&K> {
        self.after.as_ref()
    }

    /// The cursor of the page that starts after this key.
    pub(crate) fn cursor(&self, key: &K) -> Cursor {
        Cursor::seal(self.list, &key.encode())
    }

    /// Leaves out what the pages before had: `AND (columns) > (key)`.
    pub(crate) fn push_after(&self, sql: &mut QueryBuilder<'_, Postgres>, columns: &str) {
        let Some(key) = &self.after else { return };
        let after = if self.descending { "<" } else { ">" };
        sql.push(format!(" AND ({columns}) {after} ("));
        key.bind(&mut sql.separated(", "));
        sql.push(")");
    }

    /// A list of what belongs to any of several values: the first rows of the list of each, which an index is in the order
    /// of. A condition on all values at once would read their lists to the end. `push` pushes the statement of one list
    /// without its order, or of the whole list where there is no value; `union` says whether an item can be on several.
    pub(crate) fn push_each<'q, T>(
        &self,
        sql: &mut QueryBuilder<'q, Postgres>,
        (values, union): (&[T], Union),
        columns: &str,
        mut push: impl FnMut(&mut QueryBuilder<'q, Postgres>, Option<&T>),
    ) {
        if values.len() > 1 {
            sql.push("SELECT * FROM (");
            for (n, value) in values.iter().enumerate() {
                let union = if union == Union::Once { "UNION" } else { "UNION ALL" };
                sql.push(if n == 0 { "(".to_owned() } else { format!(" {union} (") });
                push(sql, Some(value));
                self.push_order(sql, columns);
                sql.push(")");
            }
            sql.push(") AS any_of_them");
        } else {
            push(sql, values.first());
        }
        self.push_order(sql, columns);
    }

    /// The order of the list.
    pub(crate) fn order(&self, columns: &str) -> String {
        if self.descending {
            format!("{} DESC", columns.replace(", ", " DESC, "))
        } else {
            columns.to_owned()
        }
    }

    /// Orders by the key, and reads one row more than the page has: whether there is a next page.
    pub(crate) fn push_order(&self, sql: &mut QueryBuilder<'_, Postgres>, columns: &str) {
        sql.push(format!(" ORDER BY {} LIMIT {}", self.order(columns), self.limit.items() + 1));
    }

    /// The page of the rows that were read so, each with its key.
    pub(crate) fn page<T>(&self, rows: Vec<(K, T)>) -> Page<T> {
        self.page_of(rows, false)
    }

    /// The same, where the rows may end early: `is_cut` says that there are more.
    pub(crate) fn page_of<T>(&self, rows: Vec<(K, T)>, is_cut: bool) -> Page<T> {
        let more = is_cut || rows.len() > self.limit.items();
        let items = rows.len().min(self.limit.items());
        let last = items.checked_sub(1).and_then(|last| rows.get(last)).filter(|_| more);
        let next = last.map(|(key, _)| self.cursor(key));
        let items = rows.into_iter().take(items).map(|(_, item)| item).collect();
        Page { items, next }
    }
}

/// In the order in which things were made, as ids are UUIDs of version 7.
impl Key for Uuid {
    const MAX_BYTES: usize = 16;

    fn encode(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        Self::from_slice(bytes).ok()
    }

    fn bind(&self, values: &mut Separated<'_, '_, Postgres, &'static str>) {
        values.push_bind(*self);
    }
}

/// In the order of the log.
impl Key for Position {
    const MAX_BYTES: usize = 8;

    fn encode(&self) -> Vec<u8> {
        self.as_i64().to_be_bytes().to_vec()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        Some(Self::from_i64(i64::from_be_bytes(bytes.try_into().ok()?)))
    }

    fn bind(&self, values: &mut Separated<'_, '_, Postgres, &'static str>) {
        values.push_bind(self.as_i64());
    }
}

/// What PostgreSQL takes for an instant starts in 4714 BC; what chrono does starts earlier.
pub(crate) const EARLIEST_SECONDS: i64 = -210_866_803_200;

/// By start, and by id where several start together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StartKey {
    pub(crate) start_at: DateTime<Utc>,
    pub(crate) id: Uuid,
}

impl StartKey {
    /// Between all that start before this instant and all that start at it or later.
    pub(crate) const fn just_before(start_at: DateTime<Utc>) -> Self {
        Self { start_at, id: Uuid::nil() }
    }
}

impl Key for StartKey {
    const MAX_BYTES: usize = 8 + 16;

    fn encode(&self) -> Vec<u8> {
        let micros = self.start_at.timestamp_micros().to_be_bytes();
        micros.into_iter().chain(*self.id.as_bytes()).collect()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (micros, id) = bytes.split_first_chunk()?;
        let start_at = DateTime::from_timestamp_micros(i64::from_be_bytes(*micros))?;
        let start_at = (start_at.timestamp() >= EARLIEST_SECONDS).then_some(start_at)?;
        Some(Self { start_at, id: Uuid::from_slice(id).ok()? })
    }

    fn bind(&self, values: &mut Separated<'_, '_, Postgres, &'static str>) {
        values.push_bind(self.start_at).push_bind(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(cursor: Option<&Cursor>) -> Keyset<Position> {
        let list = List::of(&"north".parse().unwrap(), "entries", &());
        Keyset::new(list, cursor, Limit::new(2).unwrap()).unwrap()
    }

    #[test]
    fn an_instant_that_postgresql_has_none_of_is_no_start() {
        let key = |seconds| StartKey {
            start_at: DateTime::from_timestamp(seconds, 0).unwrap(),
            id: Uuid::nil(),
        };
        let earliest = key(EARLIEST_SECONDS);
        assert_eq!(StartKey::decode(&earliest.encode()), Some(earliest));
        assert_eq!(StartKey::decode(&key(EARLIEST_SECONDS - 1).encode()), None);
    }

    fn rows(positions: &[i64]) -> Vec<(Position, i64)> {
        positions.iter().map(|at| (Position::from_i64(*at), *at)).collect()
    }

    #[test]
    fn the_next_page_starts_after_the_last_item_of_a_page_that_is_not_the_last() {
        let page = asked(None).page(rows(&[3, 5, 8]));
        assert_eq!(page.items, [3, 5]);
        assert_eq!(asked(page.next.as_ref()).after(), Some(&Position::from_i64(5)));
        for last in [vec![], rows(&[3]), rows(&[3, 5])] {
            assert_eq!(asked(None).page(last).next, None);
        }
    }

    #[test]
    fn a_page_that_was_cut_short_has_a_next_one() {
        let page = asked(None).page_of(rows(&[3]), true);
        assert_eq!(asked(page.next.as_ref()).after(), Some(&Position::from_i64(3)));
    }

    #[test]
    fn the_statement_goes_on_after_the_key_and_reads_one_row_more() {
        let next = asked(None).page(rows(&[3, 5, 8])).next;
        for (cursor, condition) in [(None, ""), (next.as_ref(), " AND (turn) > ($1)")] {
            let mut sql = QueryBuilder::new("");
            asked(cursor).push_after(&mut sql, "turn");
            asked(cursor).push_order(&mut sql, "turn");
            assert_eq!(sql.sql(), format!("{condition} ORDER BY turn LIMIT 3"));
        }
    }

    #[test]
    fn of_several_lists_each_is_read_only_as_far_as_the_page_may_need() {
        let sql = |values: &[i64]| {
            let mut sql = QueryBuilder::new("");
            asked(None).push_each(&mut sql, (values, Union::All), "turn", |sql, value| {
                sql.push("SELECT turn FROM entries");
                if let Some(value) = value {
                    sql.push(" WHERE kind = ").push_bind(*value);
                }
            });
            sql.sql().to_owned()
        };
        assert_eq!(sql(&[]), "SELECT turn FROM entries ORDER BY turn LIMIT 3");
        let one = |n| format!("SELECT turn FROM entries WHERE kind = ${n} ORDER BY turn LIMIT 3");
        assert_eq!(sql(&[5]), one(1));
        let each = format!("({}) UNION ALL ({})", one(1), one(2));
        let all = format!("SELECT * FROM ({each}) AS any_of_them ORDER BY turn LIMIT 3");
        assert_eq!(sql(&[5, 6]), all);
    }

    #[test]
    fn a_list_can_be_read_the_other_way_round() {
        let next = asked(None).page(rows(&[8, 5, 3])).next;
        let asked = asked(next.as_ref()).descending(true);
        let mut sql = QueryBuilder::new("");
        asked.push_after(&mut sql, "turn");
        asked.push_order(&mut sql, "turn, id");
        assert_eq!(sql.sql(), " AND (turn) < ($1) ORDER BY turn DESC, id DESC LIMIT 3");
    }

    #[test]
    fn a_key_is_what_was_encoded_and_nothing_shorter_or_longer_is_one() {
        let start_at = DateTime::from_timestamp_micros(-1).unwrap();
        let key = StartKey { start_at, id: Uuid::from_u128(7) };
        let bytes = key.encode();
        assert_eq!(StartKey::decode(&bytes), Some(key));
        assert_eq!(StartKey::decode(&bytes[1..]), None);
        assert_eq!(StartKey::decode(&[bytes, vec![0]].concat()), None);
    }
}
