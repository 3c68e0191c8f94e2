//! The outside world: calendar files, and tables of appointments.
//!
//! What comes from outside is read into plain values here, and nothing is booked: the composition
//! root turns these values into commands.

pub mod calendar;
pub mod table;
#[cfg(test)]
mod testing;
