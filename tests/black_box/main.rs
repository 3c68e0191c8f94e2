//! Black-box tests: they start the real `daybook`, speak HTTP to it, and know nothing of its inside.
//! Only `proof` also looks into its database, to compare what clients were told with what is there.
//!
//! The files mirror the routes. What they share is in `harness`: a `Database` to run on, a `Server`, an
//! `Api` to talk to it, and a `Practice`, which is a tenant with a service, a room and a client in it.
//! Most tests share one server and have a tenant each; those of the program's own life start their own.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "all of this is test code, and clippy sees only `#[test]`s"
)]

mod harness;

mod access;
mod agenda;
mod analysis_example;
mod analytics;
mod appointments;
mod architecture;
mod audit;
mod availability;
mod bad_input;
mod balancing;
mod batch;
mod bounds;
mod browser_sessions;
mod cache;
mod caldav;
mod calendar_feeds;
mod catalogue;
mod client_history;
mod client_privacy;
mod clients;
mod conflicts;
mod contract;
mod database;
mod demo;
mod deployment;
mod doctor;
mod documentation;
mod erasure_ledger;
mod events;
mod every_operation;
mod faults;
mod guides;
mod http;
mod idempotency;
mod import;
mod keys;
mod local_times;
mod mail;
mod metadata;
mod monitoring;
mod names;
mod notices;
mod observability;
mod opening_hours;
mod patch;
mod personal;
mod personal_data;
mod places;
mod positions;
mod program;
mod projections;
mod projectors;
mod proof;
mod races;
mod random_calendars;
mod readme;
mod ready;
mod relay;
mod reminders;
mod repository;
mod roles;
mod rotation;
mod rules;
mod seal;
mod secret_files;
mod security_page;
mod series;
mod sessions;
mod settings;
mod starting;
mod stopping;
mod templates;
mod tenants;
mod tenants_in_sql;
mod time_travel;
mod tls;
mod tokens;
mod traces;
mod utilisation;
mod versions;
mod waiting;
mod webhooks;
