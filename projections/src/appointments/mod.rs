//! The appointments projection: every appointment, and every session, as it was from one event of it to the next.
//! How they are now is the last of these versions.
//!
//! * `version`: a row, made of changes ([`crate::change`]); `parties`, `day_counts`: where searches begin;
//!   `titles`: what personal titles are found by; `sessions`: the same as all this of sessions.
//! * Those who read it are [`crate::search`] (what is so now), [`crate::history`] (what was so at a moment) and
//!   [`crate::client_history`] (what became of a client's appointments).
//!
//! Why it is kept and indexed as it is: `docs/adr/0006-search-index.md`, `docs/adr/0017-what-was-is-kept-in-rows.md`.

mod day_counts;
pub(crate) mod parties;
pub(crate) mod sessions;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod titles;
pub(crate) mod version;

use std::sync::Arc;

use cqrs_es::Aggregate as _;
use daybook_domain::TenantId;
use daybook_domain::appointment::Appointment;
use daybook_domain::session::Session;
use daybook_store::RecordedEvent;
use daybook_store::personal::Keyring;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::runtime::Handle;

use crate::change::{self, AppointmentChanges};
use crate::search::terms::TermsOf;
use crate::{
    ApplyError, Backfill, Bulk, CopyRows, FoldStream, Projection, ProjectionId, TableSpec, Tables,
};
use version::{APPOINTMENTS, AppointmentVersion, ENDED, EndedVersion, VersionRow, Versions};

/// The appointments projection.
#[derive(Debug, Clone, Default)]
pub struct Appointments {
    keyring: Option<Keyring>,
}

impl Appointments {
    /// Its name and version.
    pub const ID: ProjectionId = ProjectionId { name: "appointments", version: 8 };

    /// The same, which makes tokens of the words of personal titles: without a keyring these are found by nothing.
    #[must_use]
    pub fn opened_by(self, keyring: Option<Keyring>) -> Self {
        Self { keyring }
    }
}

impl Projection for Appointments {
    fn id(&self) -> ProjectionId {
        Self::ID
    }

    fn ddl(&self) -> &'static str {
        include_str!("schema.sql")
    }

    fn indexes(&self) -> &'static str {
        include_str!("indexes.sql")
    }

    fn tables(&self) -> Vec<&'static dyn TableSpec> {
        vec![&APPOINTMENTS, &parties::BY_PARTY, &day_counts::DAY_COUNTS, &sessions::SESSIONS]
    }

    fn backfill(&self) -> Backfill {
        Backfill::Copy(Arc::new(self.clone()))
    }

    fn maintenance(&self) -> Option<&'static str> {
        Some(
            "SELECT gin_clean_pending_list('{schema}.current_terms'),
                    gin_clean_pending_list('{schema}.past_terms')",
        )
    }

    fn apply<'a>(
        &'a self,
        tables: &'a mut Tables<'_>,
        tenant: &'a TenantId,
        events: &'a [RecordedEvent],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            let earlier = change::earlier(tables, tenant, events).await?;
            let changes = AppointmentChanges::of(&earlier, events)?;
            let (mut ended, mut made) = (Vec::new(), Vec::new());
            for stream in changes.streams() {
                let versions = Versions::of(stream)?;
                ended.extend(versions.ended);
                made.extend(versions.made);
            }
            let tokens = titles::word_tokens(self.keyring.as_ref(), tenant, &made).await;
            let position = events.last().map(|event| event.position).unwrap_or_default();
            let tokens = tokens.map_err(|error| ApplyError::closed(error, position))?;
            write(tables, tenant, &ended, made.into_iter().zip(tokens).collect()).await?;
            titles::forget_erased(tables, tenant, events).await?;
            sessions::apply(tables, tenant, events).await
        }
        .boxed()
    }
}

/// Writes the versions that a batch ends, and those that it makes with the tokens of their titles, and all that is kept beside
/// them.
async fn write(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    ended: &[AppointmentVersion],
    made: Vec<(AppointmentVersion, Vec<i64>)>,
) -> Result<(), ApplyError> {
    let versions = || made.iter().map(|(version, _)| version);
    let counts = day_counts::changes(versions(), ended);
    day_counts::DAY_COUNTS.insert_or(day_counts::ADD, tables, tenant, &counts).await?;
    let ended = ended.iter().map(|AppointmentVersion { appointment, until, .. }| EndedVersion {
        appointment_id: appointment.appointment_id,
        position: appointment.position,
        until: *until,
    });
    let ended: Vec<EndedVersion> = ended.collect();
    ENDED.update(&["until_position", "until_at"], tables, tenant, &ended).await?;
    let entries = parties::entries(versions());
    parties::BY_PARTY.insert_or(parties::LATER_END, tables, tenant, &entries).await?;
    let terms = TermsOf::new(tenant);
    let row = |(version, tokens)| VersionRow::of(version, tokens, &terms);
    let rows: Vec<_> = made.into_iter().map(row).collect();
    APPOINTMENTS.insert(tables, tenant, &rows).await
}

impl Bulk for Appointments {
    fn kinds(&self) -> &'static [&'static str] {
        &[Appointment::TYPE, Session::TYPE]
    }

    fn folder<'a>(&'a self, tenant: &'a TenantId) -> Box<dyn FoldStream + Send + 'a> {
        let keyring = self.keyring.as_ref();
        Box::new(Folder { tenant, terms: TermsOf::new(tenant), keyring, to_open: Vec::new() })
    }

    fn totals(&self) -> Option<&'static str> {
        Some(&day_counts::COUNT_ALL)
    }
}

struct Folder<'a> {
    tenant: &'a TenantId,
    terms: TermsOf,
    keyring: Option<&'a Keyring>,
    /// Those with a personal title: they are opened together.
    to_open: Vec<AppointmentVersion>,
}

impl FoldStream for Folder<'_> {
    fn fold(&mut self, stream: &[RecordedEvent], rows: &mut CopyRows) -> Result<(), ApplyError> {
        for stream in AppointmentChanges::of(&[], stream)?.streams() {
            let Versions { made, .. } = Versions::of(stream)?;
            for entry in parties::entries(&made) {
                rows.add(&parties::BY_PARTY, self.tenant, &entry)?;
            }
            for version in made {
                if version.appointment.title.is_personal() {
                    self.to_open.push(version);
                } else {
                    let row = VersionRow::of(version, Vec::new(), &self.terms);
                    rows.add(&APPOINTMENTS, self.tenant, &row)?;
                }
            }
        }
        let (_, sessions) = sessions::versions(&[], stream)?;
        sessions.iter().try_for_each(|row| rows.add(&sessions::SESSIONS, self.tenant, row))
    }

    fn finish(&mut self, rows: &mut CopyRows) -> Result<(), ApplyError> {
        let versions = std::mem::take(&mut self.to_open);
        let Some(last) = versions.last().map(|version| version.appointment.position) else {
            return Ok(());
        };
        let tokens = titles::word_tokens(self.keyring, self.tenant, &versions);
        let tokens = Handle::current().block_on(tokens);
        let tokens = tokens.map_err(|error| ApplyError::closed(error, last))?;
        for (version, tokens) in versions.into_iter().zip(tokens) {
            let row = VersionRow::of(version, tokens, &self.terms);
            rows.add(&APPOINTMENTS, self.tenant, &row)?;
        }
        Ok(())
    }
}
