//! The search projection with one more column: how long an appointment is.

use std::sync::Arc;

use daybook_domain::TenantId;
use daybook_projections::search::Search;
use daybook_projections::{
    ApplyError, Backfill, Bulk, FoldStream, Projection, ProjectionId, Tables,
};
use daybook_store::RecordedEvent;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::PgPool;

/// What is new.
const COLUMN: &str = "ALTER TABLE search_3.appointments ADD COLUMN minutes integer
    GENERATED ALWAYS AS (extract(epoch FROM end_at - start_at) / 60) STORED;\n";

/// The projection in its next version. All that is written is written as before: the column makes
/// itself.
#[derive(Clone)]
pub(crate) struct NextSearch {
    before: Search,
    ddl: String,
    indexes: String,
}

impl NextSearch {
    const ID: ProjectionId =
        ProjectionId { name: Search::ID.name, version: Search::ID.version + 1 };

    pub(crate) fn new(pool: PgPool) -> Self {
        let before = Search::new(pool);
        let ddl = renamed(&format!("{}\n{COLUMN}", before.ddl()));
        let indexes = renamed(before.indexes());
        Self { before, ddl, indexes }
    }
}

impl Projection for NextSearch {
    fn id(&self) -> ProjectionId {
        Self::ID
    }

    fn ddl(&self) -> &str {
        &self.ddl
    }

    fn indexes(&self) -> &str {
        &self.indexes
    }

    fn backfill(&self) -> Backfill {
        Backfill::Copy(Arc::new(self.clone()))
    }

    fn apply<'a>(
        &'a self,
        tables: &'a mut Tables<'_>,
        tenant: &'a TenantId,
        events: &'a [RecordedEvent],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            // The same schema, for statements that are written for the version before.
            let schema = tables.schema().for_statements_of(Search::ID);
            let mut tables = Tables::new(tables.connection(), &schema);
            self.before.apply(&mut tables, tenant, events).await
        }
        .boxed()
    }
}

impl Bulk for NextSearch {
    fn kinds(&self) -> &'static [&'static str] {
        self.before.kinds()
    }

    fn tables(&self) -> Vec<String> {
        Bulk::tables(&self.before).iter().map(|table| renamed(table)).collect()
    }

    fn folder<'a>(&'a self, tenant: &'a TenantId) -> Box<dyn FoldStream + Send + 'a> {
        self.before.folder(tenant)
    }
}

fn renamed(sql: &str) -> String {
    sql.replace("search_3.", &format!("{}.", NextSearch::ID))
}
