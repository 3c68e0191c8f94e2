//! The OpenAPI document as a contract: what it says is what the program does, and what was promised is kept.
//!
//! * `schemathesis`: whatever the document allows is understood, and whatever it forbids is refused.
//! * `compatibility`: the document breaks no client of the last release; `comparison` says what would.

mod comparison;
mod compatibility;
mod schemathesis;
