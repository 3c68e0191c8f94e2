//! To be built in the next commits.
fn main() {}
