//! What a failure of the database means for a batch. Decided on SQLSTATE only.

/// Whether the database refuses what the batch would write, so that trying again cannot help:
/// classes 22 (data exceptions), 23 (integrity constraints) and 54 (program limits). All else
/// passes, or is mended by an operator: a lost connection, a deadlock, a full disk.
pub(super) fn is_refusal(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(database) => database
            .code()
            .is_some_and(|code| ["22", "23", "54"].iter().any(|class| code.starts_with(class))),
        // A row that is no longer what this program wrote.
        sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Encode(_) => true,
        _ => false,
    }
}
