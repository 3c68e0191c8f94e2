//! Verification against a real PostgreSQL: what is whole is whole, and each check can fail.

mod beside;
mod events;
mod house;
mod whole;
