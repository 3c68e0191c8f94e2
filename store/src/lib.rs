//! The log: append, load, subscribe, claims, idempotency, keys.
