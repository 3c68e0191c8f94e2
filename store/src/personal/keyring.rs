//! The keys of persons, as the database has them.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cqrs_es::Aggregate as _;
use daybook_domain::appointment::Appointment;
use daybook_domain::client::Client;
use daybook_domain::series::Series;
use daybook_domain::{HasPersonal, PersonalJson, Sealed, Subject, TenantId};
use moka::sync::Cache;
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row as _};
use tokio::sync::watch;
use uuid::Uuid;

use super::key::SubjectKey;
use super::ledger::{ErasureLedger, LedgerError};
use super::master_key::{MasterKeyId, MasterKeys};
use super::tokens::Tokens;
use crate::Log;
use crate::audit::{self, AuditKind};
use crate::json::not_understood;

/// How many keys are kept in memory, and for how long, where nothing is heard.
const KEPT: u64 = 50_000;
const TTL: Duration = Duration::from_secs(10);

/// How many keys of tenants are kept: nothing ends one but its tenant, whose name is not given again.
const KEPT_OF_TENANTS: u64 = 10_000;

/// The tenant itself, whose key makes tokens.
const TENANT: Uuid = Uuid::nil();

/// What personal data belongs to: an aggregate.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    pub tenant: &'a TenantId,
    /// The type of the aggregate.
    pub kind: &'a str,
    /// The aggregate.
    pub id: Uuid,
}

/// Personal data cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// What wraps a key is not among the master keys of this program.
    #[error("the master key {0} is missing: name it with --master-key")]
    NoMasterKey(MasterKeyId),
    /// The master key that wraps is none of the database's: it was retired.
    #[error(
        "the database knows no master key {0}: it was retired, and another is to be named with --master-key"
    )]
    Retired(MasterKeyId),
    /// No key has that id: it was never one of this tenant's.
    #[error("there is no key {0}")]
    NoSuchKey(Uuid),
    /// The person's key is destroyed: nothing is sealed for them any more.
    #[error("the key of {0} is destroyed")]
    Destroyed(Uuid),
    /// What is there was not sealed there.
    #[error("{member} of {kind} {id} does not open: it was not sealed there")]
    DoesNotOpen {
        /// The member.
        member: &'static str,
        /// Of which type of aggregate.
        kind: String,
        /// Of which.
        id: Uuid,
    },
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// What was sealed is not what is read.
    #[error("what is sealed is not understood: {0}")]
    NotUnderstood(String),
}

impl KeyringError {
    fn of_json(error: &serde_json::Error) -> Self {
        Self::NotUnderstood(not_understood(error))
    }

    /// The same, where all that can fail is that the database is read.
    #[must_use]
    pub fn read(self) -> sqlx::Error {
        match self {
            Self::Database(error) => error,
            other => sqlx::Error::Decode(Box::new(other)),
        }
    }
}

/// What becomes of what a key has sealed.
#[derive(Clone)]
pub(super) enum State {
    Living(Arc<SubjectKey>),
    /// It lives, and what it opens is told to few.
    Restricted(Arc<SubjectKey>),
    Destroyed,
    /// A person has none: what is known of them was written in clear, if anything.
    None,
}

impl State {
    /// Whether what it opens is not for whoever asks now.
    fn is_withheld(&self) -> bool {
        matches!(self, Self::Restricted(_)) && audit::withholds_restricted()
    }
}

/// By what a key is looked up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum By {
    Subject(TenantId, Uuid),
    Id(TenantId, Uuid),
}

/// The keys of persons. Cheap to clone; clones are one cache.
#[derive(Clone)]
pub struct Keyring {
    pub(super) pool: PgPool,
    pub(super) master: MasterKeys,
    pub(super) kept: Cache<By, State>,
    of_tenants: Cache<TenantId, Arc<SubjectKey>>,
    /// Ticks when a key may have ended.
    ended: watch::Receiver<u64>,
    /// Up to which tick what is kept is right.
    seen: Arc<AtomicU64>,
    pub(super) ledger: Option<ErasureLedger>,
    /// Whether all who are in the ledger are erased here.
    pub(super) ledger_applied: Arc<AtomicBool>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({:?})", self.master)
    }
}

impl Keyring {
    /// The keys in the database of this log, which these master keys wrap. Of a key that is destroyed it hears where the log
    /// hears of others' commits.
    #[must_use]
    pub fn new(log: &Log, master: MasterKeys) -> Self {
        let kept = Cache::builder().max_capacity(KEPT).time_to_live(TTL).build();
        let of_tenants = Cache::new(KEPT_OF_TENANTS);
        let (pool, ended) = (log.pool().clone(), log.remembered_keys().ended());
        let seen = Arc::new(AtomicU64::new(*ended.borrow()));
        let ledger_applied = Arc::new(AtomicBool::new(true));
        Self { pool, master, kept, of_tenants, ended, seen, ledger: None, ledger_applied }
    }

    /// The same, which writes who is erased into this ledger. It opens nothing before those who are in it are erased here, too:
    /// see [`apply_ledger`](Self::apply_ledger).
    #[must_use]
    pub fn with_ledger(self, ledger: ErasureLedger) -> Self {
        let ledger_applied = Arc::new(AtomicBool::new(false));
        Self { ledger: Some(ledger), ledger_applied, ..self }
    }

    /// The same, which knows nothing from before: what is destroyed by now is destroyed to it, wherever that was done.
    #[must_use]
    pub fn unremembered(&self) -> Self {
        let kept = Cache::builder().max_capacity(KEPT).build();
        // What it has heard of, this one has still to hear of.
        let seen = Arc::new(AtomicU64::new(self.tick()));
        Self { kept, seen, ..self.clone() }
    }

    /// Makes sure that this program has every master key of the database; its own first one is one of them from now on.
    ///
    /// # Errors
    /// When one is missing, or the database fails.
    pub async fn register(&self) -> Result<(), KeyringError> {
        let (first, _) = self.master.first();
        let mut tx = self.pool.begin().await?;
        let select = "SELECT master_key_id FROM master_keys";
        let mut known: Vec<String> = sqlx::query_scalar(select).fetch_all(&mut *tx).await?;
        if !known.iter().any(|id| id == first.as_str()) {
            // Of two programs that begin at once with a key of their own, the second is told of the first.
            sqlx::query("LOCK TABLE master_keys IN SHARE ROW EXCLUSIVE MODE")
                .execute(&mut *tx)
                .await?;
            known = sqlx::query_scalar(select).fetch_all(&mut *tx).await?;
        }
        let missing = known.iter().map(|id| MasterKeyId::named(id));
        if let Some(missing) = missing.into_iter().find(|id| self.master.get(id).is_none()) {
            return Err(KeyringError::NoMasterKey(missing));
        }
        let added = "INSERT INTO master_keys (master_key_id) VALUES ($1) ON CONFLICT DO NOTHING";
        let added = sqlx::query(added).bind(first.as_str()).execute(&mut *tx).await?;
        if added.rows_affected() > 0 {
            let now = audit::now(&mut tx).await?;
            let added = audit::entry(now, AuditKind::MasterKeyAdded).to(first);
            audit::append(&mut tx, &[(None, added)]).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Seals what is clear in these, which are of one aggregate, with the key of this subject.
    ///
    /// `keeps`: a key that is made for it is kept; else what is sealed with it is good for nothing. `true`: there was
    /// something to seal.
    ///
    /// # Errors
    /// When the person's key is destroyed, or cannot be had.
    pub async fn seal<T: HasPersonal>(
        &self,
        about: &About<'_>,
        subject: Subject,
        things: &mut [T],
        keeps: bool,
    ) -> Result<bool, KeyringError> {
        let is_clear = |thing: &mut T| thing.personal().iter().any(|(_, it)| it.is_clear());
        if !things.iter_mut().any(is_clear) {
            return Ok(false);
        }
        let key = self.key_of(about.tenant, subject.uuid(), keeps).await?;
        let is_unique =
            |thing: &mut T| thing.personal().iter().any(|(_, it)| it.unique().is_some());
        let of_tenant = if things.iter_mut().any(is_unique) {
            Some(self.key_of_tenant(about.tenant, keeps).await?)
        } else {
            None
        };
        for (name, member) in things.iter_mut().flat_map(HasPersonal::personal) {
            let Some(json) = member.clear().map_err(|error| KeyringError::of_json(&error))? else {
                continue;
            };
            let unique = member.unique().zip(of_tenant.as_ref());
            let token = unique.map(|(text, of_tenant)| of_tenant.token(about.kind, text));
            let ciphertext = key.seal(about, name, json).map_err(|_| about.closed(name))?;
            member.seal(Sealed { key: key.id, ciphertext, token });
        }
        Ok(true)
    }

    /// A secret of a tenant for a purpose, the same as long as its keys are there: hashes with it say nothing to whoever
    /// does not know it.
    ///
    /// # Errors
    /// When the tenant's key cannot be had.
    pub async fn secret(&self, tenant: &TenantId, purpose: &str) -> Result<[u8; 32], KeyringError> {
        Ok(self.key_of_tenant(tenant, true).await?.secret(purpose))
    }

    /// Seals a secret that is kept for a thing of a tenant, with the tenant's own key: it does not open elsewhere.
    ///
    /// # Errors
    /// When the tenant's key cannot be had.
    pub async fn seal_secret(
        &self,
        about: &About<'_>,
        member: &'static str,
        secret: &[u8],
    ) -> Result<String, KeyringError> {
        let key = self.key_of_tenant(about.tenant, true).await?;
        let json = serde_json::to_string(&STANDARD.encode(secret));
        let json = json.map_err(|error| KeyringError::of_json(&error))?;
        key.seal(about, member, json).map_err(|_| about.closed(member))
    }

    /// Opens a secret that was sealed for this member of this thing.
    ///
    /// # Errors
    /// When the tenant's key cannot be had, or it was not sealed there.
    pub async fn open_secret(
        &self,
        about: &About<'_>,
        member: &'static str,
        sealed: &str,
    ) -> Result<Vec<u8>, KeyringError> {
        let key = self.key_of_tenant(about.tenant, true).await?;
        let json = key.open(about, member, sealed).map_err(|_| about.closed(member))?;
        let text: String =
            serde_json::from_str(&json).map_err(|error| KeyringError::of_json(&error))?;
        STANDARD.decode(text).map_err(|_| about.closed(member))
    }

    /// What stands for texts of a tenant, for a purpose.
    ///
    /// # Errors
    /// See [`Self::secret`].
    pub async fn tokens(&self, tenant: &TenantId, purpose: &str) -> Result<Tokens, KeyringError> {
        Ok(Tokens::by(&self.secret(tenant, purpose).await?))
    }

    /// Opens what is sealed in these: what was erased is erased then, also what an event of old says in clear; and what is
    /// restricted is withheld from whoever asks and may not be told it.
    ///
    /// # Errors
    /// When a key cannot be had, or something was not sealed where it is.
    pub async fn open<T: HasPersonal>(
        &self,
        things: &mut [(About<'_>, T)],
    ) -> Result<(), KeyringError> {
        let mut wanted: HashSet<By> = HashSet::new();
        for (about, thing) in &mut *things {
            let subject = about.subject(thing);
            for (_, member) in thing.personal() {
                let subject = subject.filter(|_| member.is_clear());
                let by = member.sealed().map(|sealed| By::Id(about.tenant.clone(), sealed.key));
                wanted.extend(by.or_else(|| Some(By::Subject(about.tenant.clone(), subject?))));
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        if !self.ledger_applied.load(Ordering::Acquire) {
            let why = "the ledger of erasures is to be applied first";
            return Err(sqlx::Error::Configuration(why.into()).into());
        }
        let keys = self.keys(wanted).await?;
        for (about, thing) in things {
            let subject = about.subject(thing);
            let of_subject =
                subject.and_then(|id| keys.get(&By::Subject(about.tenant.clone(), id)));
            for (name, member) in thing.personal() {
                match of_subject.filter(|_| member.is_clear()) {
                    Some(State::Destroyed) => member.erase(),
                    Some(state) if state.is_withheld() => member.withhold(),
                    _ => {}
                }
                let Some(sealed) = member.sealed() else {
                    if member.is_clear() {
                        audit::opened(subject.unwrap_or(about.id), name);
                    }
                    continue;
                };
                match keys.get(&By::Id(about.tenant.clone(), sealed.key)) {
                    None | Some(State::None) => return Err(KeyringError::NoSuchKey(sealed.key)),
                    Some(State::Destroyed) => member.erase(),
                    Some(state) if state.is_withheld() => member.withhold(),
                    Some(State::Living(key) | State::Restricted(key)) => {
                        let json = key.open(about, name, &sealed.ciphertext);
                        let json = json.map_err(|_| about.closed(name))?;
                        member.open(&json).map_err(|error| KeyringError::of_json(&error))?;
                        audit::opened(key.subject, name);
                    }
                }
            }
        }
        Ok(())
    }

    /// Opens what is sealed in events that are told as JSON; what is erased is left out.
    ///
    /// # Errors
    /// See [`Self::open`].
    pub async fn open_json(
        &self,
        events: Vec<(About<'_>, &mut Value)>,
    ) -> Result<(), KeyringError> {
        let (mut taken, mut left) = (Vec::with_capacity(events.len()), Vec::new());
        for (about, event) in events {
            let personal = PersonalJson::take(about.kind, event)
                .map_err(|error| KeyringError::of_json(&error))?;
            taken.push((about, personal));
            left.push(event);
        }
        self.tell_subjects(&mut taken).await?;
        self.open(&mut taken).await?;
        for ((_, personal), event) in taken.into_iter().zip(left) {
            personal.put_back(event);
        }
        Ok(())
    }

    async fn key_of_tenant(
        &self,
        tenant: &TenantId,
        keeps: bool,
    ) -> Result<Arc<SubjectKey>, KeyringError> {
        if let Some(key) = self.of_tenants.get(tenant) {
            return Ok(key);
        }
        let key = self.key_of(tenant, TENANT, keeps).await?;
        if keeps {
            self.of_tenants.insert(tenant.clone(), Arc::clone(&key));
        }
        Ok(key)
    }

    /// Says about whom events are that were written in clear and do not say so themselves: only the first of their stream does.
    pub(super) async fn tell_subjects(
        &self,
        events: &mut [(About<'_>, PersonalJson)],
    ) -> Result<(), KeyringError> {
        let mut streams: HashMap<(TenantId, String), Vec<String>> = HashMap::new();
        let is_asked = |about: &About<'_>| [Appointment::TYPE, Series::TYPE].contains(&about.kind);
        for (about, personal) in &mut *events {
            if is_asked(about) && personal.has_clear() {
                let of_kind = streams.entry((about.tenant.clone(), about.kind.to_owned()));
                of_kind.or_default().push(about.stream());
            }
        }
        for ((tenant, kind), ids) in streams {
            // By events_pkey.
            let rows: Vec<(String, Option<String>)> = sqlx::query_as(
                "SELECT aggregate_id, payload ->> 'client_id' FROM events
                  WHERE tenant_id = $1 AND aggregate_type = $2 AND aggregate_id = ANY($3) AND sequence = 1",
            )
            .bind(tenant.as_str())
            .bind(&kind)
            .bind(&ids)
            .fetch_all(&self.pool)
            .await?;
            let clients: HashMap<String, Option<String>> = rows.into_iter().collect();
            for (about, personal) in &mut *events {
                let client = clients.get(&about.stream()).and_then(Option::as_deref);
                let client = client.and_then(|client| client.parse::<Uuid>().ok());
                if about.kind == kind
                    && *about.tenant == tenant
                    && let Some(client) = client
                {
                    personal.of(Subject::Client(client.into()));
                }
            }
        }
        Ok(())
    }

    /// The key of a person or of a tenant; it is made if there is none yet.
    pub(super) async fn key_of(
        &self,
        tenant: &TenantId,
        subject: Uuid,
        keeps: bool,
    ) -> Result<Arc<SubjectKey>, KeyringError> {
        let by = By::Subject(tenant.clone(), subject);
        let state = match self.remembered(&by) {
            None | Some(State::None) => self.look_up_or_make(tenant, subject, keeps).await?,
            Some(state) => state,
        };
        match state {
            State::Living(key) | State::Restricted(key) => Ok(key),
            State::Destroyed | State::None => Err(KeyringError::Destroyed(subject)),
        }
    }

    async fn look_up_or_make(
        &self,
        tenant: &TenantId,
        subject: Uuid,
        keeps: bool,
    ) -> Result<State, KeyringError> {
        if let Some(state) = self.of_subject(tenant, subject).await? {
            return Ok(state);
        }
        let made = SubjectKey::generate(&self.master, tenant.as_str(), subject);
        let about = About { tenant, kind: "key", id: subject };
        let (key, wrapped) = made.map_err(|_| about.closed("key"))?;
        if !keeps {
            return Ok(State::Living(Arc::new(key)));
        }
        // On disk before anything is sealed with it. Whoever retires the master key waits for this, or is seen here.
        let made = sqlx::query(
            "INSERT INTO personal_keys (tenant_id, key_id, subject_id, wrapped, master_key_id)
             SELECT $1, $2, $3, $4, master_key_id FROM master_keys WHERE master_key_id = $5
                FOR KEY SHARE
             ON CONFLICT (tenant_id, subject_id) DO NOTHING",
        )
        .bind(tenant.as_str())
        .bind(key.id)
        .bind(subject)
        .bind(&wrapped)
        .bind(self.master.first().0.as_str())
        .execute(&self.pool)
        .await?;
        // Another may have made one meanwhile: that one counts.
        let state = self.of_subject(tenant, subject).await?;
        let first = self.master.first().0;
        match state {
            Some(state) => Ok(state),
            None if made.rows_affected() == 0 => Err(KeyringError::Retired(first.clone())),
            None => Err(KeyringError::NoSuchKey(key.id)),
        }
    }

    /// What is kept in memory of a key, unless one may have ended since.
    fn remembered(&self, by: &By) -> Option<State> {
        let tick = self.tick();
        if self.seen.load(Ordering::Acquire) != tick {
            self.kept.invalidate_all();
            self.seen.store(tick, Ordering::Release);
        }
        self.kept.get(by)
    }

    fn tick(&self) -> u64 {
        *self.ended.borrow()
    }

    async fn of_subject(
        &self,
        tenant: &TenantId,
        subject: Uuid,
    ) -> Result<Option<State>, KeyringError> {
        let tick = self.tick();
        let row = sqlx::query(
            "SELECT key_id, subject_id, wrapped, master_key_id, restricted FROM personal_keys
              WHERE tenant_id = $1 AND subject_id = $2",
        )
        .bind(tenant.as_str())
        .bind(subject)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let (_, state) = self.take_up(tenant, &row, tick)?;
        Ok(Some(state))
    }

    /// Those of these keys that there are; of a person who has none, that.
    async fn keys(&self, wanted: HashSet<By>) -> Result<HashMap<By, State>, KeyringError> {
        let mut keys = HashMap::with_capacity(wanted.len());
        let mut missing: HashMap<TenantId, (Vec<Uuid>, Vec<Uuid>)> = HashMap::new();
        for by in wanted {
            if let Some(state) = self.remembered(&by) {
                keys.insert(by, state);
                continue;
            }
            match by {
                By::Id(tenant, id) => missing.entry(tenant).or_default().0.push(id),
                By::Subject(tenant, subject) => missing.entry(tenant).or_default().1.push(subject),
            }
        }
        for (tenant, (ids, subjects)) in missing {
            let tick = self.tick();
            let rows = sqlx::query(
                "SELECT key_id, subject_id, wrapped, master_key_id, restricted FROM personal_keys
                  WHERE tenant_id = $1 AND (key_id = ANY($2) OR subject_id = ANY($3))",
            )
            .bind(tenant.as_str())
            .bind(ids)
            .bind(&subjects)
            .fetch_all(&self.pool)
            .await?;
            for row in rows {
                let subject = row.try_get("subject_id")?;
                let (id, state) = self.take_up(&tenant, &row, tick)?;
                keys.insert(By::Id(tenant.clone(), id), state.clone());
                keys.insert(By::Subject(tenant.clone(), subject), state);
            }
            for subject in subjects {
                let by = By::Subject(tenant.clone(), subject);
                if let Entry::Vacant(none) = keys.entry(by) {
                    self.keep(none.key(), &State::None, tick);
                    none.insert(State::None);
                }
            }
        }
        Ok(keys)
    }

    /// Keeps a key of the database in memory, unless one may have ended since it was looked up.
    fn take_up(
        &self,
        tenant: &TenantId,
        row: &PgRow,
        tick: u64,
    ) -> Result<(Uuid, State), KeyringError> {
        let (id, subject): (Uuid, Uuid) = (row.try_get("key_id")?, row.try_get("subject_id")?);
        let state = match row.try_get::<Option<&[u8]>, _>("wrapped")? {
            None => State::Destroyed,
            Some(wrapped) => {
                let master_id = MasterKeyId::named(row.try_get("master_key_id")?);
                let wrapping = self.master.get(&master_id);
                let wrapping =
                    wrapping.ok_or_else(|| KeyringError::NoMasterKey(master_id.clone()))?;
                let ids = (id, subject);
                let key = SubjectKey::unwrap(wrapping, &master_id, tenant.as_str(), ids, wrapped);
                let about = About { tenant, kind: "key", id: subject };
                let key = Arc::new(key.map_err(|_| about.closed("key"))?);
                if row.try_get("restricted")? { State::Restricted(key) } else { State::Living(key) }
            }
        };
        for by in [By::Id(tenant.clone(), id), By::Subject(tenant.clone(), subject)] {
            self.keep(&by, &state, tick);
        }
        Ok((id, state))
    }

    fn keep(&self, by: &By, state: &State, tick: u64) {
        self.kept.insert(by.clone(), state.clone());
        if self.tick() != tick {
            self.kept.invalidate(by);
        }
    }
}

impl About<'_> {
    /// About whom it is: where the thing does not say so, a client is about themselves.
    fn subject<T: HasPersonal>(&self, thing: &T) -> Option<Uuid> {
        let said = thing.subject(self.id).map(Subject::uuid);
        said.or_else(|| (self.kind == Client::TYPE).then_some(self.id))
    }

    /// Its stream in the log.
    fn stream(&self) -> String {
        format!("{}/{}", self.tenant, self.id)
    }

    fn closed(&self, member: &'static str) -> KeyringError {
        KeyringError::DoesNotOpen { member, kind: self.kind.to_owned(), id: self.id }
    }
}
