//! Places of resources, resources by role, limits and holds.

mod capacity;
mod holds;
mod limits;
mod races;
mod roles;
