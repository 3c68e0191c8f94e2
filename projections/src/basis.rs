//! What an answer rests on. Two answers to one question that rest on the same are the same, whichever program gave them and
//! when, so the basis is what an answer can be cached under; nothing that is cached is ever made invalid.
//!
//! A position alone is no such basis. A database that was restored from a copy of before has its positions anew, for
//! other events: so the hash of the event there is part of it, which is chained to all before it. And a projection that is made
//! anew has the same position in other tables: so what PostgreSQL knows its schema by is part of it, too.
//!
//! See `docs/adr/0066-nothing-that-is-cached-is-made-invalid.md`.

use daybook_domain::TenantId;
use daybook_store::Position;
use sqlx::{PgConnection, PgExecutor, PgPool, Postgres, Transaction};

use crate::ProjectionId;

/// What an answer rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basis {
    position: Position,
    /// The hash of the event there.
    hash: Vec<u8>,
    /// The projections that are read, and what PostgreSQL knows the schema of each by.
    tables: Vec<(ProjectionId, i64)>,
}

/// What PostgreSQL knows these schemas by, in their order: by their names as they are at this moment, whatever the
/// snapshot of the transaction.
const SCHEMAS: &str = "ARRAY(SELECT coalesce(to_regnamespace(name)::oid::bigint, 0)
                  FROM unnest($1::text[]) WITH ORDINALITY AS asked (name, nth) ORDER BY nth)";

impl Basis {
    /// What an answer of now would rest on; `None`: on no event, or the tables are not made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn now(
        pool: &PgPool,
        tenant: &TenantId,
        projection: ProjectionId,
    ) -> Result<Option<Self>, sqlx::Error> {
        // Served by the primary key, and by `events_tenant_id_position_key`.
        let sql = format!(
            "SELECT c.position, e.hash, {SCHEMAS}
               FROM checkpoints c JOIN events e ON e.tenant_id = c.tenant_id AND e.position = c.position
              WHERE c.tenant_id = $2 AND c.projection = $3 AND c.version = $4"
        );
        let found: Option<(i64, Vec<u8>, Vec<i64>)> = sqlx::query_as(&sql)
            .bind(names(&[projection]))
            .bind(tenant.as_str())
            .bind(projection.name)
            .bind(projection.version)
            .fetch_optional(pool)
            .await?;
        Ok(found.and_then(|(position, hash, schemas)| {
            Self::of(Position::from_i64(position), hash, &[projection], schemas)
        }))
    }

    /// What an answer of a moment rests on, once these projections have read as far; `None`: on no event, or the tables are not
    /// made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn then(
        pool: &PgPool,
        tenant: &TenantId,
        projections: &[ProjectionId],
        position: Position,
    ) -> Result<Option<Self>, sqlx::Error> {
        // Served by `events_tenant_id_position_key`.
        let sql = format!(
            "SELECT e.hash, {SCHEMAS} FROM events e WHERE e.tenant_id = $2 AND e.position = $3"
        );
        let found: Option<(Vec<u8>, Vec<i64>)> = sqlx::query_as(&sql)
            .bind(names(projections))
            .bind(tenant.as_str())
            .bind(position.as_i64())
            .fetch_optional(pool)
            .await?;
        Ok(found.and_then(|(hash, schemas)| Self::of(position, hash, projections, schemas)))
    }

    fn of(
        position: Position,
        hash: Vec<u8>,
        projections: &[ProjectionId],
        schemas: Vec<i64>,
    ) -> Option<Self> {
        let are_made = schemas.iter().all(|schema| *schema > 0);
        let tables = projections.iter().copied().zip(schemas).collect();
        are_made.then_some(Self { position, hash, tables })
    }

    /// Where in the log it is.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    /// All of it: no two have the same bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.position.get().to_be_bytes().to_vec();
        bytes.extend((self.hash.len() as u64).to_be_bytes());
        bytes.extend(&self.hash);
        for (projection, schema) in &self.tables {
            let name = projection.to_string();
            bytes.extend((name.len() as u64).to_be_bytes());
            bytes.extend(name.as_bytes());
            bytes.extend(schema.to_be_bytes());
        }
        bytes
    }

    /// Whether its tables are still those that are read. Whatever was read since it was looked up, and until now, was then read
    /// of these.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stands(&self, executor: impl PgExecutor<'_>) -> Result<bool, sqlx::Error> {
        let projections: Vec<ProjectionId> =
            self.tables.iter().map(|(projection, _)| *projection).collect();
        let schemas: Vec<i64> = sqlx::query_scalar(&format!("SELECT {SCHEMAS}"))
            .bind(names(&projections))
            .fetch_one(executor)
            .await?;
        Ok(self.tables.iter().map(|(_, schema)| *schema).eq(schemas))
    }
}

fn names(projections: &[ProjectionId]) -> Vec<String> {
    projections.iter().map(ToString::to_string).collect()
}

/// All statements of an answer look at the same rows, and it is known which those are.
pub(crate) struct Snapshot {
    transaction: Transaction<'static, Postgres>,
    basis: Option<Basis>,
}

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

impl Snapshot {
    /// One that is of `seen` or of what came after it.
    pub(crate) async fn begin(
        pool: &PgPool,
        tenant: &TenantId,
        seen: &Basis,
    ) -> Result<Self, sqlx::Error> {
        let mut transaction = pool.begin_with(BEGIN).await?;
        let mut basis = None;
        if let [(projection, _)] = seen.tables[..] {
            // Served as in `Basis::now`. The tables are those that were there before the snapshot, as `end` makes sure.
            let found: Option<(i64, Vec<u8>)> = sqlx::query_as(
                "SELECT c.position, e.hash
                   FROM checkpoints c JOIN events e ON e.tenant_id = c.tenant_id AND e.position = c.position
                  WHERE c.tenant_id = $1 AND c.projection = $2 AND c.version = $3",
            )
            .bind(tenant.as_str())
            .bind(projection.name)
            .bind(projection.version)
            .fetch_optional(&mut *transaction)
            .await?;
            basis = found.map(|(position, hash)| {
                let (position, tables) = (Position::from_i64(position), seen.tables.clone());
                Basis { position, hash, tables }
            });
        }
        Ok(Self { transaction, basis })
    }

    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// What all that was read rests on. `None`: the projection was made anew meanwhile, and its new tables are empty to a
    /// snapshot of before.
    pub(crate) async fn end(mut self) -> Result<Option<Basis>, sqlx::Error> {
        let basis = match self.basis {
            Some(basis) if basis.stands(&mut *self.transaction).await? => Some(basis),
            _ => None,
        };
        self.transaction.commit().await?;
        Ok(basis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_basis_tells_it_from_others() {
        let id = |version| ProjectionId { name: "figures", version };
        let basis = |position, hash: &[u8], tables: &[(ProjectionId, i64)]| Basis {
            position: Position::from_i64(position),
            hash: hash.to_vec(),
            tables: tables.to_vec(),
        };
        let one = basis(7, b"hash", &[(id(1), 100)]);
        assert_eq!(one.bytes(), one.clone().bytes());
        for other in [
            basis(8, b"hash", &[(id(1), 100)]),
            basis(7, b"other", &[(id(1), 100)]),
            basis(7, b"hash", &[(id(2), 100)]),
            basis(7, b"hash", &[(id(1), 101)]),
            basis(7, b"hash", &[(id(1), 100), (id(1), 100)]),
        ] {
            assert_ne!(one.bytes(), other.bytes(), "{other:?}");
        }
    }
}
