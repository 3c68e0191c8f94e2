//! The appointments projection with one more column: how long an appointment is.

use daybook_domain::TenantId;
use daybook_projections::appointments::Appointments;
use daybook_projections::{ApplyError, Backfill, Projection, ProjectionId, Tables};
use daybook_store::RecordedEvent;
use futures::future::BoxFuture;

/// What is new.
const COLUMN: &str = "ALTER TABLE {schema}.appointments ADD COLUMN minutes integer
    GENERATED ALWAYS AS (extract(epoch FROM end_at - start_at) / 60) STORED;\n";

/// The projection in its next version. All that is written is written as before: the column makes
/// itself.
pub(crate) struct NextAppointments {
    like: Appointments,
    ddl: String,
}

impl NextAppointments {
    const ID: ProjectionId =
        ProjectionId { name: Appointments::ID.name, version: Appointments::ID.version + 1 };

    pub(crate) fn new() -> Self {
        let like = Appointments::default();
        Self { ddl: format!("{}\n{COLUMN}", like.ddl()), like }
    }
}

impl Projection for NextAppointments {
    fn id(&self) -> ProjectionId {
        Self::ID
    }

    fn ddl(&self) -> &str {
        &self.ddl
    }

    fn indexes(&self) -> &str {
        self.like.indexes()
    }

    fn backfill(&self) -> Backfill {
        self.like.backfill()
    }

    fn apply<'a>(
        &'a self,
        tables: &'a mut Tables<'_>,
        tenant: &'a TenantId,
        events: &'a [RecordedEvent],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        self.like.apply(tables, tenant, events)
    }
}
