//! `import`: one calendar of many events, read and booked by the program: how long that takes, and how much memory; then the
//! same calendar again.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::sleep;

use crate::cli::Options;
use crate::cluster::{Database, Server};
use crate::dearest::status_kb;
use crate::http::server::Program;
use crate::report::Report;
use crate::samples::Summary;

/// So many places, each of which has its half hours one after the other.
const ROOMS: u32 = 20;

const CATEGORIES: u32 = 5;

/// How often it is looked at how much memory the program has.
const LOOK: Duration = Duration::from_millis(20);

pub(crate) async fn run(
    server: &Server,
    options: &Options,
    events: u32,
    daybook: Option<&Path>,
) -> anyhow::Result<Report> {
    let events = if options.smoke { 2_000 } else { events };
    let program = Program::find(daybook)?;
    let file = server.scratch("calendar.ics");
    let mut report = Report::default();
    // A tenth first: neither time nor memory may grow faster than the file.
    for events in [events / 10, events] {
        let calendar = calendar(events)?;
        fs::write(&file, &calendar)?;
        let database = server.empty().await?;
        for case in ["import", "import-again"] {
            let (took, peak_mb) = imported(&program, &database, &file).await?;
            let seconds = took.as_secs_f64();
            report.add(case, 1, Summary::of_rate(f64::from(events) / seconds));
            let kb = calendar.len() / 1_024;
            report.remark(format!(
                "{case}: {events} events in {kb} KB took {seconds:.1} s, at most {peak_mb} MB of memory"
            ));
        }
        server.drop(database).await?;
    }
    Ok(report)
}

/// How long it took, and the most memory that the program had, in MB.
async fn imported(
    program: &Program,
    database: &Database,
    file: &Path,
) -> anyhow::Result<(Duration, u64)> {
    let file = file.to_str().context("the folder's name is no text")?;
    let mut command = program.command(database, &["import", file, "--tenant", "north"]);
    let (begun, mut peak_kb) = (Instant::now(), 0);
    let mut child = command.stdout(Stdio::null()).spawn()?;
    let status = loop {
        // It may have ended since.
        peak_kb = status_kb(child.id(), "VmHWM").unwrap_or(peak_kb);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        sleep(LOOK).await;
    };
    ensure!(status.success(), "the import failed: {status}");
    Ok((begun.elapsed(), peak_kb / 1_024))
}

/// Of single events, as calendars export them.
fn calendar(events: u32) -> anyhow::Result<String> {
    let begins: DateTime<Utc> = "2027-01-01T00:00:00Z".parse()?;
    let mut text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//daybook//bench//EN\r\n".to_owned();
    for n in 0..events {
        let start = begins + TimeDelta::minutes(i64::from(n / ROOMS) * 30);
        let end = start + TimeDelta::minutes(30);
        let time = |at: DateTime<Utc>| at.format("%Y%m%dT%H%M%SZ").to_string();
        let (start, end, room, category) = (time(start), time(end), n % ROOMS, n % CATEGORIES);
        write!(
            text,
            "BEGIN:VEVENT\r\nUID:{n:08}@bench.example\r\nDTSTAMP:20261201T000000Z\r\nSEQUENCE:0\r\n\
             SUMMARY:Lesson {n} of a course that has many\r\nDTSTART:{start}\r\nDTEND:{end}\r\n\
             LOCATION:Room {room}\r\nCATEGORIES:Course {category}\r\nSTATUS:CONFIRMED\r\n\
             DESCRIPTION:What there is to say about a lesson before it is held\\, in a line or two.\r\n\
             END:VEVENT\r\n"
        )?;
    }
    text.push_str("END:VCALENDAR\r\n");
    Ok(text)
}
