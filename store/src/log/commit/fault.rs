//! What a failure of the database means for a batch. Decided on SQLSTATE only.

use crate::log::submission::AppendError;

/// What a failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection or the server is gone, or another transaction was in the way: try again.
    Passing,
    /// The database has no room, is not ours, ...: nothing to be gained by trying at once.
    Lasting,
    /// Something in the batch cannot be stored, or what it asks for cannot be read.
    Data,
}

/// Classifies a failure.
pub(super) fn fault(error: &sqlx::Error) -> Fault {
    let database = match error {
        sqlx::Error::Database(database) => database,
        sqlx::Error::Encode(_)
        | sqlx::Error::Decode(_)
        | sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::RowNotFound => return Fault::Data,
        _ => return Fault::Passing,
    };
    let code = database.code().unwrap_or_default();
    match code.as_ref() {
        // lock_not_available, too_many_connections, idle_in_transaction_session_timeout,
        // read_only_sql_transaction (a standby, until it is promoted)
        "55P03" | "53300" | "25P03" | "25006" => Fault::Passing,
        // 08 are connection exceptions, 40 rollbacks (serialization, deadlock), 57 operator
        // interventions
        code if ["08", "40", "57"].iter().any(|class| code.starts_with(class)) => Fault::Passing,
        // 22 are data exceptions, 23 integrity constraint violations, 54 exceeded limits
        code if ["22", "23", "54"].iter().any(|class| code.starts_with(class)) => Fault::Data,
        _ => Fault::Lasting,
    }
}

/// Whether the same may succeed a little later: the server is started anew, or another one takes over.
#[must_use]
pub fn is_passing(error: &sqlx::Error) -> bool {
    fault(error) == Fault::Passing
}

/// Whether a statement that commits may have committed all the same: no answer came, or only that
/// the server goes down.
pub(super) fn is_outcome_unknown(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(database) => {
            database.code().is_some_and(|code| code.starts_with("57P") || code.starts_with("08"))
        }
        _ => fault(error) == Fault::Passing,
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
