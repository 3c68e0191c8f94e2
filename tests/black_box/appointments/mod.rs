//! `/v1/appointments`.

mod booking;
mod filters;
mod holds;
mod life;
mod paging;
mod refusals;
