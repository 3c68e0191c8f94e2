//! What is known, and what was known at a moment of the log: aggregates from their streams up to it, and the
//! resources that there were.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use daybook_domain::appointment::Appointment;
use daybook_domain::rights::Limits;
use daybook_domain::service::Service;
use daybook_domain::{Decide as _, Directory, ServiceId, TenantId};
use futures::future::BoxFuture;
use moka::sync::Cache;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::availability::unavailable;
use super::directory::FoldedDirectory;
use super::{Catalogue, Engine, Executable, ExecuteError};
use crate::json::not_understood;
use crate::log::{PersistedAggregate, Position, StreamId};

/// How many directories of the past are cached, and for how long: whoever looks back asks about one moment
/// more than once.
const DIRECTORIES: u64 = 16;
const TTL: Duration = Duration::from_mins(1);

/// How many events of a stream are read at once.
const PAGE: u32 = 1_000;

/// Directories of the past, by the position of the last event in them: they do not change.
pub(super) struct PastDirectories(Cache<(TenantId, Position), Arc<OnceCell<Arc<Directory>>>>);

impl Default for PastDirectories {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(DIRECTORIES).time_to_live(TTL).build())
    }
}

/// An aggregate, and how far it has come.
#[derive(Debug, Clone)]
pub struct Known<A> {
    pub state: A,
    pub version: u64,
    /// Where its last event is in the log.
    pub position: Position,
    /// When its first event was recorded.
    pub created_at: DateTime<Utc>,
    /// When its last event was.
    pub updated_at: DateTime<Utc>,
}

impl Engine {
    /// An aggregate as the log has it now, or as it was after the event at a position of the log; `None`: there is
    /// none.
    ///
    /// # Errors
    /// When the log cannot be read.
    #[must_use]
    pub fn known<'a, A: Executable>(
        &'a self,
        tenant: &'a TenantId,
        id: Uuid,
        as_of: Option<Position>,
    ) -> BoxFuture<'a, Result<Option<Known<A>>, ExecuteError>> {
        A::known(self, tenant, id, as_of)
    }

    /// The versions at which an appointment lay within limits, up to a position. Empty where it does not after the last of
    /// them: then it is not there.
    ///
    /// # Errors
    /// When the log cannot be read.
    #[must_use]
    pub fn versions_within<'a>(
        &'a self,
        tenant: &'a TenantId,
        id: Uuid,
        limits: &'a Limits,
        as_of: Option<Position>,
    ) -> BoxFuture<'a, Result<BTreeSet<u64>, ExecuteError>> {
        Box::pin(async move {
            let mut within = BTreeSet::new();
            let each = |known: &Known<Appointment>| {
                if limits.see(&known.state.placed(id)) {
                    within.insert(known.version);
                }
            };
            let last = self.fold::<Appointment>(tenant, id, as_of, each).await?;
            let is_there = last.is_some_and(|known| within.contains(&known.version));
            Ok(if is_there { within } else { BTreeSet::new() })
        })
    }

    pub(super) async fn folded<A: PersistedAggregate>(
        &self,
        tenant: &TenantId,
        id: Uuid,
        as_of: Option<Position>,
    ) -> Result<Option<Known<A>>, ExecuteError> {
        self.fold(tenant, id, as_of, |_| {}).await
    }

    /// The same; `each` is told how it was after each of its events.
    async fn fold<A: PersistedAggregate>(
        &self,
        tenant: &TenantId,
        id: Uuid,
        as_of: Option<Position>,
        mut each: impl FnMut(&Known<A>) + Send,
    ) -> Result<Option<Known<A>>, ExecuteError> {
        let stream = StreamId::of::<A>(tenant, id);
        let never = DateTime::<Utc>::MIN_UTC;
        let mut known = Known {
            state: A::default(),
            version: 0,
            position: Position::START,
            created_at: never,
            updated_at: never,
        };
        loop {
            let range = (known.version, as_of);
            let page = self.log.read_stream(tenant, &stream, range, PAGE).await;
            let page = page.map_err(unavailable)?;
            let last = page.len() < PAGE as usize;
            for event in page {
                let happened = serde_json::from_value::<A::Event>(event.payload);
                let happened =
                    happened.map_err(|error| ExecuteError::Unreadable(not_understood(&error)))?;
                known.state.apply(happened);
                if known.version == 0 {
                    known.created_at = event.recorded_at;
                }
                known.updated_at = event.recorded_at;
                (known.version, known.position) = (event.sequence, event.position);
                each(&known);
            }
            if last {
                return Ok((known.version > 0).then_some(known));
            }
        }
    }

    /// A service and the resources that there were after the event at `position` of the log.
    ///
    /// # Errors
    /// When the log cannot be read.
    #[must_use]
    pub fn catalogue_as_of<'a>(
        &'a self,
        tenant: &'a TenantId,
        service: Option<ServiceId>,
        position: Position,
    ) -> BoxFuture<'a, Result<Catalogue, ExecuteError>> {
        Box::pin(async move {
            let known = match service {
                Some(id) => self.known::<Service>(tenant, id.uuid(), Some(position)).await?,
                None => None,
            };
            let (service, service_version) =
                known.map(|known| (known.state, known.version)).unwrap_or_default();
            let resources_at = self.log.last_of_resources(tenant, position).await;
            let resources_at = resources_at.map_err(unavailable)?;
            let directory = self.directory_as_of(tenant, resources_at).await?;
            Ok(Catalogue { service: Arc::new(service), directory, service_version, resources_at })
        })
    }

    async fn directory_as_of(
        &self,
        tenant: &TenantId,
        position: Position,
    ) -> Result<Arc<Directory>, ExecuteError> {
        let cached = self.past_directories.0.get_with((tenant.clone(), position), Arc::default);
        // Whoever comes first reads it, for all.
        let read = async {
            let mut folded = FoldedDirectory::default();
            folded.read_on(&self.log, tenant, position).await?;
            Ok::<_, ExecuteError>(folded.directory)
        };
        cached.get_or_try_init(|| read).await.cloned()
    }
}
