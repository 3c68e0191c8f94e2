//! What else the same PostgreSQL could have done in the time.

pub(crate) mod pgbench;
pub(crate) mod postgres_es;
