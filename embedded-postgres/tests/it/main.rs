//! The crate from outside, with real processes: all of it in one binary, which also plays the other
//! process where a test needs one (see `support::another_process`).

#![expect(
    clippy::unwrap_used,
    reason = "all of this is test code, and clippy sees only `#[test]`s"
)]

mod death;
mod download;
mod folder;
mod lifecycle;
mod open;
mod restart;
mod support;
mod test_cluster;
mod user;
