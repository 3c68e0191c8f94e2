//! How much a test does, and by which chance.

use std::env;
use std::fmt::Debug;
use std::str::FromStr;

/// A size from the environment.
pub(crate) fn size<T: FromStr<Err: Debug>>(name: &str, otherwise: T) -> T {
    match env::var(name) {
        Ok(value) => value.parse().unwrap_or_else(|error| panic!("{name}={value}: {error:?}")),
        Err(_) => otherwise,
    }
}

/// Where all choices of a test come from.
pub(crate) fn seed(test: &str) -> u64 {
    let seed = size("DAYBOOK_SEED", rand::random());
    println!("{test}: DAYBOOK_SEED={seed}");
    seed
}
