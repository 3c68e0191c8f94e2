//! The rows of whole streams, for COPY.

use cqrs_es::Aggregate as _;
use daybook_domain::TenantId;
use daybook_domain::appointment::Appointment;
use daybook_store::RecordedEvent;

use super::columns::{Copied, NAMES};
use super::fold::{self, Rows};
use super::{Search, listing};
use crate::{ApplyError, Bulk, CopyRows, FoldStream};

impl Bulk for Search {
    fn kinds(&self) -> &'static [&'static str] {
        &[Appointment::TYPE]
    }

    fn tables(&self) -> Vec<String> {
        vec![
            format!("search_3.appointments (tenant_id, {NAMES})"),
            "search_3.listed (tenant_id, listed_under, start_at, appointment_id)".to_owned(),
        ]
    }

    fn folder<'a>(&'a self, tenant: &'a TenantId) -> Box<dyn FoldStream + Send + 'a> {
        Box::new(Folder { tenant, appointments: Copied::new(tenant) })
    }
}

struct Folder<'a> {
    tenant: &'a TenantId,
    appointments: Copied<'a>,
}

impl FoldStream for Folder<'_> {
    fn fold(&mut self, stream: &[RecordedEvent], rows: &mut [CopyRows]) -> Result<(), ApplyError> {
        let [appointments, listed] = rows else { return Ok(()) };
        for row in fold::fold(Rows::new(), stream)?.values() {
            self.appointments.row(appointments, 0, row, &[])?;
            for (under, start, id) in listing::of(row) {
                let tenant = self.tenant.as_str();
                listed.row(4).push(tenant)?.push(under)?.push(start)?.push(id.uuid())?;
            }
        }
        Ok(())
    }
}
