//! What events make of a session: in memory, without a database.

use daybook_domain::SessionId;
use daybook_domain::session::{Session, SessionEvent};
use daybook_store::RecordedEvent;

use crate::ApplyError;

/// A session after one of its events.
pub(crate) fn after(
    before: Option<Session>,
    id: SessionId,
    event: &SessionEvent,
    recorded: &RecordedEvent,
) -> Result<Session, ApplyError> {
    let mut session = before.unwrap_or_default();
    session.evolve(event.clone());
    if session == Session::Unmade {
        let reason = format!("session {id} was never made");
        return Err(ApplyError::Event { position: recorded.position, reason });
    }
    Ok(session)
}
