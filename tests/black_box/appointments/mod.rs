//! `/v1/appointments`.

mod booking;
mod expanding;
mod filters;
mod holds;
mod life;
mod paging;
mod refusals;
