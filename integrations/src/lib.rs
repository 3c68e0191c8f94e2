//! The outside world: calendar files, tables of appointments, and documents that others publish.
//!
//! What comes from outside is read into plain values here, and nothing is booked: the composition
//! root turns these values into commands.

pub mod calendar;
pub mod fetch;
pub mod table;
#[cfg(test)]
mod testing;
