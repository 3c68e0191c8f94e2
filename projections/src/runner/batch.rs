//! Applying events that are to be applied or refused one by one, many at a time.

use daybook_store::{Position, RecordedEvent, UnreadableEvent};

use super::fault::is_refusal;
use crate::ApplyError;

/// What became of a batch.
pub(crate) enum Batch {
    /// Committed as far as this.
    Applied(Position),
    /// Its first event cannot be applied.
    Stalled { reason: String },
    /// Another program has taken the lease.
    LostLease,
}

/// Who commits a batch.
pub(crate) trait Commit {
    /// Rows, and how far they are, in one transaction. `false`: the lease is lost, and nothing has
    /// changed.
    fn commit(
        &self,
        from: Position,
        to: Position,
        events: &[RecordedEvent],
    ) -> impl Future<Output = Result<bool, ApplyError>> + Send;
}

/// Applies the longest prefix of the events after `from` that can be applied: an event that cannot is the
/// first of the next batch.
pub(crate) async fn apply_longest_prefix(
    commit: &impl Commit,
    from: Position,
    read: Vec<Result<RecordedEvent, UnreadableEvent>>,
) -> Result<Batch, ApplyError> {
    let mut events = Vec::with_capacity(read.len());
    for event in read {
        match event {
            Ok(event) => events.push(event),
            Err(unreadable) if events.is_empty() => {
                return Ok(Batch::Stalled { reason: unreadable.to_string() });
            }
            Err(_) => break,
        }
    }
    let mut count = events.len();
    loop {
        let to = from.plus(count as u64);
        match commit.commit(from, to, &events[..count]).await {
            Ok(true) => return Ok(Batch::Applied(to)),
            Ok(false) => return Ok(Batch::LostLease),
            Err(ApplyError::Event { position, reason }) => {
                let before = position.get().saturating_sub(from.get() + 1);
                count = usize::try_from(before).unwrap_or(0).min(count - 1);
                if count == 0 {
                    return Ok(Batch::Stalled { reason });
                }
            }
            // The database does not say which event it was, so they are halved.
            Err(ApplyError::Database(error)) if is_refusal(&error) => {
                if count == 1 {
                    return Ok(Batch::Stalled { reason: error.to_string() });
                }
                count /= 2;
            }
            Err(error) => return Err(error),
        }
    }
}
