//! Which indexes serve lists of services, resources and clients, and how many rows they read.

use chrono::TimeDelta;
use daybook_domain::client::{Client, Contact};
use daybook_domain::resource::{Capacity, Resource, ResourceKind, ResourceProfile};
use daybook_domain::time::OpeningHours;
use daybook_domain::{Category, Email, Metadata, Name, Personal, Phone, Reference, Tag, TenantId};
use daybook_store::Position;
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{CLIENTS, CatalogueEntity, Listed, RESOURCES, Row};
use super::list::{recorded_list, statement};
use super::{Catalogue, CatalogueFilter, CatalogueStatus, Facet};
use crate::kit::Table;
use crate::page::cursor::List;
use crate::page::keyset::{Keyset, StartKey};
use crate::page::part::{BY_TERMS_ONLY, Part, RARE, SCAN_FACTOR};
use crate::search::TitleWords;
use crate::search::query::BEGIN;
use crate::search::terms::TermsOf;
use crate::tests::explained::{self, EXPLAIN, rows_read};
use crate::tests::world::{World, at};
use crate::{Limit, Recorded, RecordedOrder, Schema, Tables};

const COUNT: u32 = 12_000;

/// What a page of 50 may read of a table: what is rare, and a part of the list twice, of which the second time is for where
/// it ends.
const MAX_ROWS: u64 = (RARE + 1 + (2 * SCAN_FACTOR + 1) * 51) as u64;

fn made_at(n: u32) -> chrono::DateTime<chrono::Utc> {
    at("2026-01-01T00:00:00Z") + TimeDelta::seconds(n.into())
}

fn listed<E: CatalogueEntity>(n: u32, document: E::Document, status: CatalogueStatus) -> Listed<E> {
    let position = Position::from_i64(i64::from(n) + 1);
    let (created_at, updated_at) = (made_at(n), made_at(n + n % 7 * 40));
    let id = Uuid::from_u128(n.into()).into();
    Listed { id, document, status, version: 1, position, created_at, updated_at }
}

async fn load<E: CatalogueEntity>(
    world: &World,
    tenant: &TenantId,
    table: &Table<Row<E>>,
    made: impl Fn(u32) -> (E::Document, CatalogueStatus),
) {
    let schema = Schema::of(Catalogue::ID);
    let terms = TermsOf::new(tenant);
    let rows = (0..COUNT).map(|n| {
        let (document, status) = made(n);
        let open = document.clone();
        Row::of(listed::<E>(n, document, status), &open, &terms)
    });
    let mut tx = world.pool.begin().await.unwrap();
    for rows in rows.collect::<Vec<_>>().chunks(2_000) {
        table.upsert(&mut Tables::new(&mut tx, &schema), tenant, rows).await.unwrap();
    }
    tx.commit().await.unwrap();
    let vacuum = format!("VACUUM (ANALYZE) {schema}.{}", E::TABLE);
    sqlx::raw_sql(&vacuum).execute(&world.pool).await.unwrap();
}

fn contact(n: u32) -> Contact {
    // All have the first word, one in ten the second, few the third.
    let word = match n {
        _ if n.is_multiple_of(997) => "desk",
        _ if n.is_multiple_of(10) => "office",
        _ => "door",
    };
    let email = Email::new(&format!("client.{n}@example.org")).unwrap();
    let phone = Phone::new(&format!("+47 {n:08}")).unwrap();
    Contact {
        name: Personal::new(Name::new(&format!("Front {word}")).unwrap()),
        email: Some(Personal::new(email)),
        phone: Some(Personal::new(phone)),
        reference: Some(Personal::new(reference(n))),
        metadata: Personal::new(kept(word)),
        ..Contact::named(Name::new("Front").unwrap())
    }
}

fn reference(n: u32) -> Reference {
    Reference::new(&format!("A-{n}")).unwrap()
}

fn kept(value: &str) -> Metadata {
    serde_json::from_value(serde_json::json!({"kept": value})).unwrap()
}

/// What has this pair of metadata.
fn pair(value: &str) -> Facet {
    Facet::pair(kept(value).iter().next().unwrap())
}

fn profile(n: u32) -> ResourceProfile {
    let tag = if n.is_multiple_of(997) { "rare" } else { "common" };
    ResourceProfile {
        name: Name::new("Any").unwrap(),
        kind: if n < COUNT / 2 { ResourceKind::Room } else { ResourceKind::Staff },
        tags: std::collections::BTreeSet::from([Tag::new(tag).unwrap()]).try_into().unwrap(),
        time_zone: chrono_tz::Tz::UTC,
        opening_hours: OpeningHours::default(),
        capacity: Capacity::ONE,
        reference: Some(reference(n)),
        metadata: kept(tag),
    }
}

/// The ids of a page, and how many rows it reads.
async fn page<E: CatalogueEntity>(
    tenant: &TenantId,
    filter: &CatalogueFilter,
    after: Option<StartKey>,
    connection: &mut PgConnection,
) -> (Vec<u128>, u64) {
    let (list, limit) = (List::of(tenant, E::TABLE, filter), Limit::default());
    let first: Keyset<StartKey> = Keyset::new(list, None, limit).unwrap();
    let cursor = after.map(|key| first.cursor(&key));
    let keyset = Keyset::new(list, cursor.as_ref(), limit).unwrap();
    let terms = TermsOf::new(tenant);
    let list = recorded_list::<E>((tenant, &terms), filter, keyset, limit);
    sqlx::raw_sql(BEGIN).execute(&mut *connection).await.unwrap();
    let part = list.part(&mut *connection).await.unwrap();
    let mut sql = statement::<E>(&list, &part, "");
    let rows = sql.build().fetch_all(&mut *connection).await.unwrap();
    let ids = rows.iter().map(|row| sqlx::Row::get::<Uuid, _>(row, E::ID).as_u128()).collect();
    let matches = list.named().is_none().then(|| list.matches(EXPLAIN)).flatten();
    let last_of = match part {
        Part::First(places) => Some(list.last_of(places, EXPLAIN)),
        Part::Whole | Part::These(_) => None,
    };
    let whole = statement::<E>(&list, &part, EXPLAIN);
    let mut read = 0;
    for sql in [Some(whole), last_of].into_iter().flatten() {
        read += rows_read(&explained::explained(sql, &mut *connection).await);
    }
    if let Some(sql) = matches {
        sqlx::raw_sql(BY_TERMS_ONLY).execute(&mut *connection).await.unwrap();
        let plan = explained::explained(sql, &mut *connection).await;
        let index = format!("{}_found_by", E::TABLE);
        assert!(plan.to_string().contains(&index), "{plan:#}");
        read += rows_read(&plan);
    }
    sqlx::raw_sql("COMMIT").execute(&mut *connection).await.unwrap();
    (ids, read)
}

/// In every order, from the beginning and from the middle, and what is changed since.
async fn reads_few<E: CatalogueEntity>(
    what: &str,
    tenant: &TenantId,
    filter: &CatalogueFilter,
    connection: &mut PgConnection,
) -> Vec<u128> {
    let mut first_page = Vec::new();
    for by in [Recorded::Created, Recorded::Updated] {
        for (descending, since) in [(false, None), (true, None), (false, Some(made_at(COUNT / 3)))]
        {
            let order = RecordedOrder { by, descending, since };
            let filter = CatalogueFilter { order, ..filter.clone() };
            let middle = StartKey { start_at: made_at(COUNT / 2), id: Uuid::nil() };
            for after in [None, Some(middle)] {
                let (ids, read) = page::<E>(tenant, &filter, after, connection).await;
                println!("{what} {order:?} {after:?}: {} of {read}", ids.len());
                assert!(read <= MAX_ROWS, "{what} {order:?} {after:?}: {read} rows");
                if after.is_none() && order == RecordedOrder::default() {
                    first_page = ids;
                }
            }
        }
    }
    first_page
}

fn called(words: &str) -> CatalogueFilter {
    let name = Some(Personal::new(TitleWords::parse(words).unwrap()));
    CatalogueFilter { name, ..CatalogueFilter::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_list_of_clients_is_served_by_an_index_and_reads_few_rows() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    load(&world, &tenant, &CLIENTS, |n| (contact(n), CatalogueStatus::Active)).await;
    let mut connection = world.pool.acquire().await.unwrap();
    let none = CatalogueFilter::default;
    let email = |n: u32| Facet::email(&Email::new(&format!("client.{n}@example.org")).unwrap());
    let phone = |n: u32| Facet::phone(&Phone::new(&format!("+47{n:08}")).unwrap());
    let ids = || (0..50_u128).map(|n| Uuid::from_u128(n * 200)).collect();
    let (one, four) = (vec![5_000], vec![5_000, 5_001, 5_002, 5_003]);
    let few: Vec<u128> = (0..13).map(|n| n * 997).collect();
    for (what, filter, expected) in [
        ("all", none(), None),
        ("a word of all", called("front"), None),
        ("a word of many", called("off"), None),
        ("a word of few", called("fro desk"), Some(few)),
        ("a word of nobody", called("knob"), Some(vec![])),
        ("an address", none().with_any([email(5_000)]), Some(one.clone())),
        ("several addresses", none().with_any((5_000..5_004).map(email)), Some(four)),
        ("a number and a word", called("front").with_any([phone(5_000)]), Some(one)),
        ("a reference", none().with_any([Facet::reference(&reference(5_000))]), Some(vec![5_000])),
        ("a pair of many", none().with_any([pair("door")]), None),
        ("a pair of nobody", none().with_any([pair("DOOR")]), Some(vec![])),
        ("ids", CatalogueFilter { ids: ids(), ..none() }, None),
        ("ids and a word", CatalogueFilter { ids: ids(), ..called("desk") }, Some(vec![0])),
    ] {
        let found = reads_few::<Client>(what, &tenant, &filter, &mut connection).await;
        if let Some(expected) = expected {
            assert_eq!(found, expected, "{what}");
        } else {
            assert!(!found.is_empty(), "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_list_of_resources_is_served_by_an_index_and_reads_few_rows() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    // Few are retired, and all of these early.
    let status = |n| {
        if (1..40).contains(&n) { CatalogueStatus::Retired } else { CatalogueStatus::Active }
    };
    load(&world, &tenant, &RESOURCES, |n| (profile(n), status(n))).await;
    let mut connection = world.pool.acquire().await.unwrap();
    let none = CatalogueFilter::default;
    let of = |status| CatalogueFilter { status: Some(status), ..none() };
    let (active, retired) = (of(CatalogueStatus::Active), of(CatalogueStatus::Retired));
    let kind = Facet::resource_kind;
    let tag = |name: &str| Facet::tag(&Tag::new(name).unwrap());
    let category = Facet::category(&Category::new("room").unwrap());
    let all_retired: Vec<u128> = (1..40).collect();
    for (what, filter, count) in [
        ("active", active.clone(), 51),
        ("retired", retired.clone(), 39),
        ("a kind", none().with_any([kind(ResourceKind::Room)]), 51),
        ("both kinds", none().with_any([ResourceKind::Room, ResourceKind::Staff].map(kind)), 51),
        ("a kind of none", none().with_any([kind(ResourceKind::Equipment)]), 0),
        ("a rare tag", none().with_any([tag("Rare")]), 13),
        ("either tag", none().with_any([tag("rare"), tag("common")]), 51),
        ("both tags", none().with_any([tag("rare")]).with_any([tag("common")]), 0),
        ("retired, of a common tag", retired.clone().with_any([tag("common")]), 39),
        ("a rare pair", none().with_any([pair("rare")]), 13),
        ("a pair and a tag", none().with_any([pair("rare")]).with_any([tag("common")]), 0),
        ("a category is no kind", none().with_any([category]), 0),
    ] {
        let found = reads_few::<Resource>(what, &tenant, &filter, &mut connection).await;
        assert_eq!(found.len(), count, "{what}");
    }
    let found = reads_few::<Resource>("retired", &tenant, &retired, &mut connection).await;
    assert_eq!(found, all_retired);
}
