//! Which indexes serve a search, and how many rows they read.

use std::time::{Duration, Instant};

use daybook_domain::TenantId;
use daybook_domain::appointment::Status;
use daybook_embedded_postgres::testing::TestCluster;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::Value;
use sqlx::{PgConnection, PgPool, QueryBuilder, Row as _};

use super::super::plan::SearchPlan;
use super::super::recorded::recorded_list;
use super::super::{BEGIN, SearchQuery};
use super::filters::{Values, filter, shapes};
use super::many::{TENANT, VERY_MANY, load_current, now};
use super::naive::lets_through;
use crate::page::keyset::StartKey;
use crate::page::part::{BY_ANY_INDEX, BY_TERMS_ONLY, Part, RARE, SCAN_FACTOR};
use crate::search::row::{COLUMNS, FoundAppointment};
use crate::search::{SearchFilter, Sort};
use crate::tests::world::World;
use crate::{Limit, Recorded, RecordedOrder};

/// What a page of 50 may read of the table: the ceiling is 30 rows for each row of the page.
pub(super) const MAX_ROWS: u64 = 30 * 50;

#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Read {
    statements: u64,
    /// Rows of the table, those that a filter removed among them.
    pub(super) rows: u64,
    /// Entries of an index, which are read many to a page and without the table.
    entries: u64,
    micros: u64,
}

impl Read {
    fn add(&mut self, plan: &Value) {
        let number = |key: &str| plan[key].as_u64().unwrap_or_default();
        let loops = number("Actual Loops");
        let rows = number("Actual Rows")
            + number("Rows Removed by Filter")
            + number("Rows Removed by Index Recheck");
        let rows = rows * loops;
        match plan["Node Type"].as_str().unwrap() {
            "Seq Scan" => panic!("a sequential scan: {plan:#}"),
            "Index Only Scan" => {
                self.entries += rows;
                self.rows += number("Heap Fetches");
            }
            // A few days, of a few statuses.
            "Index Scan" | "Bitmap Heap Scan" if plan["Relation Name"] == "status_day_counts" => {
                self.entries += rows;
                return;
            }
            "Index Scan" | "Bitmap Heap Scan" => {
                assert_eq!(plan["Relation Name"], "appointments", "{plan:#}");
                self.rows += rows;
            }
            "Bitmap Index Scan" => {
                let name = plan["Index Name"].as_str().unwrap();
                // Those that are named are looked up by their ids.
                let of_terms = ["current_terms", "past_terms"].contains(&name);
                assert!(of_terms || name == "appointments_pkey", "{plan:#}");
                self.entries += rows;
            }
            _ => {}
        }
        for child in plan["Plans"].as_array().into_iter().flatten() {
            self.add(child);
        }
    }
}

fn micros(millis: &Value) -> u64 {
    let time = Duration::from_secs_f64(millis.as_f64().unwrap() / 1_000.0);
    time.as_micros().try_into().unwrap()
}

/// Finds a page as the query does, and explains each of its statements.
pub(super) async fn explained(
    asked: &SearchQuery<'_>,
    after: Option<StartKey>,
    connection: &mut PgConnection,
) -> (Vec<FoundAppointment>, Read) {
    let mut read = Read::default();
    let mut search_plan = SearchPlan::new(asked, after);
    sqlx::raw_sql(BEGIN).execute(&mut *connection).await.unwrap();
    while let Some(statement) = search_plan.next() {
        let mut sql = statement.sql(asked, "EXPLAIN (ANALYZE, FORMAT JSON) ");
        let plan: Value = sql.build_query_scalar().fetch_one(&mut *connection).await.unwrap();
        read.statements += 1;
        read.micros += micros(&plan[0]["Execution Time"]) + micros(&plan[0]["Planning Time"]);
        read.add(&plan[0]["Plan"]);
        search_plan.take(statement.run(asked, &mut *connection).await.unwrap());
    }
    sqlx::raw_sql("COMMIT").execute(&mut *connection).await.unwrap();
    let (items, _) = search_plan.page();
    (items, read)
}

/// PostgreSQL plans a statement that comes again and again once for all values: the plan must be the same.
pub(super) async fn is_planned_alike_without_values(
    asked: &SearchQuery<'_>,
    connection: &mut PgConnection,
) {
    let mut search_plan = SearchPlan::new(asked, None);
    begin_without_values(&mut *connection).await;
    while let Some(statement) = search_plan.next() {
        let mut sql = statement.sql(asked, "EXPLAIN (FORMAT JSON) ");
        let with: Value = sql.build_query_scalar().fetch_one(&mut *connection).await.unwrap();
        search_plan.take(statement.run(asked, &mut *connection).await.unwrap());
        let text = statement.sql(asked, "");
        is_planned_alike(&with, text.sql(), &mut *connection).await;
    }
    sqlx::raw_sql("COMMIT").execute(&mut *connection).await.unwrap();
}

async fn begin_without_values(connection: &mut PgConnection) {
    sqlx::raw_sql(BEGIN).execute(&mut *connection).await.unwrap();
    sqlx::raw_sql("SET LOCAL plan_cache_mode = force_generic_plan")
        .execute(&mut *connection)
        .await
        .unwrap();
}

/// A statement that has run is planned without values as with them.
async fn is_planned_alike(with: &Value, text: &str, connection: &mut PgConnection) {
    let explain: String = sqlx::query_scalar(
        "SELECT 'EXPLAIN (FORMAT JSON) EXECUTE ' || name || '('
                || concat_ws(', ', VARIADIC array_fill('NULL'::text, ARRAY[cardinality(parameter_types)]))
                || ')'
           FROM pg_prepared_statements WHERE statement = $1",
    )
    .bind(text)
    .fetch_one(&mut *connection)
    .await
    .unwrap();
    let without = sqlx::raw_sql(&explain).fetch_one(&mut *connection).await.unwrap();
    let without: Value = without.get(0);
    assert_eq!(shape(&with[0]["Plan"]), shape(&without[0]["Plan"]), "{text}");
}

/// What a plan does, and which indexes it reads.
fn shape(plan: &Value) -> String {
    let children = plan["Plans"].as_array().into_iter().flatten().map(shape);
    let children: Vec<String> = children.collect();
    format!("{} {} ({})", plan["Node Type"], plan["Index Name"], children.join(", "))
}

async fn many(url: &str) -> Result<(), String> {
    crate::tests::world::tables(url).await?;
    let pool = PgPool::connect(url).await.map_err(|error| error.to_string())?;
    load_current(&pool, &VERY_MANY).await;
    pool.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_combined_in_a_filter_is_served_by_an_index_and_reads_few_rows() {
    let begun = Instant::now();
    let world = World::with(TestCluster::shared().database(many).await).await;
    let tenant: TenantId = TENANT.parse().unwrap();
    let all = &*VERY_MANY;
    println!("loaded in {:?}", begun.elapsed());
    let mut connection = world.pool.acquire().await.unwrap();
    let mut random = StdRng::seed_from_u64(11);
    let mut seen: Vec<(Read, String)> = Vec::new();
    for (n, shape) in shapes().into_iter().enumerate() {
        // All three kinds of values where they matter most, else by turns.
        let few = shape.count_ones() <= 2;
        for values in if few { &Values::ALL[..] } else { &Values::ALL[n % 3..=n % 3] } {
            let row = &all[(shape as usize * 7_919 + 31) % all.len()];
            let filter: SearchFilter = filter(shape, *values, row, &mut random);
            for sort in [Sort::StartAscending, Sort::StartDescending] {
                let deep = &all[all.len() * 3 / 5];
                let place =
                    StartKey { start_at: deep.during.start(), id: deep.appointment_id.uuid() };
                // A deep page in one of the two orders, by turns.
                let deep = (sort == Sort::StartAscending) == n.is_multiple_of(2);
                let deep = deep.then_some(place);
                for after in std::iter::once(None).chain(deep.map(Some)) {
                    let asked = SearchQuery::new(&tenant, &filter, sort, Limit::default(), now());
                    let (items, read) = explained(&asked, after, &mut connection).await;
                    let what = format!("{shape:08b} {values:?} {sort:?} {after:?} {filter:?}");
                    if after.is_none() && sort == Sort::StartAscending {
                        let expected = all.iter().filter(|row| lets_through(&filter, row, now()));
                        let expected: Vec<_> =
                            expected.take(50).map(|row| row.appointment_id).collect();
                        let found: Vec<_> = items.iter().map(|row| row.appointment_id).collect();
                        assert_eq!(found, expected, "{what}");
                    }
                    if after.is_none() {
                        is_planned_alike_without_values(&asked, &mut connection).await;
                    }
                    if shape == 0 {
                        // The first page of all there is, and one in the middle.
                        assert_eq!((read.rows, read.statements), (51, 1), "{what}");
                    }
                    seen.push((read, what));
                }
            }
        }
    }
    report(&mut seen);
    let most = seen.iter().max_by_key(|(read, _)| read.rows).unwrap();
    println!("took {:?}", begun.elapsed());
    assert!(most.0.rows <= MAX_ROWS, "{most:?}");
}

pub(super) fn report(seen: &mut [(Read, String)]) {
    let mut worst = |name: &str, key: fn(&Read) -> u64| {
        seen.sort_by_key(|(read, _)| std::cmp::Reverse(key(read)));
        println!("== {name}: median {}", key(&seen[seen.len() / 2].0));
        for (read, what) in &seen[..6] {
            println!("{read:?} {what}");
        }
    };
    worst("rows", |read| read.rows);
    worst("entries", |read| read.entries);
    worst("statements", |read| read.statements);
    worst("microseconds", |read| read.micros);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_that_are_named_by_their_ids_are_looked_up_and_nothing_else_is_read() {
    let world = World::with(TestCluster::shared().database(many).await).await;
    let tenant: TenantId = TENANT.parse().unwrap();
    let mut connection = world.pool.acquire().await.unwrap();
    let apart = VERY_MANY.len() / 50;
    let ids: Vec<_> = VERY_MANY.iter().step_by(apart).map(|row| row.appointment_id).collect();
    assert_eq!(ids.len(), 50);
    let twice = ids.iter().chain(&ids).copied().collect();
    let named = SearchFilter { ids: twice, ..SearchFilter::default() };
    let booked = SearchFilter { statuses: vec![Status::Booked], ..named.clone() };
    for filter in [named, booked] {
        let asked =
            SearchQuery::new(&tenant, &filter, Sort::StartAscending, Limit::default(), now());
        let (items, read) = explained(&asked, None, &mut connection).await;
        let found: Vec<_> = items.iter().map(|row| row.appointment_id).collect();
        let expected = VERY_MANY.iter().filter(|row| lets_through(&filter, row, now()));
        let expected: Vec<_> = expected.map(|row| row.appointment_id).collect();
        assert_eq!(found, expected);
        assert_eq!((read.rows, read.statements), (50, 1), "{read:?}");
        is_planned_alike_without_values(&asked, &mut connection).await;
        for order in orders() {
            let (items, read) = recorded(&asked, order, None, &mut connection).await;
            assert_eq!(items.len(), expected.len());
            assert!(read.rows <= 50, "{order:?} {read:?}");
        }
    }
}

/// What a page of 50 may read of the table in the order of the log: what is rare, and a part of the list twice, of which the
/// second time is for where it ends.
const MAX_RECORDED_ROWS: usize = RARE + 1 + (2 * SCAN_FACTOR + 1) * 51;

fn orders() -> impl Iterator<Item = RecordedOrder> {
    let by = [Recorded::Created, Recorded::Updated].into_iter();
    by.flat_map(|by| [false, true].map(|descending| RecordedOrder { by, descending, since: None }))
}

/// Finds a page in the order of the log as the query does, and explains each of its statements.
async fn recorded(
    asked: &SearchQuery<'_>,
    order: RecordedOrder,
    after: Option<StartKey>,
    connection: &mut PgConnection,
) -> (Vec<FoundAppointment>, Read) {
    const EXPLAIN: &str = "EXPLAIN (ANALYZE, FORMAT JSON) ";
    let columns = COLUMNS.join(", ");
    let first = recorded_list(asked, order, None).unwrap();
    let cursor = after.map(|key| first.keyset.cursor(&key));
    let list = recorded_list(asked, order, cursor.as_ref()).unwrap();
    let page = |prefix: &str, part: &Part| {
        let mut sql = QueryBuilder::new(prefix);
        list.push_page(&mut sql, &columns, part);
        (sql.sql().to_owned(), sql)
    };
    begin_without_values(&mut *connection).await;
    let part = list.part(&mut *connection).await.unwrap();
    let (text, mut sql) = page("", &part);
    let items: Vec<FoundAppointment> =
        sql.build_query_as().fetch_all(&mut *connection).await.unwrap();
    let beyond = list.beyond(&part, &mut *connection).await.unwrap();
    let matches = list.named().is_none().then(|| list.matches(EXPLAIN)).flatten();
    let matches = matches.map(|sql| (list.matches("").unwrap().sql().to_owned(), sql));
    let last_of = match part {
        Part::First(places) if beyond.is_some() => {
            Some((list.last_of(places, "").sql().to_owned(), list.last_of(places, EXPLAIN)))
        }
        _ => None,
    };
    let mut read = Read::default();
    let rest = [(text, page(EXPLAIN, &part).1)].into_iter().chain(last_of);
    for (text, mut sql) in matches.into_iter().chain(rest) {
        let by_terms = text.contains("AS matches");
        let by = if by_terms { BY_TERMS_ONLY } else { BY_ANY_INDEX };
        sqlx::raw_sql(by).execute(&mut *connection).await.unwrap();
        let plan: Value = sql.build_query_scalar().fetch_one(&mut *connection).await.unwrap();
        read.statements += 1;
        read.micros += micros(&plan[0]["Execution Time"]) + micros(&plan[0]["Planning Time"]);
        read.add(&plan[0]["Plan"]);
        is_planned_alike(&plan, &text, &mut *connection).await;
    }
    sqlx::raw_sql("COMMIT").execute(&mut *connection).await.unwrap();
    (items, read)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_combined_in_a_filter_in_the_order_of_the_log_is_served_by_an_index_and_reads_few_rows()
 {
    let world = World::with(TestCluster::shared().database(many).await).await;
    let tenant: TenantId = TENANT.parse().unwrap();
    let all = &*VERY_MANY;
    let mut connection = world.pool.acquire().await.unwrap();
    let mut random = StdRng::seed_from_u64(12);
    let mut seen: Vec<(Read, String)> = Vec::new();
    let mut turn = 0;
    for (n, shape) in shapes().into_iter().enumerate() {
        let few = shape.count_ones() <= 2;
        for values in if few { &Values::ALL[..] } else { &Values::ALL[n % 3..=n % 3] } {
            turn += 1;
            let row = &all[(shape as usize * 7_919 + 31) % all.len()];
            let filter: SearchFilter = filter(shape, *values, row, &mut random);
            let asked =
                SearchQuery::new(&tenant, &filter, Sort::default(), Limit::default(), now());
            // One order by turns, and half of the pages deep.
            let order = orders().nth(turn % 4).unwrap();
            let since = turn.is_multiple_of(5).then_some(row.created_at);
            let order = RecordedOrder { since, ..order };
            let deep = &all[all.len() * 3 / 5];
            let place = StartKey { start_at: deep.updated_at, id: deep.appointment_id.uuid() };
            let after = (turn / 4).is_multiple_of(2).then_some(place);
            let (items, read) = recorded(&asked, order, after, &mut connection).await;
            let what = format!("{shape:08b} {values:?} {order:?} {after:?} {filter:?}");
            for found in items {
                assert!(lets_through(&filter, &found, now()), "{what}");
            }
            seen.push((read, what));
        }
    }
    report(&mut seen);
    let most = seen.iter().max_by_key(|(read, _)| read.rows).unwrap();
    assert!(most.0.rows <= MAX_RECORDED_ROWS as u64, "{most:?}");
}
