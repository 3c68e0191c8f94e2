//! The rows of whole streams, for COPY.

use cqrs_es::Aggregate as _;
use daybook_domain::appointment::Appointment;
use daybook_domain::{ResourceId, TenantId};
use daybook_store::RecordedEvent;

use super::ClientHistory;
use super::fold::{self, Rows};
use super::row::{APPOINTMENTS, PastAppointment, name};
use crate::{ApplyError, Bulk, CopyRows, FoldStream};

impl Bulk for ClientHistory {
    fn kinds(&self) -> &'static [&'static str] {
        &[Appointment::TYPE]
    }

    fn tables(&self) -> Vec<String> {
        vec![format!("{{schema}}.appointments (tenant_id, {})", APPOINTMENTS.names())]
    }

    fn folder<'a>(&'a self, tenant: &'a TenantId) -> Box<dyn FoldStream + Send + 'a> {
        Box::new(Folder { tenant })
    }
}

struct Folder<'a> {
    tenant: &'a TenantId,
}

impl FoldStream for Folder<'_> {
    fn fold(&mut self, stream: &[RecordedEvent], rows: &mut [CopyRows]) -> Result<(), ApplyError> {
        let [appointments] = rows else { return Ok(()) };
        let folded = fold::fold(Rows::new(), stream)?;
        folded.values().try_for_each(|row| add(self.tenant, row, appointments))
    }
}

fn add(tenant: &TenantId, row: &PastAppointment, rows: &mut CopyRows) -> Result<(), ApplyError> {
    let resources: Vec<_> = row.resource_ids.iter().map(ResourceId::uuid).collect();
    rows.row(17)
        .push(tenant.as_str())?
        .push(row.appointment_id.uuid())?
        .push(row.client_id.uuid())?
        .push(row.during.start())?
        .push(row.during.end())?
        .push(row.status.as_str())?
        .push(row.hold_expires_at)?
        .push(row.service_id.uuid())?
        .push(resources)?
        .push(row.category.as_str())?
        .push(row.booked_at)?
        .push(row.times_moved.cast_signed())?
        .push(row.cancelled.map(|it| name(it.by)))?
        .push(row.cancelled.map(|it| it.at))?
        .push(row.cancelled.is_some_and(|it| it.late))?
        .push(row.version.cast_signed())?
        .push(row.position.as_i64())?;
    Ok(())
}
