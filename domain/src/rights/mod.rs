//! Who does something, and what they may.
//!
//! * [`principal`]: who it is, whatever they are known by.
//! * [`scopes`]: what they may do at all.
//! * [`limits`]: of what they may do it; [`place`]: where something lies; [`permit`]: whether they may do it there.
//! * [`links`]: what a link is good for, which a client has.
//! * [`roles`]: what people who work together are called, and what they need.

mod both;
mod few;
mod limits;
mod links;
mod permit;
mod place;
mod principal;
mod roles;
mod scopes;

pub use few::{Few, NotAFew};
pub use limits::Limits;
pub use links::{LinkAction, LinkActions, links_end};
pub use permit::{OutsideLimits, permit};
pub use place::{Place, Placed};
pub use principal::{Principal, Who};
pub use roles::{Role, RoleMisfit, UnknownRole};
pub use scopes::{Scope, ScopeSet, Scopes, UnknownScope, UnknownScopeSet};
