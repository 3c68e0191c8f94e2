//! The projections that there are.

use std::sync::Arc;

use daybook_store::personal::Keyring;
use sqlx::PgPool;

use crate::Projection;
use crate::appointments::Appointments;
use crate::catalogue::Catalogue;
use crate::conflicts::Conflicts;
use crate::notices::Notices;
use crate::reminders::Reminders;
use crate::retention::Retention;
use crate::sessions::Sessions;
use crate::utilisation::Utilisation;
use crate::waiting::WaitingList;

/// All of them, in this database. It is the one list: the program, the benchmarks and the tests keep up to
/// date whatever is in it. What is found by personal data is found where there is what opens it.
#[must_use]
pub fn all(pool: &PgPool, keyring: Option<&Keyring>) -> Vec<Arc<dyn Projection>> {
    vec![
        Arc::new(Appointments::default().opened_by(keyring.cloned())),
        Arc::new(Catalogue::new(pool.clone()).opened_by(keyring.cloned())),
        Arc::new(Conflicts::new(pool.clone())),
        Arc::new(Sessions::new(pool.clone())),
        Arc::new(WaitingList::new(pool.clone())),
        Arc::new(Utilisation::new(pool.clone())),
        Arc::new(Retention::new(pool.clone())),
        Arc::new(Reminders::new(pool.clone())),
        Arc::new(Notices::new(pool.clone())),
    ]
}
