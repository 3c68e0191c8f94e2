//! The rows about what is taken.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono_tz::Tz;
use daybook_domain::{Category, ResourceId, ServiceId, TenantId};
use sqlx::FromRow;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::Utilisation;
use super::booked::{Booking, Taken};
use crate::kit::{Column, Json, Table, column, statement};
use crate::{ApplyError, Tables};

/// An appointment or a session.
pub(super) struct BookingRow {
    booking_id: Uuid,
    booking: Booking,
}

/// What one of them takes of a resource on a day.
pub(super) struct TakenRow {
    booking_id: Uuid,
    service_id: ServiceId,
    category: Category,
    taken: Taken,
}

pub(super) static BOOKINGS: LazyLock<Table<BookingRow>> = LazyLock::new(|| {
    Table::new(
        "bookings",
        [
            Column::field("booking_id", |row: &BookingRow| &row.booking_id).key(),
            Column::json("booking", |row| &row.booking),
        ],
    )
});

pub(super) static TAKEN: LazyLock<Table<TakenRow>> = LazyLock::new(|| {
    Table::new(
        "taken",
        [
            Column::field("booking_id", |row: &TakenRow| &row.booking_id).key(),
            Column::field("resource_id", |row: &TakenRow| &row.taken.resource_id).key(),
            Column::field("day", |row: &TakenRow| &row.taken.day).key(),
            Column::field("nth", |row| &row.taken.nth),
            Column::field("service_id", |row| &row.service_id),
            Column::field("category", |row| &row.category),
            Column::value("status", |row| row.taken.standing.as_str()),
            Column::field("minutes", |row| &row.taken.minutes),
            Column::field("begins", |row| &row.taken.begins),
            Column::field("lead_minutes", |row| &row.taken.lead_minutes),
        ],
    )
});

impl FromRow<'_, PgRow> for BookingRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let Json(booking) = column(row, "booking")?;
        Ok(Self { booking_id: column(row, "booking_id")?, booking })
    }
}

pub(super) async fn load(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, Booking>, sqlx::Error> {
    let rows = BOOKINGS.load(tables, tenant, ids.iter().copied()).await?;
    Ok(rows.into_iter().map(|row| (row.booking_id, row.booking)).collect())
}

statement!(
    /// Served by the primary key.
    FORGET: Utilisation = "DELETE FROM {schema}.taken WHERE tenant_id = $1 AND booking_id = ANY($2)"
);

/// Makes the rows of these bookings what they are now. Those that were there `before` may have some;
/// the others have none.
pub(super) async fn save(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    before: &[Uuid],
    bookings: BTreeMap<Uuid, Booking>,
    zones: &BTreeMap<ResourceId, Tz>,
) -> Result<(), ApplyError> {
    if !before.is_empty() {
        let forget = tables.sql(&FORGET);
        let query = sqlx::query(&forget).bind(tenant.as_str()).bind(before);
        query.execute(tables.connection()).await?;
    }
    let taken = bookings.iter().flat_map(|(id, booking)| {
        booking.taken(zones).into_iter().map(move |taken| TakenRow {
            booking_id: *id,
            service_id: booking.service_id,
            category: booking.category.clone(),
            taken,
        })
    });
    TAKEN.insert(tables, tenant, &taken.collect::<Vec<_>>()).await?;
    let bookings = bookings.into_iter();
    let rows = bookings.map(|(booking_id, booking)| BookingRow { booking_id, booking });
    Ok(BOOKINGS.upsert(tables, tenant, &rows.collect::<Vec<_>>()).await?)
}
