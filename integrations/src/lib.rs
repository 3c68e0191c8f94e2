//! The outside world: calendar files, tables of appointments, documents that others publish, messages to others, mail, and a
//! broker.
//!
//! What comes from outside is read into plain values here, and nothing is booked: the composition
//! root turns these values into commands.

pub mod broker;
pub mod calendar;
pub mod fetch;
pub mod mail;
pub mod table;
#[cfg(test)]
mod testing;
