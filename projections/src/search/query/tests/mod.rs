//! Searches over many appointments.

mod as_of;
mod filters;
mod many;
mod naive;
mod pages;
mod plans;
