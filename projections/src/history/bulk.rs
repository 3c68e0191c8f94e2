//! The rows of whole streams, for COPY.

use std::collections::HashMap;

use cqrs_es::Aggregate as _;
use daybook_domain::appointment::Appointment;
use daybook_domain::session::Session;
use daybook_domain::{SessionId, TenantId};
use daybook_store::RecordedEvent;

use super::version::AppointmentVersion;
use super::write::MORE_COLUMNS;
use super::{History, fold, listing, sessions, standing};
use crate::search::columns::{Copied, NAMES};
use crate::{ApplyError, Bulk, CopyRows, FoldStream};

impl Bulk for History {
    fn kinds(&self) -> &'static [&'static str] {
        &[Appointment::TYPE, Session::TYPE]
    }

    fn tables(&self) -> Vec<String> {
        vec![
            format!("history_2.appointments (tenant_id, {NAMES}, {MORE_COLUMNS})"),
            format!("history_2.listed (tenant_id, {})", listing::NAMES),
            format!("history_2.sessions (tenant_id, {})", sessions::NAMES),
        ]
    }

    fn folder<'a>(&'a self, tenant: &'a TenantId) -> Box<dyn FoldStream + Send + 'a> {
        Box::new(Folder { tenant, appointments: Copied::new(tenant) })
    }

    fn totals(&self) -> Option<&'static str> {
        Some(standing::OF_ALL)
    }
}

struct Folder<'a> {
    tenant: &'a TenantId,
    appointments: Copied<'a>,
}

impl FoldStream for Folder<'_> {
    fn fold(&mut self, stream: &[RecordedEvent], rows: &mut [CopyRows]) -> Result<(), ApplyError> {
        let [appointments, listed, sessions] = rows else { return Ok(()) };
        let versions = fold::appointments(HashMap::new(), stream)?.made;
        for row in &versions {
            self.add(row, appointments)?;
        }
        listing::copy(self.tenant, &versions, listed)?;
        sessions::copy(self.tenant, &fold::sessions(HashMap::new(), stream)?.made, sessions)
    }
}

impl Folder<'_> {
    fn add(&self, row: &AppointmentVersion, rows: &mut CopyRows) -> Result<(), ApplyError> {
        let AppointmentVersion { appointment, placed, recorded_at, until } = row;
        let blocks = self.appointments.terms().happened_at(appointment.position);
        let seats: Vec<i16> = placed.seats.iter().map(|seat| seat.cast_signed()).collect();
        self.appointments
            .row(rows, 7, appointment, &blocks)?
            .push(*recorded_at)?
            .push(until.map(|until| until.position.as_i64()))?
            .push(until.map(|until| until.at))?
            .push(placed.busy.start())?
            .push(placed.busy.end())?
            .push(seats)?
            .push(placed.session_id.map(SessionId::uuid))?;
        Ok(())
    }
}
