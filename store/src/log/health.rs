//! Whether anything can be appended.

use tokio::sync::mpsc;

use super::Log;

impl Log {
    /// Whether a committer has ended, which none does by itself: its tenants' commands are refused until the program
    /// is started anew.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.committers.iter().any(mpsc::Sender::is_closed)
    }

    /// Whether all committers are there, and would reach the database.
    ///
    /// # Errors
    /// When one is not, or would not, or no connection is to be had.
    pub async fn ping_committers(&self) -> Result<(), sqlx::Error> {
        if self.is_broken() {
            return Err(sqlx::Error::WorkerCrashed);
        }
        sqlx::query("SELECT 1").execute(&self.commit_pool).await.map(|_| ())
    }
}
