//! What somebody may do with what lies somewhere.
//!
//! What they do not see is to them as if it were not there: a decision gets the facts without it, and refuses as it would
//! then. So nobody is told of it, and no refusal is needed for it. What is left to refuse is what would become of something.

use std::sync::Arc;

use super::{Limits, Placed};
use crate::{Facts, Needs, ResourceId};

/// Something would come to lie outside of what somebody is limited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it would lie outside of what the key is limited to")]
pub struct OutsideLimits;

/// Whether somebody may make `after` of `before`, which they see.
///
/// # Errors
/// When it would lie where they do not see it.
pub fn permit(
    limits: &Limits,
    before: &Placed<'_>,
    after: &Placed<'_>,
) -> Result<(), OutsideLimits> {
    let is_permitted = match (before, after) {
        // Whoever may book may register who books.
        (Placed::Nowhere, Placed::Client(_)) => limits.client_id.is_none(),
        (_, Placed::Nowhere) => true,
        (_, after) => limits.see(after),
    };
    if limits.are_none() || is_permitted { Ok(()) } else { Err(OutsideLimits) }
}

impl Facts {
    /// As they are to somebody who is limited: without what they do not see, but for the resources that what they change has.
    #[must_use]
    pub fn seen_within(mut self, limits: &Limits, needs: &Needs, before: &Placed<'_>) -> Self {
        if limits.are_none() {
            return self;
        }
        let has = |id: &ResourceId| match before {
            Placed::At(place) => place.resource_ids.as_slice().contains(id),
            _ => false,
        };
        for (id, resource) in &mut self.resources {
            if !limits.see_resource(*id) && !has(id) {
                *resource = Arc::default();
            }
        }
        let is_another = |client| limits.client_id.is_some_and(|own| own != client);
        if needs.client.is_some_and(is_another) {
            self.client = Arc::default();
        }
        // What is booked already is of a service, and in a session, whatever has become of these.
        let changes = matches!(before, Placed::At(_));
        let is_there = |plan| limits.see_session(plan, self.service.terms());
        if !changes && self.session.plan().is_some_and(|plan| !is_there(plan)) {
            self.session = Arc::default();
        }
        if !changes && self.service.terms().is_some_and(|terms| !limits.see_service(terms)) {
            self.service = Arc::default();
        }
        self
    }
}
