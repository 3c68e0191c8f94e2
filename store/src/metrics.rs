//! The metrics of the program: name, unit, labels and meaning of each, in one place.
//!
//! They are recorded by the macros of the crate `metrics`, where things happen:
//! `counter!(REFUSALS, "type" => name)`. Where OpenTelemetry's semantic conventions have a name, it is theirs,
//! as Prometheus writes it; all others begin with `daybook_`. No label has a tenant: there may be 100,000 of
//! them, and each would be a series.

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};

use crate::followers::FollowerKind;

/// What kind of figure a metric is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// It only grows, from 0 at the program's start.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Values are counted in buckets with these upper bounds.
    Histogram(&'static [f64]),
}

/// A metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    pub name: &'static str,
    pub kind: Kind,
    pub unit: Unit,
    pub labels: &'static [&'static str],
    /// What it says, in a sentence without a full stop.
    pub description: &'static str,
}

/// Seconds, from a request that reads memory up to where requests time out.
const REQUEST_SECONDS: &[f64] =
    &[0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0];

/// Seconds, of what waits for the database.
const DATABASE_SECONDS: &[f64] =
    &[0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Up to the largest batch.
const BATCH_SIZES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 1_024.0];

/// Declares the metrics: a constant with the name of each, and [`ALL`].
macro_rules! metrics {
    ($($constant:ident = $kind:expr, $name:literal, $unit:ident, [$($label:literal),*], $description:literal;)+) => {
        $(#[doc = $description] pub const $constant: &str = $name;)+

        /// All of them.
        pub const ALL: &[Metric] = &[$(Metric {
            name: $name,
            kind: $kind,
            unit: Unit::$unit,
            labels: &[$($label),*],
            description: $description,
        }),+];
    };
}

use Kind::{Counter, Gauge, Histogram};

metrics! {
    // Requests.
    HTTP_REQUEST_SECONDS = Histogram(REQUEST_SECONDS), "http_server_request_duration_seconds", Seconds,
        ["http_request_method", "http_route", "http_response_status_code"],
        "How long requests took, until their answer began";
    HTTP_ACTIVE_REQUESTS = Gauge, "http_server_active_requests", Count, ["http_request_method"],
        "Requests that are being answered";
    HTTP_CONNECTIONS = Gauge, "daybook_http_connections", Count, [],
        "Connections of clients that are open";
    HTTP_CONNECTIONS_EVICTED = Counter, "daybook_http_connections_evicted_total", Count, [],
        "Idle connections that were closed to make room for others";
    REFUSALS = Counter, "daybook_refusals_total", Count, ["type"],
        "Problems that were answered, by the last part of their type; each item of a batch counts";
    EVENT_STREAMS = Gauge, "daybook_event_streams", Count, [],
        "Streams of events that are open";

    // Decisions, and the committers that append them.
    DECISION_RETRIES = Counter, "daybook_decision_retries_total", Count, ["reason"],
        "Decisions taken again: stale, what they had read had changed; conflict, what they chose was taken";
    APPEND_SECONDS = Histogram(DATABASE_SECONDS), "daybook_append_duration_seconds", Seconds, [],
        "From when a decision was submitted to its verdict";
    SUBMISSIONS_WAITING = Gauge, "daybook_submissions_waiting", Count, [],
        "Submissions that wait in the committers' queues";
    BATCH_SIZE = Histogram(BATCH_SIZES), "daybook_batch_submissions", Count, ["path"],
        "Submissions in a batch, by how it was sent: optimistic or serial";
    BATCH_SECONDS = Histogram(DATABASE_SECONDS), "daybook_batch_duration_seconds", Seconds, ["path"],
        "How long batches took, from when they were sent until they were committed or had failed";
    BATCH_FAILURES = Counter, "daybook_batch_failures_total", Count, ["path"],
        "Batches that failed: an optimistic one is tried again serially, what fails serially is answered 503";
    EVENTS_APPENDED = Counter, "daybook_events_appended_total", Count, [],
        "Events that were appended";

    // The database, and the connections to it.
    DATABASE_UP = Gauge, "daybook_database_up", Count, [],
        "1: the database answered when it was last asked";
    CONNECTIONS = Gauge, "db_client_connections", Count,
        ["db_client_connection_pool_name", "db_client_connection_state"],
        "Connections of a pool, idle or used";
    CONNECTIONS_MAX = Gauge, "db_client_connection_max", Count, ["db_client_connection_pool_name"],
        "The most connections that a pool may have";
    CONNECTION_WAIT_SECONDS = Histogram(DATABASE_SECONDS), "db_client_connection_wait_time_seconds", Seconds,
        ["db_client_connection_pool_name"],
        "How long a connection of a pool is waited for, sampled once a second";
    CLOCK_SKEW_SECONDS = Gauge, "daybook_clock_skew_seconds", Seconds, [],
        "By how much this machine's clock is ahead of the database's";

    // Projections. What is measured is what this program sees.
    PROJECTION_READY = Gauge, "daybook_projection_ready", Count, ["projection", "version"],
        "1: the projection is made and can be read";
    PROJECTION_LAG_EVENTS = Gauge, "daybook_projection_lag_events", Count, ["projection", "version"],
        "Events that the projection has not read, over all tenants";
    PROJECTION_LAG_SECONDS = Gauge, "daybook_projection_lag_seconds", Seconds, ["projection", "version"],
        "For how long the oldest event that the projection has not read has waited; stalled tenants do not count";
    PROJECTION_LEADS = Gauge, "daybook_projection_leads", Count, ["projection", "version"],
        "Tenants whose lease of the projection this program has";
    PROJECTION_TENANTS_STALLED = Gauge, "daybook_projection_tenants_stalled", Count,
        ["projection", "version"],
        "Tenants for whom the projection is stalled by an event that it cannot apply";
    LOGS_OVERLOOKED = Counter, "daybook_logs_overlooked_total", Count, ["comparison"],
        "Logs that were behind and nobody looked at, until they were compared: begun, asked or regular";
    PROJECTION_BUILD_EVENTS = Gauge, "daybook_projection_build_events", Count, ["projection", "version"],
        "Events in the log that a projection is made of, while it is made";
    PROJECTION_BUILD_EVENTS_DONE = Gauge, "daybook_projection_build_events_done", Count,
        ["projection", "version"],
        "How many of these it has read";
    PROJECTION_POLL_SECONDS = Histogram(DATABASE_SECONDS), "daybook_projection_poll_duration_seconds",
        Seconds, ["projection"],
        "How long polls took";
    PROJECTION_EVENTS = Counter, "daybook_projection_events_total", Count, ["projection"],
        "Events that a projection's polls have read";

    // Answers that are cached.
    CACHE_READS = Counter, "daybook_cache_reads_total", Count, ["found"],
        "Questions that were looked for in the cache, by where the answer was found: memory, redis, or none, it was worked out";
    CACHE_FAILURES = Counter, "daybook_cache_failures_total", Count, ["why"],
        "Questions that the shared cache did not answer: timeout, connection, or damaged, what it had was not what was put there";

    // Whoever follows the log outside: endpoints of webhooks, and the broker.
    FOLLOWER_LAG_EVENTS = Gauge, "daybook_follower_lag_events", Count, ["follower"],
        "Events that followers of a kind have not been told, over all tenants";
    FOLLOWER_LAG_SECONDS = Gauge, "daybook_follower_lag_seconds", Seconds, ["follower"],
        "For how long the oldest event that a follower of a kind has not been told has waited";
    FOLLOWERS_STOPPED = Gauge, "daybook_followers_stopped", Count, ["follower"],
        "Followers of a kind that were given up";
    WEBHOOK_DELIVERIES = Counter, "daybook_webhook_deliveries_total", Count, ["outcome"],
        "Events that were sent to endpoints of webhooks: delivered, failed or gone";
    WEBHOOK_SECONDS = Histogram(REQUEST_SECONDS), "daybook_webhook_delivery_duration_seconds", Seconds, [],
        "How long endpoints of webhooks took to answer, or not to";

    RELAY_EVENTS = Counter, "daybook_relay_events_total", Count, ["outcome"],
        "Events that were published to the broker: confirmed, or why one was not";

    // Work by itself.
    HOLDS_DUE = Gauge, "daybook_holds_due", Count, [],
        "Holds that have lapsed and are not given back yet";
    REMINDERS = Counter, "daybook_reminders_total", Count, ["result"],
        "Tries to remind a client: sent, announced, transient, permanent, unknown or skipped";
    REMINDERS_OLDEST_DUE = Gauge, "daybook_reminders_oldest_due_seconds", Seconds, [],
        "For how long the reminder has been due that is due longest and not sent, however often it was tried";
    NOTICES = Counter, "daybook_notices_total", Count, ["result"],
        "Tries to tell a client of an appointment: sent, transient, permanent, unknown or skipped";
    NOTICES_OLDEST_DUE = Gauge, "daybook_notices_oldest_due_seconds", Seconds, [],
        "For how long the notice has been due that is due longest and not sent, however often it was tried";
    TEMPLATE_FAULTS = Counter, "daybook_template_faults_total", Count, [],
        "Messages to clients for which a tenant's template could not be used, so daybook's own words were sent";
    PROGRAMS_ALIVE = Gauge, "daybook_programs_alive", Count, ["role"],
        "Programs on this database that are alive and have the role";
    BACKGROUND_FAILURES = Counter, "daybook_background_failures_total", Count, ["task"],
        "Attempts of the program's own work that failed and are made again";

    // The program.
    BUILD_INFO = Gauge, "daybook_build_info", Count, ["version"],
        "1, with the program's version";
    LOG_LINES_DROPPED = Counter, "daybook_log_lines_dropped_total", Count, [],
        "Lines of the log that were dropped because whoever reads it was too slow";
    PROCESS_CPU_SECONDS = Counter, "process_cpu_seconds_total", Seconds, [],
        "Processor time of the process, user's and system's";
    PROCESS_MEMORY = Gauge, "process_resident_memory_bytes", Bytes, [],
        "Memory of the process that is resident";
    PROCESS_OPEN_FILES = Gauge, "process_open_fds", Count, [],
        "File descriptors that are open";
    PROCESS_MAX_FILES = Gauge, "process_max_fds", Count, [],
        "File descriptors that may be open";
    PROCESS_THREADS = Gauge, "process_threads", Count, [],
        "Threads of the process";
    PROCESS_START = Gauge, "process_start_time_seconds", Seconds, [],
        "When the process began, in seconds since 1970";
}

/// Tells the recorder what each metric is. It must be installed.
pub fn describe() {
    for Metric { name, kind, unit, description, .. } in ALL {
        match kind {
            Counter => describe_counter!(*name, *unit, *description),
            Gauge => describe_gauge!(*name, *unit, *description),
            Histogram(_) => describe_histogram!(*name, *unit, *description),
        }
    }
}

/// What becomes of an event that is published to the broker.
const RELAY_OUTCOMES: [&str; 9] = [
    "confirmed",
    "not-connected",
    "not-trusted",
    "other-name",
    "blocked",
    "timed-out",
    "refused",
    "unroutable",
    "closed",
];

/// What is there from the start, at nought: an alert on what grows would miss the first.
pub fn begin() {
    for problem in ["internal", "unavailable"] {
        counter!(REFUSALS, "type" => problem).increment(0);
    }
    for reason in ["stale", "conflict"] {
        counter!(DECISION_RETRIES, "reason" => reason).increment(0);
    }
    for path in ["optimistic", "serial"] {
        counter!(BATCH_FAILURES, "path" => path).increment(0);
    }
    for comparison in ["begun", "asked", "regular"] {
        counter!(LOGS_OVERLOOKED, "comparison" => comparison).increment(0);
    }
    for found in ["memory", "redis", "none"] {
        counter!(CACHE_READS, "found" => found).increment(0);
    }
    for why in ["timeout", "connection", "damaged"] {
        counter!(CACHE_FAILURES, "why" => why).increment(0);
    }
    for outcome in ["delivered", "failed", "gone"] {
        counter!(WEBHOOK_DELIVERIES, "outcome" => outcome).increment(0);
    }
    for outcome in RELAY_OUTCOMES {
        counter!(RELAY_EVENTS, "outcome" => outcome).increment(0);
    }
    for kind in FollowerKind::ALL {
        gauge!(FOLLOWER_LAG_SECONDS, "follower" => kind.as_str()).set(0);
        gauge!(FOLLOWERS_STOPPED, "follower" => kind.as_str()).set(0);
    }
    counter!(HTTP_CONNECTIONS_EVICTED).increment(0);
    gauge!(HTTP_CONNECTIONS).set(0.0);
    counter!(EVENTS_APPENDED).increment(0);
    counter!(LOG_LINES_DROPPED).increment(0);
    gauge!(SUBMISSIONS_WAITING).set(0);
    gauge!(EVENT_STREAMS).set(0);
    gauge!(HOLDS_DUE).set(0);
    for result in ["sent", "transient", "permanent", "unknown", "skipped"] {
        counter!(REMINDERS, "result" => result).increment(0);
        counter!(NOTICES, "result" => result).increment(0);
    }
    counter!(REMINDERS, "result" => "announced").increment(0);
    counter!(TEMPLATE_FAULTS).increment(0);
    gauge!(REMINDERS_OLDEST_DUE).set(0);
    gauge!(NOTICES_OLDEST_DUE).set(0);
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_metric_is_declared_once_and_named_as_prometheus_has_it() {
        let mut seen = HashSet::new();
        for Metric { name, kind, unit, labels, description } in ALL {
            assert!(seen.insert(*name), "{name} is declared twice");
            assert_eq!(*kind == Counter, name.ends_with("_total"), "{name}");
            if *unit == Unit::Seconds {
                assert!(name.trim_end_matches("_total").ends_with("_seconds"), "{name}");
            }
            assert!(!labels.contains(&"tenant"), "{name}");
            assert!(!description.ends_with('.'), "{name}");
        }
    }

    #[test]
    fn the_buckets_of_a_histogram_ascend() {
        for Metric { name, kind, .. } in ALL {
            let Histogram(bounds) = kind else { continue };
            assert!(bounds.is_sorted_by(|one, next| one < next), "{name}");
        }
    }

    #[test]
    fn the_documentation_has_a_row_for_each_metric() {
        let documentation = include_str!("../../docs/operations.md");
        for Metric { name, labels, description, .. } in ALL {
            let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
            let row = format!("| `{name}` | {} | {description} |", labels.join(", "));
            assert!(documentation.contains(&row), "docs/operations.md has no row {row}");
        }
    }
}
