//! The outside world: calendar files.
