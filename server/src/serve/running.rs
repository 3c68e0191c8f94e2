//! What runs by name, each part until it is told to end.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::anyhow;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// What runs, by name.
#[derive(Default)]
pub(super) struct Running {
    tasks: JoinSet<anyhow::Result<()>>,
    names: HashMap<Id, &'static str>,
}

impl Running {
    pub(super) fn start(
        &mut self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        self.start_fallible(name, async move {
            task.await;
            Ok(())
        });
    }

    /// The same, of what says why it has failed.
    pub(super) fn start_fallible(
        &mut self,
        name: &'static str,
        task: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        let id = self.tasks.spawn(task).id();
        self.names.insert(id, name);
    }

    /// Waits until one has ended that was not told to, and says which. `None`: there is none.
    pub(super) async fn ended(&mut self) -> Option<anyhow::Error> {
        let (name, ended) = self.next().await?;
        Some(match ended {
            Ok(Ok(())) => anyhow!("the program cannot go on: its {name} has ended by itself"),
            Ok(Err(error)) => error,
            Err(panic) => anyhow!("the program cannot go on: its {name} has ended: {panic}"),
        })
    }

    /// Waits until all have ended that were told to, for so long: what has failed of it.
    pub(super) async fn all_ended(&mut self, limit: Duration) -> anyhow::Result<()> {
        let mut done = Ok(());
        let all = async {
            while let Some((_, ended)) = self.next().await {
                let ended = ended.unwrap_or_else(|panic| Err(panic.into()));
                if done.is_ok() {
                    done = ended;
                }
            }
        };
        if timeout(limit, all).await.is_err() {
            let unfinished: Vec<_> = self.names.values().collect();
            tracing::warn!(?unfinished, "not all was finished in time: the rest is cut off");
        }
        done
    }

    /// Goes on until `told`, or until one of these has ended before, which cancels it: whoever keeps the program
    /// running starts it again.
    pub(super) async fn until_told(&mut self, told: &CancellationToken) -> anyhow::Result<()> {
        let Some(Some(error)) = told.run_until_cancelled(self.ended()).await else {
            told.cancelled().await;
            return Ok(());
        };
        tracing::error!("{error:#}");
        told.cancel();
        Err(error)
    }

    async fn next(&mut self) -> Option<(&'static str, Result<anyhow::Result<()>, JoinError>)> {
        let (id, ended) = match self.tasks.join_next_with_id().await? {
            Ok((id, ended)) => (id, Ok(ended)),
            Err(error) => (error.id(), Err(error)),
        };
        Some((self.names.remove(&id).unwrap_or("work"), ended))
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn what_has_ended_by_itself_is_named() {
        let mut running = Running::default();
        running.start("sweeper", async {});
        let said = running.ended().await.map(|error| error.to_string());
        assert!(said.unwrap().contains("sweeper has ended by itself"));
        running.start("promoter", async { panic!("as told") });
        let said = running.ended().await.map(|error| error.to_string());
        assert!(said.unwrap().contains("promoter has ended"));
        assert!(running.ended().await.is_none());
    }

    #[tokio::test]
    async fn what_has_ended_by_itself_ends_the_program() {
        let (mut running, told) = (Running::default(), CancellationToken::new());
        running.start("sampler", pending());
        running.start("listener", async { panic!("as told") });
        let ended = running.until_told(&told).await;
        assert!(ended.unwrap_err().to_string().contains("listener"));
        assert!(told.is_cancelled());
        // Told to stop, it is no failure.
        assert!(running.until_told(&told).await.is_ok());
    }
}
