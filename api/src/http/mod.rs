//! What every route shares: who calls, what they sent, what they get back.

pub(crate) mod answer;
pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod basic;
pub(crate) mod body;
mod buckets;
pub(crate) mod caching;
pub(crate) mod command;
pub(crate) mod compression;
pub(crate) mod cookie;
pub(crate) mod cors;
pub(crate) mod database;
pub(crate) mod deprecation;
pub(crate) mod etag;
pub(crate) mod followed;
pub(crate) mod head;
pub(crate) mod heavy;
mod held_body;
pub(crate) mod in_flight;
pub(crate) mod instant;
mod json;
pub(crate) mod limits;
mod link;
pub(crate) mod patch;
pub(crate) mod path;
pub(crate) mod peer;
pub(crate) mod problem;
pub(crate) mod query;
pub(crate) mod rate;
mod refusals;
mod sampled;
pub(crate) mod trace;

pub(crate) use answer::{Answer, At, Created};
pub(crate) use auth::{
    Analytics, Anybody, Appointments, Audit, Availability, Book, Caller, CallerOrOperator, Keys,
    Linked, Manage, Operator, Personal, Within,
};
pub(crate) use body::{Body, GivenBody};
pub(crate) use command::{
    CommandParams, CommandRequest, DryRun, IdempotencyKey, IfMatch, Ordered, idempotency_key,
};
pub(crate) use link::link;
pub(crate) use patch::PatchRequest;
pub(crate) use path::{PathId, PathIds};
pub(crate) use problem::Problem;
pub(crate) use query::{NoQuery, Query};
