//! The words of personal titles: what they are found by, which is made of what is open and goes with whom it is about.

use cqrs_es::Aggregate as _;
use daybook_domain::appointment::Appointment;
use daybook_domain::client::ClientEvent;
use daybook_domain::{FreeTitle, TenantId};
use daybook_store::personal::{About, Keyring, KeyringError};
use daybook_store::{AnyEvent, RecordedEvent};
use uuid::Uuid;

use super::Appointments;
use super::version::AppointmentVersion;
use crate::kit::statement;
use crate::search::tokens::TitleTokens;
use crate::{ApplyError, Tables};

/// The tokens of each version's title; of a public one there are none, and where there is no other, nothing is asked for.
pub(super) async fn word_tokens(
    keyring: Option<&Keyring>,
    tenant: &TenantId,
    versions: &[AppointmentVersion],
) -> Result<Vec<Vec<i64>>, KeyringError> {
    let mut tokens = vec![Vec::new(); versions.len()];
    let mut numbers = Vec::new();
    let mut titles: Vec<(About<'_>, FreeTitle)> = Vec::new();
    for (n, AppointmentVersion { appointment, .. }) in versions.iter().enumerate() {
        if appointment.title.is_personal() {
            let id = appointment.appointment_id.uuid();
            titles.push((About { tenant, kind: Appointment::TYPE, id }, appointment.title.clone()));
            numbers.push(n);
        }
    }
    let Some(keyring) = keyring.filter(|_| !titles.is_empty()) else { return Ok(tokens) };
    let of_tenant = TitleTokens::of(keyring, tenant).await?;
    // Of whom is erased by now nothing is to be found, whatever this program remembers: what forgets it is done once.
    keyring.unremembered().open(&mut titles).await?;
    for (n, (_, title)) in numbers.into_iter().zip(&titles) {
        tokens[n] = title.reveal().map(|title| of_tenant.all(title)).unwrap_or_default();
    }
    Ok(tokens)
}

statement!(
    /// Of whom all appointments are found by their primary keys, and those of clients by that of the list of parties. A title
    /// with tokens has no other words, so the bits of its words go, too.
    FORGET_WORDS: Appointments = "
    UPDATE {schema}.appointments AS a
       SET terms = ARRAY(SELECT each.term FROM unnest(a.terms) WITH ORDINALITY AS each (term, n)
                          WHERE each.term <> ALL (a.word_tokens) ORDER BY each.n),
           word_tokens = '{}', low_word_signature = 0, high_word_signature = 0
     WHERE a.tenant_id = $1 AND a.word_tokens <> '{}'
       AND a.appointment_id IN (SELECT p.appointment_id FROM {schema}.appointments_by_party AS p
                                 WHERE p.tenant_id = $1 AND p.party_id = ANY($2))"
);

/// Takes out the words of those who are erased: their keys were destroyed before the event that says so, and after it nothing is
/// opened any more.
pub(super) async fn forget_erased(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    events: &[RecordedEvent],
) -> Result<(), ApplyError> {
    let erased = events.iter().filter_map(|recorded| match &recorded.event {
        AnyEvent::Client(id, ClientEvent::ClientErased(_)) => Some(id.uuid()),
        _ => None,
    });
    let erased: Vec<Uuid> = erased.collect();
    if !erased.is_empty() {
        let forget = tables.sql(&FORGET_WORDS);
        let query = sqlx::query(&forget).bind(tenant.as_str()).bind(erased);
        query.execute(tables.connection()).await?;
    }
    Ok(())
}
