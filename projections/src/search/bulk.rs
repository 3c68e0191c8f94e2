//! The rows of whole streams, for COPY.

use cqrs_es::Aggregate as _;
use daybook_domain::TenantId;
use daybook_domain::appointment::Appointment;
use daybook_store::RecordedEvent;

use super::Search;
use super::fold::{self, Rows};
use super::marks::Marks;
use super::row::FoundAppointment;
use super::terms::TermsOf;
use super::{listing, words};
use crate::{ApplyError, Bulk, CopyRows, FoldStream, Lexemes};

impl Bulk for Search {
    fn kind(&self) -> &'static str {
        Appointment::TYPE
    }

    fn tables(&self) -> Vec<String> {
        let tables = [
            "search_2.appointments (tenant_id, appointment_id, start_at, end_at, status, \
             hold_expires_at, category, tags, service_id, resource_ids, client_id, title, version, \
             position, terms, words, marks, low_word_marks, high_word_marks)",
            "search_2.listed (tenant_id, listed_under, start_at, appointment_id)",
        ];
        tables.map(str::to_owned).into()
    }

    fn folder<'a>(&'a self, tenant: &'a TenantId) -> Box<dyn FoldStream + Send + 'a> {
        Box::new(Folder { tenant, terms: TermsOf::new(tenant) })
    }
}

struct Folder<'a> {
    tenant: &'a TenantId,
    terms: TermsOf,
}

impl FoldStream for Folder<'_> {
    fn fold(&mut self, stream: &[RecordedEvent], rows: &mut [CopyRows]) -> Result<(), ApplyError> {
        let [appointments, listed] = rows else { return Ok(()) };
        for row in fold::fold(Rows::new(), stream)?.values() {
            self.add(row, appointments)?;
            for (under, start, id) in listing::of(row) {
                let tenant = self.tenant.as_str();
                listed.row(4).push(tenant)?.push(under)?.push(start)?.push(id.uuid())?;
            }
        }
        Ok(())
    }
}

impl Folder<'_> {
    fn add(&self, row: &FoundAppointment, rows: &mut CopyRows) -> Result<(), ApplyError> {
        let tags: Vec<&str> = row.tags.iter().map(daybook_domain::Tag::as_str).collect();
        let resources: Vec<_> =
            row.resource_ids.iter().map(daybook_domain::ResourceId::uuid).collect();
        let [known, low, high] = Marks::row(&self.terms, row).columns();
        rows.row(19)
            .push(self.tenant.as_str())?
            .push(row.appointment_id.uuid())?
            .push(row.during.start())?
            .push(row.during.end())?
            .push(row.status.as_str())?
            .push(row.hold_expires_at)?
            .push(row.category.as_str())?
            .push(tags)?
            .push(row.service_id.uuid())?
            .push(resources)?
            .push(row.client_id.uuid())?
            .push(row.title.as_str())?
            .push(row.version.cast_signed())?
            .push(row.position.as_i64())?
            .push(self.terms.row(row))?
            .push(Lexemes(&words::lexemes(self.tenant, &row.title)))?
            .push(known)?
            .push(low)?
            .push(high)?;
        Ok(())
    }
}
