//! Events that were written in an older form, read in today's.

use cqrs_es::persist::EventUpcaster;

/// Every upcaster, oldest first. Readers of stored events apply them before anything else.
///
/// No event has changed its form yet, so there are none.
#[must_use]
pub fn upcasters() -> Vec<Box<dyn EventUpcaster>> {
    Vec::new()
}
