//! `daybook replay`: events as they happened.

mod told;

pub(crate) use told::run;
