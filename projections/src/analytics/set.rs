//! The views of a program, as one numbered set.
//!
//! A view shows no member of an event, and no column, that its statement does not name. Of two programs, the
//! newer one has the views.

use std::collections::BTreeSet;

use sqlx::{Executor as _, PgConnection};

use crate::ProjectionId;
use crate::appointments::Appointments;
use crate::utilisation::Utilisation;

/// Raised whenever `views.sql` changes.
pub(super) const REVISION: i32 = 7;

/// The views, about projections that are named without their versions: `{utilisation}.offered`.
pub(super) const VIEWS: &str = include_str!("views.sql");

/// The tenants whose rows whoever asks may see, by the roles that they have: the table `analysts`. `*` is all of them.
const SEEN: &str = "SELECT a.tenant_id FROM analysts a JOIN pg_roles r ON r.rolname = a.role_name
                      WHERE pg_has_role(current_user, r.oid, 'USAGE')";

/// Views that belong together.
#[derive(Debug, Clone)]
pub(super) struct Set {
    /// Of two programs, the one with the higher number has the views.
    pub(super) revision: i32,
    pub(super) views: String,
    pub(super) names: Vec<&'static str>,
    /// The projections that they are about.
    pub(super) sources: Vec<ProjectionId>,
    /// Who may read them.
    pub(super) role: &'static str,
}

impl Set {
    /// Those of this program.
    pub(super) fn ours() -> Self {
        Self::of(vec![Appointments::ID, Utilisation::ID])
    }

    /// The same, about these versions of projections. Their numbers only rise, so whoever has a newer one has a
    /// newer set; where a source goes, or is replaced by one whose versions begin anew, `REVISION` rises by
    /// what the sum loses.
    pub(super) fn of(sources: Vec<ProjectionId>) -> Self {
        let views = sources.iter().fold(VIEWS.replace("{seen}", SEEN), |views, id| {
            views.replace(&format!("{{{}}}", id.name), &id.to_string())
        });
        Self {
            revision: REVISION + sources.iter().map(|id| id.version).sum::<i32>(),
            views,
            names: vec!["events", "appointments", "appointments_over_time", "utilisation"],
            sources,
            role: "daybook_analyst",
        }
    }
}

/// The number of the set that is in the database. No table of a tenant's: the views are everybody's.
pub(super) async fn revision(connection: &mut PgConnection) -> Result<Option<i32>, sqlx::Error> {
    let there: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'analytics')")
            .fetch_one(&mut *connection)
            .await?;
    if !there {
        connection
            .execute(
                "CREATE SCHEMA analytics;
                 CREATE TABLE analytics.revision (revision integer NOT NULL PRIMARY KEY)",
            )
            .await?;
    }
    sqlx::query_scalar("SELECT max(revision) FROM analytics.revision").fetch_one(connection).await
}

/// Whether the tables that the views are about are there, each in a schema that has its name once it is whole.
pub(super) async fn can_be_made(
    connection: &mut PgConnection,
    set: &Set,
) -> Result<bool, sqlx::Error> {
    let schemas: Vec<String> = set.sources.iter().map(ToString::to_string).collect();
    sqlx::query_scalar(
        "SELECT count(*) = cardinality($1) FROM pg_namespace WHERE nspname = ANY($1)",
    )
    .bind(schemas)
    .fetch_one(connection)
    .await
}

/// Whether all views are there and about the tables of these projections: whoever makes a schema anew
/// under the same name leaves a view with the tables that it had.
pub(super) async fn is_there(
    connection: &mut PgConnection,
    set: &Set,
) -> Result<bool, sqlx::Error> {
    let views: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_class
          WHERE relnamespace = 'analytics'::regnamespace AND relkind = 'v' AND relname = ANY($1)",
    )
    .bind(&set.names)
    .fetch_one(&mut *connection)
    .await?;
    let schemas: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT n.nspname::text
           FROM pg_class v
           JOIN pg_rewrite r ON r.ev_class = v.oid
           JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                           AND d.refclassid = 'pg_class'::regclass
           JOIN pg_class t ON t.oid = d.refobjid
           JOIN pg_namespace n ON n.oid = t.relnamespace
          WHERE v.relnamespace = 'analytics'::regnamespace AND v.relname = ANY($1)
            AND n.nspname NOT IN ('analytics', 'pg_catalog', current_schema())",
    )
    .bind(&set.names)
    .fetch_all(connection)
    .await?;
    let schemas: BTreeSet<String> = schemas.into_iter().collect();
    let sources: BTreeSet<String> = set.sources.iter().map(ToString::to_string).collect();
    Ok(usize::try_from(views) == Ok(set.names.len()) && schemas == sources)
}

pub(super) async fn replace(connection: &mut PgConnection, set: &Set) -> Result<(), sqlx::Error> {
    connection.execute(set.views.as_str()).await?;
    connection.execute("DELETE FROM analytics.revision").await?;
    sqlx::query("INSERT INTO analytics.revision (revision) VALUES ($1)")
        .bind(set.revision)
        .execute(connection)
        .await?;
    Ok(())
}
