//! The views of two programs, and a database user with few rights.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};
use sqlx::{Executor as _, PgPool};

use super::set::{REVISION, Set, VIEWS};
use super::{AnalystRole, Published, publish, publish_set};
use crate::ProjectionId;
use crate::appointments::Appointments;
use crate::tests::bookings::booked;
use crate::tests::world::World;
use crate::utilisation::Utilisation;

/// Which views revision 1, 2, ... had: by this a change without a new number is found.
const FINGERPRINTS: [&str; 7] = [
    "695d1aa0b7583906",
    "6bddee5afecb0efe",
    "0f962bf2f192daaf",
    "2e07f10e58c0f395",
    "f0520e2ad54b7dde",
    "aa59cce97596b419",
    "96cd9ecb9f361a07",
];

#[test]
fn whoever_changes_the_views_raises_their_number() {
    let fingerprint = format!("{:x}", Sha256::digest(VIEWS));
    let known = FINGERPRINTS.last().copied().unwrap_or_default();
    assert_eq!(
        (FINGERPRINTS.len(), known),
        (usize::try_from(REVISION).unwrap(), &fingerprint[..16]),
        "raise `REVISION` and add this fingerprint"
    );
}

#[test]
fn the_views_are_about_the_versions_that_this_program_has() {
    let set = Set::ours();
    let words = set.views.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'));
    let schemas = words.filter_map(|word| word.split_once('.').map(|(schema, _)| schema));
    let versioned: BTreeSet<&str> =
        schemas.filter(|schema| schema.ends_with(|c: char| c.is_ascii_digit())).collect();
    let sources: BTreeSet<String> = set.sources.iter().map(ToString::to_string).collect();
    assert_eq!(versioned, sources.iter().map(String::as_str).collect());
}

async fn categories(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar("SELECT category FROM analytics.appointments").fetch_all(pool).await.unwrap()
}

/// The next version of the appointments projection.
const NEWER: ProjectionId =
    ProjectionId { version: Appointments::ID.version + 1, ..Appointments::ID };

/// The set of a program that has it.
async fn a_newer_one(world: &World) -> Set {
    let statements = format!(
        "CREATE SCHEMA {NEWER};
         CREATE TABLE {NEWER}.appointments AS SELECT * FROM {}.appointments;
         UPDATE {NEWER}.appointments SET category = 'newer'",
        Appointments::ID
    );
    world.pool.execute(statements.as_str()).await.unwrap();
    let sources = Set::ours().sources.into_iter();
    let sources = sources.map(|id| if id == Appointments::ID { NEWER } else { id });
    Set::of(sources.collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_program_points_the_views_to_its_tables_and_an_older_one_leaves_them_there() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let runner = world.start(world.projections());
    let head = world.append(&tenant, &[booked(1)]).await;
    world.caught_up(&tenant, Appointments::ID, head).await;
    runner.stop().await;
    assert_eq!(publish(&world.pool).await.unwrap(), Published::Ours(AnalystRole::Ready));
    assert_eq!(categories(&world.pool).await, ["care"]);
    let newer = a_newer_one(&world).await;
    publish_set(&world.pool, &newer).await.unwrap();
    assert_eq!(categories(&world.pool).await, ["newer"]);
    let left = Published::Newer { revision: newer.revision };
    assert_eq!(publish(&world.pool).await.unwrap(), left);
    assert_eq!(categories(&world.pool).await, ["newer"]);
    // It can be published again, and then nothing is replaced.
    publish_set(&world.pool, &newer).await.unwrap();
    // Who goes back to the older one for good takes the views away.
    world.pool.execute("DROP SCHEMA analytics CASCADE").await.unwrap();
    assert_eq!(publish(&world.pool).await.unwrap(), Published::Ours(AnalystRole::Ready));
    assert_eq!(categories(&world.pool).await, ["care"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_that_an_older_program_called_otherwise_are_renamed() {
    let world = World::new().await;
    publish(&world.pool).await.unwrap();
    let columns = async || -> Vec<String> {
        sqlx::query_scalar(
            "SELECT a.attrelid::regclass || '.' || a.attname FROM pg_attribute a
               JOIN pg_class c ON c.oid = a.attrelid
              WHERE c.relnamespace = 'analytics'::regnamespace AND c.relkind = 'v' ORDER BY 1",
        )
        .fetch_all(&world.pool)
        .await
        .unwrap()
    };
    let ours = columns().await;
    world
        .pool
        .execute(
            "ALTER VIEW analytics.events RENAME COLUMN version TO sequence;
             ALTER VIEW analytics.appointments_over_time RENAME COLUMN to_at TO valid_to;
             UPDATE analytics.revision SET revision = 1",
        )
        .await
        .unwrap();
    assert_ne!(columns().await, ours);
    publish(&world.pool).await.unwrap();
    assert_eq!(columns().await, ours);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_stay_as_they_are_while_the_tables_of_a_new_version_are_built() {
    let world = World::new().await;
    publish(&world.pool).await.unwrap();
    let newer = a_newer_one(&world).await;
    let rename = format!("ALTER SCHEMA {NEWER} RENAME TO {NEWER}_building");
    world.pool.execute(rename.as_str()).await.unwrap();
    assert_eq!(publish_set(&world.pool, &newer).await.unwrap(), Published::NotYet);
    // The older program still has them.
    assert_eq!(publish(&world.pool).await.unwrap(), Published::Ours(AnalystRole::Ready));
    let rename = format!("ALTER SCHEMA {NEWER}_building RENAME TO {NEWER}");
    world.pool.execute(rename.as_str()).await.unwrap();
    let published = publish_set(&world.pool, &newer).await.unwrap();
    assert_eq!(published, Published::Ours(AnalystRole::Ready));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_that_are_left_with_other_tables_are_made_again_although_their_number_is_the_same() {
    let world = World::new().await;
    publish(&world.pool).await.unwrap();
    // What a rebuild beside the live tables does when it is done.
    let live = Utilisation::ID;
    let statements = format!(
        "ALTER SCHEMA {live} RENAME TO {live}_old;
         CREATE SCHEMA {live};
         CREATE TABLE {live}.offered (LIKE {live}_old.offered INCLUDING ALL);
         CREATE TABLE {live}.taken (LIKE {live}_old.taken INCLUDING ALL)"
    );
    world.pool.execute(statements.as_str()).await.unwrap();
    publish(&world.pool).await.unwrap();
    // A view that still needs it would go with it.
    world.pool.execute(format!("DROP SCHEMA {live}_old CASCADE").as_str()).await.unwrap();
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM analytics.utilisation")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert_eq!(count, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_programs_that_start_at_once_agree() {
    let world = World::new().await;
    let role = "daybook_analyst_of_many";
    let set = Set { role, ..Set::ours() };
    let all = (0..8).map(|_| publish_set(&world.pool, &set));
    for published in futures::future::join_all(all).await {
        assert_eq!(published.unwrap(), Published::Ours(AnalystRole::Ready));
    }
    let statements = "DROP OWNED BY daybook_analyst_of_many; DROP ROLE daybook_analyst_of_many";
    world.pool.execute(statements).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_user_who_may_not_make_the_role_makes_the_views_all_the_same() {
    let world = World::new().await;
    let database: String =
        sqlx::query_scalar("SELECT current_database()").fetch_one(&world.pool).await.unwrap();
    let (appointments, utilisation) = (Appointments::ID, Utilisation::ID);
    let statements = format!(
        "CREATE ROLE daybook_limited LOGIN;
         GRANT CREATE ON DATABASE {database} TO daybook_limited;
         GRANT USAGE ON SCHEMA {appointments}, {utilisation} TO daybook_limited;
         GRANT SELECT ON ALL TABLES IN SCHEMA {appointments}, {utilisation}, public
             TO daybook_limited"
    );
    world.pool.execute(statements.as_str()).await.unwrap();
    let options = world.pool.connect_options().as_ref().clone().username("daybook_limited");
    let limited = PgPool::connect_with(options).await.unwrap();
    let role = "daybook_analyst_of_nobody";
    let set = Set { role, ..Set::ours() };
    let published = publish_set(&limited, &set).await.unwrap();
    assert_eq!(published, Published::Ours(AnalystRole::MayNotBeMade));
    // The operator makes it, and the program starts again.
    world.pool.execute(format!("CREATE ROLE {role} NOLOGIN").as_str()).await.unwrap();
    let published = publish_set(&limited, &set).await.unwrap();
    assert_eq!(published, Published::Ours(AnalystRole::Ready));
    limited.close().await;
    let may: bool = sqlx::query_scalar(
        "SELECT has_table_privilege($1, 'analytics.events', 'SELECT')
            AND NOT has_table_privilege($1, 'events', 'SELECT')",
    )
    .bind(role)
    .fetch_one(&world.pool)
    .await
    .unwrap();
    assert!(may);
    let statements = "DROP OWNED BY daybook_analyst_of_nobody, daybook_limited;
        DROP ROLE daybook_analyst_of_nobody, daybook_limited";
    world.pool.execute(statements).await.unwrap();
}
