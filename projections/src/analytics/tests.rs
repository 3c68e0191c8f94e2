//! The views of two programs, and a database user with few rights.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};
use sqlx::{Executor as _, PgPool};

use super::set::{REVISION, Set};
use super::{AnalystRole, Published, publish, publish_set};
use crate::ProjectionId;
use crate::search::Search;
use crate::tests::bookings::booked;
use crate::tests::world::World;

/// Which views revision 1, 2, ... had: by this a change without a new number is found.
const FINGERPRINTS: [&str; 3] = ["695d1aa0b7583906", "6bddee5afecb0efe", "0f962bf2f192daaf"];

#[test]
fn whoever_changes_the_views_raises_their_number() {
    let fingerprint = format!("{:x}", Sha256::digest(Set::ours().views));
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

/// The set of a program that has version 4 of the search projection.
async fn a_newer_one(world: &World) -> Set {
    let statements = "CREATE SCHEMA search_4;
        CREATE TABLE search_4.appointments AS SELECT * FROM search_3.appointments;
        UPDATE search_4.appointments SET category = 'newer'";
    world.pool.execute(statements).await.unwrap();
    let ours = Set::ours();
    let newer = ProjectionId { version: 4, ..Search::ID };
    let sources = ours.sources.iter().map(|id| if *id == Search::ID { newer } else { *id });
    Set {
        revision: REVISION + 1,
        views: ours.views.replace("search_3.", "search_4."),
        sources: sources.collect(),
        ..ours
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_program_points_the_views_to_its_tables_and_an_older_one_leaves_them_there() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let runner = world.start(world.projections());
    let head = world.append(&tenant, &[booked(1)]).await;
    world.caught_up(&tenant, Search::ID, head).await;
    runner.stop().await;
    assert_eq!(publish(&world.pool).await.unwrap(), Published::Ours(AnalystRole::Ready));
    assert_eq!(categories(&world.pool).await, ["care"]);
    let newer = a_newer_one(&world).await;
    publish_set(&world.pool, &newer).await.unwrap();
    assert_eq!(categories(&world.pool).await, ["newer"]);
    let left = Published::Newer { revision: REVISION + 1 };
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
async fn views_stay_as_they_are_while_the_tables_of_a_new_version_are_built() {
    let world = World::new().await;
    publish(&world.pool).await.unwrap();
    let newer = a_newer_one(&world).await;
    world.pool.execute("ALTER SCHEMA search_4 RENAME TO search_4_building").await.unwrap();
    assert_eq!(publish_set(&world.pool, &newer).await.unwrap(), Published::NotYet);
    // The older program still has them.
    assert_eq!(publish(&world.pool).await.unwrap(), Published::Ours(AnalystRole::Ready));
    world.pool.execute("ALTER SCHEMA search_4_building RENAME TO search_4").await.unwrap();
    let published = publish_set(&world.pool, &newer).await.unwrap();
    assert_eq!(published, Published::Ours(AnalystRole::Ready));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_that_are_left_with_other_tables_are_made_again_although_their_number_is_the_same() {
    let world = World::new().await;
    publish(&world.pool).await.unwrap();
    // What a rebuild beside the live tables does when it is done.
    let statements = "ALTER SCHEMA utilisation_2 RENAME TO utilisation_2_old;
        CREATE SCHEMA utilisation_2;
        CREATE TABLE utilisation_2.offered (LIKE utilisation_2_old.offered INCLUDING ALL);
        CREATE TABLE utilisation_2.taken (LIKE utilisation_2_old.taken INCLUDING ALL)";
    world.pool.execute(statements).await.unwrap();
    publish(&world.pool).await.unwrap();
    // A view that still needs it would go with it.
    world.pool.execute("DROP SCHEMA utilisation_2_old CASCADE").await.unwrap();
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
    let statements = format!(
        "CREATE ROLE daybook_limited LOGIN;
         GRANT CREATE ON DATABASE {database} TO daybook_limited;
         GRANT USAGE ON SCHEMA search_3, history_2, client_history_1, utilisation_2 TO daybook_limited;
         GRANT SELECT ON ALL TABLES IN SCHEMA search_3, history_2, client_history_1, utilisation_2,
             public
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
