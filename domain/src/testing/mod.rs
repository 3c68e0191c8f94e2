//! For the tests of this crate: given/when/then, and nouns.

mod given;
mod nouns;
pub(crate) mod stored;

pub(crate) use given::{Decided, Given, given};
pub(crate) use nouns::*;
