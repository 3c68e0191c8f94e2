//! The table in `docs/limits.md`, between two marks.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context as _;

use super::Lives;
use super::cost::Cost;

const BEGIN: &str = "<!-- begin: bench dearest -->";
const END: &str = "<!-- end: bench dearest -->";

pub(super) fn write(file: &Path, rows: &[(String, Cost)], lives: &Lives) -> anyhow::Result<()> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let (before, rest) = text.split_once(BEGIN).context("no mark where the table begins")?;
    let (_, after) = rest.split_once(END).context("no mark where the table ends")?;
    let table = table(rows, lives);
    fs::write(file, format!("{before}{BEGIN}\n\n{table}\n{END}{after}"))?;
    Ok(())
}

fn table(rows: &[(String, Cost)], lives: &Lives) -> String {
    let mut table = "| route | status | KB | daybook ms | PostgreSQL ms | MB |\n\
                     |---|---:|---:|---:|---:|---:|\n"
        .to_owned();
    for (route, cost) in rows {
        let kilobytes = cost.bytes.div_ceil(1_024);
        let Cost { status, daybook_ms, postgres_ms, memory_mb, .. } = cost;
        // Writing to a String cannot fail.
        let _ = writeln!(
            table,
            "| `{route}` | {status} | {kilobytes} | {daybook_ms:.1} | {postgres_ms:.1} | {memory_mb:.1} |"
        );
    }
    let Lives { operations, api, answers } = lives;
    table
        + &format!(
            "\nWhile 64 clients send all of these (answers by status: {answers}), `/livez` of the operations port takes \
             {operations}; that of the API's port {api}.\n"
        )
}
