//! Tenants: each has one log, and settings of its own.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybook_domain::notice::Notices;
use daybook_domain::service::{ClientEntryLimit, EntryLimit, HoldLimit};
use daybook_domain::time::OfferLength;
use daybook_domain::{
    ImportDays, LeastBookedDays, RetentionDays, TenantId, TenantSettings, Titles,
};
use moka::sync::Cache;
use serde::Serialize;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool, Row as _};

use crate::audit::{self, AuditEntry, AuditKind};
use crate::log::genesis;
use crate::retention;

/// Whose row it is.
///
/// # Errors
/// When it is no tenant's.
pub fn tenant_of(row: &PgRow) -> Result<TenantId, sqlx::Error> {
    let tenant: &str = row.try_get("tenant_id")?;
    tenant.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// How many rows a tenant has in a table of its own things; `None`: there is no such tenant. Whoever else counts those of the same
/// tenant waits until this transaction ends, so none is added past a limit.
pub(crate) async fn count_alone(
    tx: &mut PgConnection,
    tenant: &TenantId,
    table: &'static str,
) -> Result<Option<i64>, sqlx::Error> {
    let has_tenant = sqlx::query("SELECT FROM tenants WHERE tenant_id = $1 FOR NO KEY UPDATE")
        .bind(tenant.as_str())
        .fetch_optional(&mut *tx)
        .await?;
    if has_tenant.is_none() {
        return Ok(None);
    }
    // A statement of its own: it sees what was added while the lock was waited for.
    let count = sqlx::query_scalar(&format!("SELECT count(*) FROM {table} WHERE tenant_id = $1"))
        .bind(tenant.as_str())
        .fetch_one(tx)
        .await?;
    Ok(Some(count))
}

/// Makes a tenant and the start of its log, unless they are there. `true`: it was made now. What a tenant was called that was
/// deleted no other is called: programs that run may remember what they knew of it.
///
/// # Errors
/// When the database fails.
pub async fn create(
    pool: &PgPool,
    tenant: &TenantId,
    time_zone: &str,
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let made = sqlx::query(
        "INSERT INTO tenants (tenant_id, time_zone, created_at)
         SELECT $1, $2, $3
          WHERE NOT EXISTS (SELECT FROM deleted_tenants WHERE tenant_id = $1)
         ON CONFLICT DO NOTHING",
    )
    .bind(tenant.as_str())
    .bind(time_zone)
    .bind(now)
    .execute(&mut *tx)
    .await?;
    // One that is there has its log, or loses it just now.
    if made.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        "INSERT INTO log_heads (tenant_id, position, hash, recorded_at, active)
         VALUES ($1, 0, $2, $3, false)
         ON CONFLICT DO NOTHING",
    )
    .bind(tenant.as_str())
    .bind(genesis(tenant).as_slice())
    .bind(now)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(true)
}

/// Tenants in the order of their ids, those after `after`, at most `limit`: who goes through all of them does so page
/// by page.
///
/// # Errors
/// When the database fails.
pub async fn after(
    pool: &PgPool,
    after: Option<&TenantId>,
    limit: u32,
) -> Result<Vec<TenantId>, sqlx::Error> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT tenant_id FROM tenants WHERE tenant_id > $1 ORDER BY tenant_id LIMIT $2",
    )
    .bind(after.map_or("", TenantId::as_str))
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await?;
    let tenant = |name: String| name.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)));
    names.into_iter().map(tenant).collect()
}

/// What is known of a tenant beside its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// The zone in which its dates are read.
    pub time_zone: Tz,
    pub settings: TenantSettings,
}

macro_rules! settings {
    (
        numbers {$(
            $(#[$doc:meta])* $name:ident: $type:ident as $number:ty, $min:tt to $max:tt;
        )+}
        words {$(
            $(#[$word_doc:meta])* $word:ident: $words:ident;
        )+}
    ) => {
        /// What is to be otherwise; the rest stays.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
        pub struct NewSettings {
            $($(#[$doc])* pub $name: Option<$type>,)+
            $($(#[$word_doc])* pub $word: Option<$words>,)+
            /// The zone in which its dates are read.
            pub time_zone: Option<Tz>,
        }

        impl From<TenantSettings> for NewSettings {
            fn from(TenantSettings { $($name,)+ $($word),+ }: TenantSettings) -> Self {
                Self { $($name: Some($name),)+ $($word: Some($word),)+ time_zone: None }
            }
        }

        const READ: &str = concat!(
            "SELECT time_zone", $(", ", stringify!($name),)+ $(", ", stringify!($word),)+
            " FROM tenants WHERE tenant_id = $1"
        );

        const READ_LOCKED: &str = concat!(
            "SELECT time_zone", $(", ", stringify!($name),)+ $(", ", stringify!($word),)+
            " FROM tenants WHERE tenant_id = $1 FOR UPDATE"
        );

        const SET: &str = concat!(
            "UPDATE tenants AS t
                SET time_zone = coalesce(new.time_zone, t.time_zone)",
            $(", ", stringify!($name), " = coalesce(new.", stringify!($name), ", t.", stringify!($name), ")",)+
            $(", ", stringify!($word), " = coalesce(new.", stringify!($word), ", t.", stringify!($word), ")",)+
            " FROM jsonb_to_record($2) AS new (time_zone text", $(", ", stringify!($name), " int4",)+
            $(", ", stringify!($word), " text",)+ ")
              WHERE t.tenant_id = $1
          RETURNING t.time_zone", $(", t.", stringify!($name),)+ $(", t.", stringify!($word),)+ ""
        );

        /// What is not said is as the program has it.
        fn chosen(row: &PgRow) -> Result<TenantSettings, sqlx::Error> {
            let default = TenantSettings::default();
            Ok(TenantSettings {
                $($name: number::<$number, _>(row, stringify!($name))?.unwrap_or(default.$name),)+
                $($word: word(row, stringify!($word))?.unwrap_or(default.$word),)+
            })
        }
    };
}

daybook_domain::with_tenant_settings!(settings);

fn number<N, T>(row: &PgRow, column: &str) -> Result<Option<T>, sqlx::Error>
where
    N: TryFrom<i32, Error: std::error::Error + Send + Sync + 'static>,
    T: TryFrom<N, Error: std::error::Error + Send + Sync + 'static>,
{
    let Some(number) = row.try_get::<Option<i32>, _>(column)? else { return Ok(None) };
    let number = N::try_from(number).map_err(|error| sqlx::Error::Decode(error.into()))?;
    T::try_from(number).map(Some).map_err(|error| sqlx::Error::Decode(error.into()))
}

fn word<T>(row: &PgRow, column: &str) -> Result<Option<T>, sqlx::Error>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let word = row.try_get::<Option<&str>, _>(column)?;
    word.map(str::parse).transpose().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// What is known of a tenant; `None`: there is no such tenant.
///
/// # Errors
/// When the database fails.
pub async fn read(pool: &PgPool, tenant: &TenantId) -> Result<Option<Tenant>, sqlx::Error> {
    let row = sqlx::query(READ).bind(tenant.as_str()).fetch_optional(pool).await?;
    row.as_ref().map(decode).transpose()
}

/// Changes what a tenant has chosen; `None`: there is no such tenant. Programs that have read it a moment ago go on
/// by that for [`Tenants::KEPT`].
///
/// # Errors
/// When the database fails.
pub async fn set(
    pool: &PgPool,
    tenant: &TenantId,
    new: NewSettings,
) -> Result<Option<Tenant>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let row = sqlx::query(SET).bind(tenant.as_str()).bind(Json(new)).fetch_optional(&mut *tx);
    let Some(row) = row.await? else { return Ok(None) };
    record(&mut tx, tenant, new).await?;
    if let Some(days) = new.retention_days {
        retention::settled(&mut tx, tenant, days).await?;
    }
    let changed = decode(&row)?;
    tx.commit().await?;
    Ok(Some(changed))
}

/// Tells the tenant's audit log which settings were changed.
async fn record(
    tx: &mut PgConnection,
    tenant: &TenantId,
    new: NewSettings,
) -> Result<(), sqlx::Error> {
    let new = serde_json::to_value(new).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let given = new.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let fields = given.map(|(name, _)| name.clone()).collect();
    let changed = audit::entry(audit::now(tx).await?, AuditKind::SettingsChanged);
    audit::append(tx, &[(Some(tenant.clone()), AuditEntry { fields, ..changed })]).await
}

fn decode(row: &PgRow) -> Result<Tenant, sqlx::Error> {
    // A zone that this program does not know: its dates are read as they were before it was there.
    let time_zone = row.try_get::<&str, _>("time_zone")?.parse().unwrap_or(Tz::UTC);
    Ok(Tenant { time_zone, settings: chosen(row)? })
}

/// A change that is made only where things are as they were seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaced {
    /// It is made.
    Made(Tenant),
    /// They are not, and nothing has changed.
    Outdated,
}

/// Changes what a tenant has chosen, if what it has chosen by now is what whoever asks has seen; `None`: there is no
/// such tenant. Nobody else changes it between the two.
///
/// # Errors
/// When the database fails.
pub async fn replace(
    pool: &PgPool,
    tenant: &TenantId,
    new: NewSettings,
    is_seen: impl FnOnce(&TenantSettings) -> bool,
) -> Result<Option<Replaced>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let before = sqlx::query(READ_LOCKED).bind(tenant.as_str()).fetch_optional(&mut *tx).await?;
    let Some(before) = before.as_ref().map(decode).transpose()? else { return Ok(None) };
    if !is_seen(&before.settings) {
        tx.rollback().await?;
        return Ok(Some(Replaced::Outdated));
    }
    let row = sqlx::query(SET).bind(tenant.as_str()).bind(Json(new)).fetch_one(&mut *tx).await?;
    record(&mut tx, tenant, new).await?;
    if let Some(days) = new.retention_days {
        retention::settled(&mut tx, tenant, days).await?;
    }
    let changed = decode(&row)?;
    tx.commit().await?;
    Ok(Some(Replaced::Made(changed)))
}

/// Tenants as they were a moment ago. Cheap to clone; clones are one cache.
#[derive(Debug, Clone)]
pub struct Tenants {
    pool: PgPool,
    read: Cache<TenantId, Arc<Tenant>>,
}

impl Tenants {
    /// For how long what was read is gone by: a change takes effect everywhere within it.
    pub const KEPT: Duration = Duration::from_secs(5);

    /// How many are remembered.
    const CAPACITY: u64 = 100_000;

    pub(crate) fn new(pool: PgPool) -> Self {
        let read = Cache::builder().max_capacity(Self::CAPACITY).time_to_live(Self::KEPT).build();
        Self { pool, read }
    }

    /// What is known of a tenant. One that is not there is as one that has chosen nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get(&self, tenant: &TenantId) -> Result<Arc<Tenant>, sqlx::Error> {
        if let Some(known) = self.read.get(tenant) {
            return Ok(known);
        }
        self.present(tenant).await
    }

    /// The same as it is now, whatever is remembered.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn present(&self, tenant: &TenantId) -> Result<Arc<Tenant>, sqlx::Error> {
        let undecided = || Tenant { time_zone: Tz::UTC, settings: TenantSettings::default() };
        let found = Arc::new(read(&self.pool, tenant).await?.unwrap_or_else(undecided));
        self.read.insert(tenant.clone(), Arc::clone(&found));
        Ok(found)
    }

    /// Changes what a tenant has chosen: for this program at once. See [`replace`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn replace(
        &self,
        tenant: &TenantId,
        new: NewSettings,
        is_seen: impl FnOnce(&TenantSettings) -> bool,
    ) -> Result<Option<Replaced>, sqlx::Error> {
        let changed = replace(&self.pool, tenant, new, is_seen).await?;
        self.read.invalidate(tenant);
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Position;
    use crate::testing::{House, a_booking, noon, submission, uuid};

    #[tokio::test]
    async fn a_tenant_is_made_once_and_keeps_its_log() {
        let house = House::new().await;
        let log = house.log();
        let booking = submission(&house.tenant, uuid(1), 0, &a_booking(&[1], 0, 30));
        log.append(booking).await.unwrap();
        assert!(!create(&house.pool, &house.tenant, "UTC", noon()).await.unwrap());
        let found = read(&house.pool, &house.tenant).await.unwrap().unwrap();
        assert_eq!(found.time_zone, Tz::Europe__Oslo);
        assert_eq!(found.settings, TenantSettings::default());
        assert_eq!(log.head(&house.tenant).await.unwrap(), Some(Position::START.plus(1)));
        assert!(create(&house.pool, &"salon".parse().unwrap(), "UTC", noon()).await.unwrap());
    }

    #[tokio::test]
    async fn what_is_set_stays_set_and_the_rest_as_it_was() {
        let house = House::new().await;
        let two = HoldLimit::try_from(2).unwrap();
        let cached = Tenants::new(house.pool.clone());
        assert_eq!(cached.get(&house.tenant).await.unwrap().settings, TenantSettings::default());
        let new = NewSettings { holds_per_client: Some(two), ..NewSettings::default() };
        cached.replace(&house.tenant, new, |_| true).await.unwrap().unwrap();
        let five = OfferLength::try_from(5).unwrap();
        let new = NewSettings { offer_minutes: Some(five), ..NewSettings::default() };
        let set = set(&house.pool, &house.tenant, new).await.unwrap().unwrap().settings;
        let expected = TenantSettings {
            holds_per_client: two,
            offer_minutes: five,
            ..TenantSettings::default()
        };
        assert_eq!(set, expected);
        let seen = cached.get(&house.tenant).await.unwrap().settings;
        assert_eq!(seen.holds_per_client, two, "this program's change is seen by it at once");
        let zone = NewSettings { time_zone: Some(Tz::Asia__Tokyo), ..NewSettings::default() };
        cached.replace(&house.tenant, zone, |_| true).await.unwrap().unwrap();
        assert_eq!(cached.get(&house.tenant).await.unwrap().time_zone, Tz::Asia__Tokyo);
        let outdated = cached.replace(&house.tenant, new, |seen| seen.holds_per_client != two);
        assert_eq!(outdated.await.unwrap(), Some(Replaced::Outdated));
        assert_eq!(cached.present(&house.tenant).await.unwrap().settings, expected);
        let all = NewSettings::from(TenantSettings::default());
        assert!(
            replace(&house.pool, &"nobody".parse().unwrap(), all, |_| true)
                .await
                .unwrap()
                .is_none()
        );
        assert!(super::set(&house.pool, &"nobody".parse().unwrap(), all).await.unwrap().is_none());
        assert!(read(&house.pool, &"nobody".parse().unwrap()).await.unwrap().is_none());
    }
}
