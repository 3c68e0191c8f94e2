//! Committing where the database fails, hangs or is cut off.

mod contention;
mod durability;
mod faults;
mod outcome;

use futures::future::join_all;

use crate::log::tests::{append, append_at_once};
use crate::log::*;
use crate::testing::{end_of_whole, submission};
