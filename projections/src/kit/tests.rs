//! What the kit says of tables is what the database has.

use std::collections::BTreeSet;

use sqlx::PgPool;

use super::statement::testing;
use crate::{Schema, all};

#[tokio::test]
async fn the_columns_and_the_key_of_each_table_are_those_in_the_database() {
    let mut connection = testing::connect().await;
    for projection in all(&PgPool::connect_lazy("postgres://unused").unwrap(), None) {
        for table in projection.tables() {
            let found: Vec<(String, i64, bool)> = sqlx::query_as(
                "SELECT attname::text, atttypid::bigint, NOT attnotnull FROM pg_attribute
                  WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped",
            )
            .bind(format!("{}.{}", projection.id(), table.name()))
            .fetch_all(&mut connection)
            .await
            .unwrap();
            let tenant = ("tenant_id", 25, false);
            let stated = table.columns().into_iter().chain([tenant]);
            let stated: BTreeSet<_> =
                stated.map(|(name, oid, null)| (name.to_owned(), i64::from(oid), null)).collect();
            let found: BTreeSet<_> = found.into_iter().collect();
            assert_eq!(stated, found, "{}.{}", projection.id(), table.name());
            let key: Vec<String> = sqlx::query_scalar(
                "SELECT attname::text FROM pg_index
                  CROSS JOIN LATERAL unnest(indkey[:indnkeyatts - 1]) WITH ORDINALITY AS k (attnum, n)
                   JOIN pg_attribute a ON attrelid = indrelid AND a.attnum = k.attnum
                  WHERE indrelid = $1::regclass AND indisprimary ORDER BY n",
            )
            .bind(format!("{}.{}", projection.id(), table.name()))
            .fetch_all(&mut connection)
            .await
            .unwrap();
            let stated = ["tenant_id"].into_iter().chain(table.key());
            assert!(key.iter().eq(stated), "{key:?}: {}.{}", projection.id(), table.name());
        }
    }
}

#[tokio::test]
async fn the_statements_of_each_table_are_prepared_by_a_real_database() {
    for projection in all(&PgPool::connect_lazy("postgres://unused").unwrap(), None) {
        for statement in projection.tables().iter().flat_map(|table| table.statements()) {
            testing::prepare(&Schema::of(projection.id()).sql(&statement)).await;
        }
    }
}
