//! The OpenAPI document as a contract: it breaks no client of the last release (`compatibility`); what would, says
//! `comparison`.

mod comparison;
mod compatibility;
