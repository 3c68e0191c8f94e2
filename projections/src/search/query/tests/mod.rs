//! Searches over many appointments.

mod filters;
mod many;
mod naive;
mod pages;
mod plans;
