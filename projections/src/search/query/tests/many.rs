//! Appointments whose properties depend on each other and on time.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::appointment::Status;
use daybook_domain::time::{Duration, Interval};
use daybook_domain::{
    Category, Location, Metadata, Reference, ResourceId, Tag, Tags, TenantId, Title,
};
use daybook_store::Position;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::PgPool;
use uuid::Uuid;

use super::filters::every_combination;
use crate::Schema;
use crate::appointments::Appointments;
use crate::appointments::testing::{AppointmentVersion, Outcome, Placed, insert};
use crate::search::row::FoundAppointment;
use crate::tests::world::at;

pub(super) const TENANT: &str = "north";

/// Two years of appointments; the second one is to come.
pub(super) fn now() -> DateTime<Utc> {
    at("2026-06-01T00:00:00Z")
}

const FROM: &str = "2025-06-01T00:00:00Z";
const DAYS: i64 = 730;

pub(super) fn service(n: u128) -> Uuid {
    Uuid::from_u128(0x1000_0000 + n)
}
pub(super) fn resource(n: u128) -> Uuid {
    Uuid::from_u128(0x2000_0000 + n)
}
pub(super) fn client(n: u128) -> Uuid {
    Uuid::from_u128(0x3000_0000 + n)
}

/// Most draws are small numbers.
fn skewed(random: &mut StdRng, below: u32) -> u32 {
    let drawn = random.random_range(0..below) * random.random_range(0..below);
    drawn / below
}

/// As many as a search must be able to bear, at full size; else so many that what reads too much reads many times what it may.
pub(super) static VERY_MANY: LazyLock<Vec<FoundAppointment>> =
    LazyLock::new(|| appointments(if every_combination() { 200_000 } else { 60_000 }));

pub(super) fn appointments(count: u32) -> Vec<FoundAppointment> {
    let mut random = StdRng::seed_from_u64(7);
    let mut all: Vec<_> = (0..count).map(|n| appointment(&mut random, n, count)).collect();
    all.sort_by_key(|row| (row.during.start(), row.appointment_id));
    all
}

fn appointment(random: &mut StdRng, n: u32, count: u32) -> FoundAppointment {
    let day = random.random_range(0..DAYS);
    // One in a hundred is on one morning, all at once.
    let quarter = if n.is_multiple_of(100) { 0 } else { random.random_range(0..40) };
    let day = if n.is_multiple_of(100) { 400 } else { day };
    let start = at(FROM) + TimeDelta::days(day) + TimeDelta::minutes(8 * 60 + 15 * quarter);
    let past = start < now();
    let category = skewed(random, 12);
    let status = match (past, random.random_range(0..100)) {
        (true, 0..75) => Status::Fulfilled,
        (true, 75..92) | (false, 85..97) => Status::Cancelled,
        (true, 92..99) => Status::NoShow,
        (true, _) => Status::CheckedIn,
        (false, 0..85) => Status::Booked,
        (false, _) => Status::Held,
    };
    let lapses = TimeDelta::minutes(random.random_range(-30..30));
    // A service that is offered from the second year on takes a tenth of it.
    let service_number =
        if !past && random.random_ratio(1, 10) { 999 } else { skewed(random, 200) };
    let mut resources = vec![ResourceId::from(resource(random.random_range(0..500)))];
    if random.random_ratio(1, 4) {
        resources.push(resource(500 + random.random_range(0..20)).into());
    }
    FoundAppointment {
        // In the order of creation, which is not that of time.
        appointment_id: Uuid::from_u128(0x4000_0000_0000 + u128::from(n)).into(),
        during: Interval::lasting(start, Duration::from_minutes(30).unwrap()),
        status,
        hold_expires_at: (status == Status::Held).then(|| now() + lapses),
        category: Category::new(&format!("category {category}")).unwrap(),
        tags: tags(random, category, day),
        service_id: service(service_number.into()).into(),
        resource_ids: resources.try_into().unwrap(),
        client_id: client(random.random_range(0..u128::from(count / 10))).into(),
        title: title(random, service_number, n).into(),
        location: n.is_multiple_of(4).then(|| Location::new("North").unwrap()),
        reference: n.is_multiple_of(3).then(|| Reference::new(&format!("A-{n}")).unwrap()),
        metadata: kept(random, category, day),
        version: 1,
        position: Position::from_i64(i64::from(n) + 1),
        created_at: at(FROM) + TimeDelta::seconds(n.into()),
        // Some were changed long after they were made.
        updated_at: at(FROM) + TimeDelta::seconds(i64::from(n) + i64::from(n % 7) * 40),
    }
}

pub(super) fn metadata(pairs: &[(&str, &str)]) -> Metadata {
    serde_json::from_value(pairs.iter().copied().collect()).unwrap()
}

/// Where it comes from, which is not all of it from everywhere, and in which year.
fn kept(random: &mut StdRng, category: u32, day: i64) -> Metadata {
    let source = if category == 0 { 1 } else { skewed(random, 5) };
    let (source, year) = (source.to_string(), (day / 365).to_string());
    let pairs = [("source", &*source), ("year", &*year)];
    metadata(&pairs[..random.random_range(0..=2)])
}

fn tags(random: &mut StdRng, category: u32, day: i64) -> Tags {
    let mut tags = BTreeSet::new();
    for _ in 0..random.random_range(0..4) {
        let tag = skewed(random, 30);
        tags.insert(Tag::new(&format!("tag {tag}")).unwrap());
    }
    // Both are common, and never together.
    if category == 0 {
        tags.remove(&Tag::new("tag 0").unwrap());
    }
    // Both are common, and together only in the last months.
    if category == 1 && day < 650 {
        tags.remove(&Tag::new("tag 1").unwrap());
    }
    // A campaign: only in some weeks, and then everywhere.
    if (500..540).contains(&day) && random.random_ratio(3, 5) {
        tags.insert(Tag::new("campaign").unwrap());
    }
    Tags::try_from(tags).unwrap()
}

fn title(random: &mut StdRng, service: u32, n: u32) -> Title {
    let words = ["visit", "check-up", "consultation", "Årskontroll", "it's \"new\""];
    let word = words[skewed(random, 5) as usize];
    let rare = if n.is_multiple_of(3_001) { " consultative" } else { "" };
    Title::new(&format!("Service {service} {word}{rare}")).unwrap()
}

/// Each as it is now, and never was otherwise.
pub(super) async fn load_current(pool: &PgPool, rows: &[FoundAppointment]) -> TenantId {
    let version = |row: &FoundAppointment| AppointmentVersion {
        placed: Placed { busy: row.during, seats: vec![0], session_id: None },
        outcome: Outcome::default(),
        recorded_at: row.updated_at,
        until: None,
        appointment: row.clone(),
    };
    load(pool, &rows.iter().map(version).collect::<Vec<_>>()).await
}

/// Writes versions as a rebuild would: many at a time, and the large indexes last.
pub(super) async fn load(pool: &PgPool, versions: &[AppointmentVersion]) -> TenantId {
    let tenant: TenantId = TENANT.parse().unwrap();
    daybook_store::tenants::create(pool, &tenant, "UTC", now()).await.unwrap();
    let indexes: Vec<String> = sqlx::query_scalar(
        "SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON oid = indexrelid
          WHERE relnamespace = $1::regnamespace AND relname LIKE '%_terms'",
    )
    .bind(Appointments::ID.to_string())
    .fetch_all(pool)
    .await
    .unwrap();
    let drop = "DROP INDEX {schema}.current_terms, {schema}.past_terms";
    let schema = Schema::of(Appointments::ID);
    sqlx::raw_sql(&schema.sql(drop)).execute(pool).await.unwrap();
    // In the order of the log.
    let mut versions: Vec<_> = versions.to_vec();
    versions.sort_by_key(|version| version.appointment.position);
    for chunk in versions.chunks(20_000) {
        insert(pool, &tenant, chunk).await;
    }
    for index in indexes {
        sqlx::raw_sql(&index).execute(pool).await.unwrap();
    }
    for table in ["appointments", "appointments_by_party", "status_day_counts"] {
        vacuum(pool, &format!("{schema}.{table}")).await;
    }
    tenant
}

/// Vacuums until every page is known to be visible to all. While PostgreSQL analyzes any table of the
/// database by itself, its snapshot keeps pages from that, and what reads an index alone would read
/// them as well.
pub(super) async fn vacuum(pool: &PgPool, table: &str) {
    for _ in 0..300 {
        sqlx::raw_sql(&format!("VACUUM (ANALYZE) {table}")).execute(pool).await.unwrap();
        let visible = sqlx::query_scalar(
            "SELECT relallvisible >= pg_relation_size(oid) / current_setting('block_size')::bigint
             FROM pg_class WHERE oid = $1::regclass",
        );
        if visible.bind(table).fetch_one(pool).await.unwrap() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("pages of {table} stay invisible to somebody");
}
