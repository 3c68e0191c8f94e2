//! Titles of lists, which have them as the log does: they are opened for whoever is told what is personal.

use daybook_domain::appointment::Appointment;
use daybook_domain::session::Session;
use daybook_domain::{AppointmentId, FreeTitle, SessionId, TenantId};
use daybook_store::personal::About;
use daybook_store::{Executable, ExecuteError};
use uuid::Uuid;

use crate::App;
use crate::http::{Caller, Problem, auth};

/// A title that may be sealed, and of what it is.
pub(crate) struct Titled<'a> {
    kind: &'static str,
    id: Uuid,
    title: &'a mut FreeTitle,
}

impl<'a> Titled<'a> {
    pub(crate) fn appointment(id: AppointmentId, title: &'a mut FreeTitle) -> Self {
        Self::of::<Appointment>(id.uuid(), title)
    }

    pub(crate) fn session(id: SessionId, title: &'a mut FreeTitle) -> Self {
        Self::of::<Session>(id.uuid(), title)
    }

    fn of<A: Executable>(id: Uuid, title: &'a mut FreeTitle) -> Self {
        Self { kind: A::TYPE, id, title }
    }
}

impl App {
    /// Opens titles that are sealed, for a caller who is told what is personal; to others they stay so.
    pub(crate) async fn open_titles<'a, S>(
        &self,
        caller: &Caller<S>,
        titles: impl Iterator<Item = Titled<'a>> + Send,
    ) -> Result<(), Problem> {
        let is_told = caller.has::<auth::Personal>();
        self.open_titles_of(&caller.tenant, titles.filter(|_| is_told)).await
    }

    /// The same for whoever is told them.
    pub(crate) async fn open_titles_of<'a>(
        &self,
        tenant: &TenantId,
        titles: impl Iterator<Item = Titled<'a>> + Send,
    ) -> Result<(), Problem> {
        let Some(keyring) = self.engine.keyring() else { return Ok(()) };
        let about = |Titled { kind, id, title }| (About { tenant, kind, id }, title);
        let mut titles: Vec<(About<'_>, &mut FreeTitle)> = titles.map(about).collect();
        Ok(keyring.open(&mut titles).await.map_err(ExecuteError::from)?)
    }
}
