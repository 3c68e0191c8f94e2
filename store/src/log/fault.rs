//! What a failure of the database means for a batch. Decided on SQLSTATE only.

use super::submission::AppendError;

/// What a failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection or the server is gone, or another transaction was in the way: try again.
    Passing,
    /// The database has no room or no memory: nothing to be gained by trying at once.
    NoRoom,
    /// Something in the batch cannot be stored.
    Data,
}

/// Classifies a failure.
pub(super) fn fault(error: &sqlx::Error) -> Fault {
    let sqlx::Error::Database(database) = error else { return Fault::Passing };
    let code = database.code().unwrap_or_default();
    match code.as_ref() {
        // disk_full, out_of_memory, configuration_limit_exceeded
        "53100" | "53200" | "53400" => Fault::NoRoom,
        // I/O errors of the server
        code if code.starts_with("58") => Fault::NoRoom,
        // serialization_failure, deadlock_detected, lock_not_available, too_many_connections
        "40001" | "40P01" | "55P03" | "53300" => Fault::Passing,
        // 08 are connection exceptions, 57 operator interventions
        code if code.starts_with("08") || code.starts_with("57") => Fault::Passing,
        _ => Fault::Data,
    }
}

/// What the submitter hears when trying again did not help.
pub(super) fn append_error(error: &sqlx::Error) -> AppendError {
    match (fault(error), error) {
        (Fault::Data, sqlx::Error::Database(database)) => {
            let sqlstate = database.code().unwrap_or_default().into_owned();
            AppendError::Rejected { sqlstate }
        }
        _ => AppendError::Unavailable,
    }
}
