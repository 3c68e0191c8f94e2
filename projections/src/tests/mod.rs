//! Tests with a real PostgreSQL, and their nouns.

pub(crate) mod bookings;
pub(crate) mod classes;
mod due;
mod exactly_once;
pub(crate) mod explained;
mod fair;
mod indexing;
mod leading;
mod leftovers;
mod maintaining;
mod poison;
mod questions;
mod rebuilding;
mod resting;
mod sharing;
mod streams;
mod waiting;
pub(crate) mod world;
