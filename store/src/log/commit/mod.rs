//! How submissions become events: group commit, in a pipeline of optimistic batches, or one after the other under a lock.
//!
//! **Group commit.** A log has a few [`Committer`]s; a tenant always has the same one. While batches are being
//! committed, what is submitted meanwhile waits in the committer's queue, and is the next batch (`queue.rs`,
//! `committer.rs`). A batch is of one tenant, and one transaction.
//!
//! **An optimistic batch** asks the database nothing and is written in one round trip. The committer knows where it
//! left the log, and the versions of the streams that were used lately (`head_cache.rs`). It takes for granted that
//! the log still ends there, that new streams are new, slots free and keys unseen; gives each submission its verdict by
//! that (`resolve.rs`), works out positions and hashes (`plan.rs`), and sends all rows by one call of `append_batch`
//! (`rows.rs`). Where something was taken for granted wrongly, nothing happens: the head is moved by
//! compare-and-set, and constraints refuse a key, a version or a slot that is taken.
//!
//! **Pipelining.** Up to three such batches are in flight, on a connection each (`pipeline.rs`). Each is planned from
//! the head that the one before it will leave, and writes its rows while that one commits; only to move the head it
//! waits until that one has (`append_batch.sql` says how). What an earlier batch in flight decides on is not sent
//! beside it: the same key, an overlapping claim, the same appointment. Neither is what frees time.
//!
//! **Serial batches.** If an optimistic batch fails, so do those that follow on it. When all have ended, they are committed
//! one after the other, each in a transaction that takes the head, loads what it decides by in one statement, writes and
//! commits: three round trips for which others wait (`serial.rs`, `transaction.rs`, `load.rs`). So are batches for which too
//! little is known, and the next 32 after a failure, or after the head was found where another program had left it: while
//! several programs write a tenant, no batch is written in vain. They wait for the head in the database, which lets one in
//! after the other; and as soon as a batch has the head, it takes along what was submitted while it waited. So batches
//! become larger where several programs write, and not more. Both ways share `resolve`, `plan` and `rows`.
//!
//! **Outcome recovery.** If the connection is lost in a commit, the batch may be in the log or not (`outcome.rs`). The
//! committer asks, under the lock of the head, whether the event at the batch's last position has the batch's hash. If not, it
//! moves the head's time by a microsecond, so that a statement that is still on its way finds another head than it was
//! planned from, and the batch is committed serially. If the database cannot be asked, submitters hear that the outcome is
//! unknown; who then sends the same idempotency key again gets the answer that it got the first time.
//!
//! Why it is so: `docs/adr/0007-a-batch-is-one-statement.md`, `docs/adr/0028-programs-that-write-one-tenant-take-turns.md`.

mod backoff;
mod committer;
mod composite;
mod connections;
mod dry_run;
mod fault;
mod head_cache;
mod load;
mod measure;
mod outcome;
mod pipeline;
mod plan;
mod queue;
mod resolve;
mod rows;
mod serial;
#[cfg(test)]
mod tests;
mod transaction;

pub(super) use committer::Committer;
pub(super) use connections::CommitPool;
pub(crate) use connections::{CONNECTIONS, SETTINGS};
pub use fault::is_passing;
#[cfg(test)]
pub(super) use load::STATE;
pub(super) use queue::Pending;
