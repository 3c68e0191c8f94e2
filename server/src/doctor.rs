//! `daybook doctor`: what is wrong, in plain words, and what to do about it.

use anyhow::ensure;
use daybook_projections::{State, Status};
use daybook_store::doctor::{Ailment, Examination, examine, is_superuser};
use daybook_store::followers::FollowerKind;
use daybook_store::{followers, programs};

use crate::database::Database;
use crate::{leftovers, output, parts};

/// How far behind a projection may be without being worth a word: two batches.
const EVENTS_BEHIND: u64 = 2_000;

/// So many followers that were given up are named.
const MOST_STOPPED: u32 = 20;

const STOPPED: &str = "whoever runs it mends it, and has it told again: of a webhook, \
    `PATCH /v1/webhooks/{id}` with `active: true`";

/// It works, so it is no ailment.
const SUPERUSER: &str = "daybook works as a superuser of the database: whoever gets a statement past it has the whole server\n  \
     -> `daybook database-roles` prints the SQL that makes roles which may do no more than they need";

/// Looks, and changes nothing. An error: something is wrong.
pub(crate) async fn run(database: &Database) -> anyhow::Result<()> {
    let parts = parts::connected(database).await?;
    let mut wrong = 0;
    let mut say = |what: &str, advice: &str| {
        wrong += 1;
        output::line(&format!("{what}\n  -> {advice}"))
    };
    let Examination { ailments, logs } = examine(parts.log().pool()).await?;
    for ailment in &ailments {
        say(&ailment.to_string(), advice(ailment))?;
    }
    if !ailments.iter().any(|ailment| matches!(ailment, Ailment::MigrationsMissing(_))) {
        for status in parts.progress().status().await? {
            for (what, advice) in of_projection(&status) {
                say(&what, advice)?;
            }
        }
        let living = programs::living(parts.log().pool()).await?;
        // Where none lives, nothing is meant to be done.
        let missing = if living.is_empty() { Vec::new() } else { programs::missing_roles(&living) };
        for role in missing {
            let advice = "start a `daybook serve` whose --roles name it";
            say(&format!("no program that lives has the role {role}"), advice)?;
        }
        for kind in FollowerKind::ALL {
            for (follower, status) in
                followers::stopped(parts.log().pool(), kind, MOST_STOPPED).await?
            {
                let (why, at) = (status.failure.unwrap_or_default(), status.position);
                say(&format!("{follower} was given up at position {at}: {why}"), STOPPED)?;
            }
        }
        for leftover in leftovers::all(&parts).await? {
            let (schema, why) = (leftover.schema(), leftover.why());
            say(&format!("the schema {schema} is left over: {why}"), leftovers::ADVICE)?;
        }
    }
    if is_superuser(parts.log().pool()).await? {
        output::line(SUPERUSER)?;
    }
    ensure!(wrong == 0, "{wrong} things are not as they should be");
    output::line("all is well: migrations, ends of logs, claims, checkpoints, projections")?;
    output::line(&format!(
        "this was a look at {logs} logs; `daybook verify` and `daybook projections verify --all` prove it of all",
    ))
}

const fn advice(ailment: &Ailment) -> &'static str {
    match ailment {
        Ailment::MigrationsMissing(_) => "run `daybook migrate`, or start `daybook serve`",
        Ailment::MigrationUnknown(_) => "run the newer program's `daybook doctor` instead",
        Ailment::OtherFunction(_) => "the version that starts last has it; restart this one",
        Ailment::EndIsNotLastEvent(_) => {
            "somebody has changed the log: stop writing, run `daybook verify`, and restore a backup"
        }
        Ailment::ClaimsOfNothing { .. } => {
            "they keep time from being booked: run `daybook verify`, which says which they are"
        }
        Ailment::CheckpointAhead { .. } => {
            "the log was set back: run `daybook verify`, then `daybook projections rebuild --all`"
        }
    }
}

fn of_projection(status: &Status) -> Vec<(String, &'static str)> {
    let Status { projection, state, rebuild, events_behind, tenants_stalled, .. } = status;
    let mut found = Vec::new();
    match state {
        State::Ready if *events_behind > EVENTS_BEHIND => found.push((
            format!("{projection} has {events_behind} events to read"),
            "it follows the log while `daybook serve` runs; if it does, look again in a moment",
        )),
        State::Ready => {}
        State::Building => found.push((
            format!("{projection} is not built yet, so it cannot be read"),
            "`daybook serve` builds it; `daybook projections list` says how far it is",
        )),
        State::Cancelled => found.push((
            format!("the rebuild of {projection} was cancelled, so it cannot be read"),
            "`daybook projections rebuild` with its name begins again",
        )),
    }
    if let Some(failure) = rebuild.as_ref().and_then(|rebuild| rebuild.failure.as_ref()) {
        found.push((
            format!("{projection} could not be rebuilt: {failure}"),
            "it is tried again; if it is an event, a program that can apply it is needed",
        ));
    }
    if *tenants_stalled > 0 {
        found.push((
            format!("{projection} is stalled for {tenants_stalled} tenants at an event that it cannot apply"),
            "`GET /v1/projections` says which event and why; a program that can apply it goes on from there",
        ));
    }
    found
}
