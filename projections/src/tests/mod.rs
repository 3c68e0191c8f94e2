//! Tests with a real PostgreSQL, and their nouns.

pub(crate) mod bookings;
mod building;
pub(crate) mod classes;
mod exactly_once;
mod indexing;
mod leading;
mod leftovers;
mod poison;
mod streams;
mod tidying;
mod waiting;
pub(crate) mod world;
