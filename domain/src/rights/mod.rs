//! Who does something, and what they may.
//!
//! * [`principal`]: who it is, whatever they are known by.
//! * [`scopes`]: what they may do at all.

mod principal;
mod scopes;

pub use principal::{Principal, Who};
pub use scopes::{Scope, ScopeSet, Scopes, UnknownScope, UnknownScopeSet};
