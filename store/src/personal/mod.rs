//! Personal data, sealed: each person has a key of their own, and a master key wraps all of these.
//!
//! * `master_key`: the keys that the database never has.
//! * `key`: one person's key, and what it seals and opens.
//! * `erasure`: how somebody is forgotten.
//! * `ledger`: who was erased, outside of the database.
//! * `restriction`: who is known to few only.
//! * `rotation`: another master key.
//! * `seal_log`: a log of before, in which something is in clear, is sealed.
//! * [`Tokens`]: what stands for a text where it must not be read.
//! * [`Keyring`]: the keys of persons, as the database has them.
//!
//! The engine seals what was decided before it is appended; who shows it to somebody opens it. In between, in the log, in
//! projections and in memory, there is only ciphertext.

mod erasure;
mod key;
mod keyring;
mod ledger;
mod master_key;
mod restriction;
mod rotation;
mod seal_log;
#[cfg(test)]
mod tests;
mod tokens;

pub use keyring::{About, Keyring, KeyringError};
pub use ledger::{ErasedClient, ErasureLedger, LedgerError};
pub use master_key::{InvalidMasterKey, MasterKey, MasterKeyId, MasterKeys};
pub use restriction::RestrictionBegun;
pub use rotation::{KnownMasterKey, RetireError};
pub use seal_log::{SealError, SealProgress, SealedLog};
pub use tokens::Tokens;
