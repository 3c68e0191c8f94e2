//! A table as a value: its columns, and the statements that follow from them.

use daybook_domain::TenantId;
use serde::Serialize;
use sqlx::FromRow;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::value::{Array, Elements, JSON, PgType, PgValue, Shape};
use crate::projection::RowsDisagree;
use crate::{ApplyError, Tables};

type Push<R> = Box<dyn Fn(&R, &mut Elements) -> Result<(), BoxDynError> + Send + Sync>;

/// A column, and how a row's value of it is got.
pub(crate) struct Column<R> {
    pub(super) name: &'static str,
    pub(super) of: PgType,
    pub(super) shape: Shape,
    key: bool,
    push: Push<R>,
}

impl<R: 'static> Column<R> {
    /// A column of what a row has.
    pub(crate) fn field<V: PgValue + 'static>(name: &'static str, get: fn(&R) -> &V) -> Self {
        let push = Box::new(move |row: &R, to: &mut Elements| get(row).push_to(to));
        Self { name, of: V::TYPE, shape: V::SHAPE, key: false, push }
    }

    /// A column of what follows from a row.
    pub(crate) fn value<V: PgValue + 'static>(name: &'static str, get: fn(&R) -> V) -> Self {
        let push = Box::new(move |row: &R, to: &mut Elements| get(row).push_to(to));
        Self { name, of: V::TYPE, shape: V::SHAPE, key: false, push }
    }

    /// A column of type `json`, of what a row has.
    pub(crate) fn json<V: Serialize + 'static>(name: &'static str, get: fn(&R) -> &V) -> Self {
        let push = Box::new(move |row: &R, to: &mut Elements| to.push_json(get(row)));
        Self { name, of: JSON, shape: Shape::NotNull, key: false, push }
    }

    /// It is part of the primary key, after the tenant.
    pub(crate) fn key(self) -> Self {
        Self { key: true, ..self }
    }
}

impl<R> Column<R> {
    pub(super) fn push(&self, row: &R, to: &mut Elements) -> Result<(), BoxDynError> {
        (self.push)(row, to)
    }
}

/// What to do where there is a row of the same key.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OnConflict {
    /// It must not be.
    Fail,
    /// Put the new row into its place.
    Replace,
    /// `DO UPDATE SET ...`, in which the row is called `t` and the new one `excluded`.
    Do(&'static str),
}

/// A table of rows of tenants. Its first column is the tenant's, and is not among `columns`.
pub(crate) struct Table<R> {
    pub(super) name: &'static str,
    pub(super) columns: Vec<Column<R>>,
}

impl<R> Table<R> {
    pub(crate) fn new(name: &'static str, columns: impl IntoIterator<Item = Column<R>>) -> Self {
        Self { name, columns: columns.into_iter().collect() }
    }

    /// The names of its columns, for the list of a `SELECT`.
    pub(crate) fn names(&self) -> String {
        list(self.columns.iter(), |column| column.name.to_owned())
    }

    /// The rows whose key begins with one of these. Served by the primary key.
    pub(crate) async fn load(
        &self,
        tables: &mut Tables<'_>,
        tenant: &TenantId,
        keys: impl IntoIterator<Item = Uuid>,
    ) -> Result<Vec<R>, sqlx::Error>
    where
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        load(&self.load_sql(), tables, tenant, keys).await
    }

    /// Adds rows; where there are such rows already, that fails.
    pub(crate) async fn insert(
        &self,
        tables: &mut Tables<'_>,
        tenant: &TenantId,
        rows: &[R],
    ) -> Result<(), ApplyError> {
        let inserted = self.insert_or(OnConflict::Fail, tables, tenant, rows).await?;
        self.all(tables, "inserted", inserted, rows)
    }

    /// Adds or replaces rows.
    pub(crate) async fn upsert(
        &self,
        tables: &mut Tables<'_>,
        tenant: &TenantId,
        rows: &[R],
    ) -> Result<(), ApplyError> {
        let saved = self.insert_or(OnConflict::Replace, tables, tenant, rows).await?;
        self.all(tables, "saved", saved, rows)
    }

    /// Adds rows; how many were added or changed.
    pub(crate) async fn insert_or(
        &self,
        conflict: OnConflict,
        tables: &mut Tables<'_>,
        tenant: &TenantId,
        rows: &[R],
    ) -> Result<u64, sqlx::Error> {
        let columns: Vec<&Column<R>> = self.columns.iter().collect();
        run(&self.insert_sql(conflict), &columns, tables, tenant, rows).await
    }

    /// Sets these columns of rows that are there, found by their keys.
    pub(crate) async fn update(
        &self,
        set: &[&str],
        tables: &mut Tables<'_>,
        tenant: &TenantId,
        rows: &[R],
    ) -> Result<(), ApplyError> {
        let given = |column: &&Column<R>| column.key || set.contains(&column.name);
        let columns: Vec<&Column<R>> = self.columns.iter().filter(given).collect();
        let updated = run(&self.update_sql(set), &columns, tables, tenant, rows).await?;
        self.all(tables, "updated", updated, rows)
    }

    /// Rows that do not agree with the table must not be committed.
    fn all(
        &self,
        tables: &Tables<'_>,
        verb: &'static str,
        written: u64,
        rows: &[R],
    ) -> Result<(), ApplyError> {
        if written == rows.len() as u64 {
            return Ok(());
        }
        let table = format!("{}.{}", tables.schema(), self.name);
        Err(RowsDisagree { table, verb, given: rows.len(), written }.into())
    }

    fn keys(&self) -> impl Iterator<Item = &Column<R>> {
        self.columns.iter().filter(|column| column.key)
    }

    fn load_sql(&self) -> String {
        let key = list(self.keys().take(1), |column| column.name.to_owned());
        let (table, names) = (self.name, self.names());
        format!("SELECT {names} FROM {{schema}}.{table} WHERE tenant_id = $1 AND {key} = ANY($2)")
    }

    fn insert_sql(&self, conflict: OnConflict) -> String {
        let (table, columns) = (self.name, self.columns.iter().collect::<Vec<_>>());
        let (names, values, unnest) = (self.names(), values(&columns), unnest(&columns));
        let keys = list(self.keys(), |column| column.name.to_owned());
        let on_conflict = match conflict {
            OnConflict::Fail => String::new(),
            OnConflict::Do(what) => format!("ON CONFLICT (tenant_id, {keys}) {what}"),
            OnConflict::Replace => {
                let others = self.columns.iter().filter(|column| !column.key);
                let set = list(others, |Column { name, .. }| format!("{name} = excluded.{name}"));
                format!("ON CONFLICT (tenant_id, {keys}) DO UPDATE SET {set}")
            }
        };
        format!(
            "INSERT INTO {{schema}}.{table} AS t (tenant_id, {names})
             SELECT h.tenant_id, {values}
               FROM log_heads h, {unnest}
              WHERE h.tenant_id = $1 {on_conflict}"
        )
    }

    fn update_sql(&self, set: &[&str]) -> String {
        let given = |column: &&Column<R>| column.key || set.contains(&column.name);
        let columns: Vec<&Column<R>> = self.columns.iter().filter(given).collect();
        let unnest = unnest(&columns);
        let changed = columns.iter().copied().filter(|column| !column.key);
        let set = list(changed, |column| format!("{} = {}", column.name, value(column, &columns)));
        let (table, found) = (self.name, self.found_by_key());
        format!("UPDATE {{schema}}.{table} AS t SET {set} FROM {unnest} WHERE {found}")
    }

    fn found_by_key(&self) -> String {
        let same = self.keys().map(|Column { name, .. }| format!(" AND t.{name} = u.{name}"));
        format!("t.tenant_id = $1{}", same.collect::<String>())
    }
}

/// The rows that a statement selects, of a tenant (`$1`) and of these keys (`$2`).
pub(crate) async fn load<R>(
    select: &str,
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    keys: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<R>, sqlx::Error>
where
    R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let keys: Vec<Uuid> = keys.into_iter().collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let select = tables.sql(select);
    let query = sqlx::query_as(&select).bind(tenant.as_str()).bind(keys);
    query.fetch_all(tables.connection()).await
}

/// Runs a statement about these columns of the rows.
async fn run<R>(
    sql: &str,
    columns: &[&Column<R>],
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    rows: &[R],
) -> Result<u64, sqlx::Error> {
    if rows.is_empty() {
        return Ok(0);
    }
    let sql = tables.sql(sql);
    let mut query = sqlx::query(&sql).bind(tenant.as_str());
    for column in columns {
        let mut elements = Elements::default();
        let (mut firsts, mut lasts) = (Vec::new(), Vec::new());
        for row in rows {
            firsts.push(elements.count() + 1);
            column.push(row, &mut elements).map_err(sqlx::Error::Encode)?;
            lasts.push(elements.count());
        }
        query = query.bind(Array { of: column.of, elements });
        if column.shape == Shape::Array {
            query = query.bind(firsts).bind(lasts);
        }
    }
    Ok(query.execute(tables.connection()).await?.rows_affected())
}

/// The number of a column's first parameter; an array has three.
fn parameter<R>(column: &Column<R>, columns: &[&Column<R>]) -> usize {
    let before = columns.iter().take_while(|it| it.name != column.name);
    2 + before.map(|it| if it.shape == Shape::Array { 3 } else { 1 }).sum::<usize>()
}

/// The rows as `u`. `unnest` would flatten arrays of arrays, so the elements of all rows' arrays are one array,
/// and each row has its first and its last place in it.
fn unnest<R>(columns: &[&Column<R>]) -> String {
    let arrays = list(columns.iter().copied(), |column| {
        let (n, name) = (parameter(column, columns), column.of.name);
        match column.shape {
            Shape::Array => format!("${}::int[], ${}::int[]", n + 1, n + 2),
            Shape::NotNull | Shape::Nullable => format!("${n}::{name}[]"),
        }
    });
    let names = list(columns.iter().copied(), |Column { name, shape, .. }| match shape {
        Shape::Array => format!("{name}_first, {name}_last"),
        Shape::NotNull | Shape::Nullable => (*name).to_owned(),
    });
    format!("unnest({arrays}) AS u ({names})")
}

fn values<R>(columns: &[&Column<R>]) -> String {
    list(columns.iter().copied(), |column| value(column, columns))
}

fn value<R>(column: &Column<R>, columns: &[&Column<R>]) -> String {
    let Column { name, of, .. } = column;
    match column.shape {
        Shape::Array => {
            let (n, of) = (parameter(column, columns), of.name);
            format!("(${n}::{of}[])[u.{name}_first:u.{name}_last]")
        }
        Shape::NotNull | Shape::Nullable => format!("u.{name}"),
    }
}

fn list<T>(items: impl Iterator<Item = T>, each: impl Fn(T) -> String) -> String {
    items.map(each).collect::<Vec<_>>().join(", ")
}

/// What a table is, whatever its rows are: for the test that compares it with the database.
pub trait TableSpec: Sync {
    fn name(&self) -> &'static str;

    /// Its columns: name, the number of its type in PostgreSQL's catalogue, and whether it may be NULL.
    fn columns(&self) -> Vec<(&'static str, u32, bool)>;

    /// The columns of its primary key, after the tenant.
    fn key(&self) -> Vec<&'static str>;

    /// The statements that follow from it, each about `{schema}`.
    fn statements(&self) -> Vec<String>;
}

impl<R> TableSpec for std::sync::LazyLock<Table<R>> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn columns(&self) -> Vec<(&'static str, u32, bool)> {
        let column = |column: &Column<R>| {
            let Column { name, of, shape, .. } = column;
            let oid = if *shape == Shape::Array { of.array_oid } else { of.oid };
            (*name, oid, *shape == Shape::Nullable)
        };
        self.columns.iter().map(column).collect()
    }

    fn key(&self) -> Vec<&'static str> {
        self.keys().map(|column| column.name).collect()
    }

    fn statements(&self) -> Vec<String> {
        let others: Vec<&str> =
            self.columns.iter().filter(|it| !it.key).map(|column| column.name).collect();
        let mut statements = vec![self.insert_sql(OnConflict::Fail)];
        if self.keys().next().is_some() {
            statements.push(self.load_sql());
            if !others.is_empty() {
                statements.push(self.insert_sql(OnConflict::Replace));
                statements.push(self.update_sql(&others));
            }
        }
        statements
    }
}
