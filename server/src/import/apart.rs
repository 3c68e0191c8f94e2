//! Each file into a tenant of its own, told in a form for programs: `cargo xtask corpus` asks for it.

use std::path::PathBuf;

use anyhow::Context as _;
use chrono_tz::Tz;
use daybook_api::imports::ImportVerdict;
use daybook_domain::TenantId;
use daybook_store::tenants;

use super::importer::Seen;
use super::{importer, input};
use crate::parts::Parts;
use crate::{cli, output};

/// A line per file that is whole: `file`, its path, its program, how many events it has; before it a line per
/// event that was refused: `refused`, path, program, line, why. A line per other file: `unread`, path, why. Tabs
/// between.
pub(super) async fn run(
    parts: &Parts,
    options: &cli::Import,
    paths: Vec<PathBuf>,
) -> anyhow::Result<()> {
    for (n, path) in paths.into_iter().enumerate() {
        let shown = path.display().to_string();
        let input = match input::open(&path) {
            Ok(input) => input,
            Err(error) => {
                output::line(&fields(&["unread", &shown, &error.root_cause().to_string()]))?;
                continue;
            }
        };
        let product = input.product().unwrap_or("(none)").to_owned();
        let events = input.event_count().to_string();
        let tenant: TenantId = format!("{}-{n}", options.tenant).parse()?;
        let zone = options.time_zone.unwrap_or(Tz::UTC);
        let (pool, now) = (parts.log().pool(), parts.clock.now());
        tenants::create(pool, &tenant, zone.name(), now).await?;
        let options = cli::Import { tenant, ..options.clone() };
        let mut importer = importer(parts, &options).await?;
        let mut refused = Vec::new();
        let mut seen = |seen: Seen<'_>| {
            if let Seen::Outcome(outcome) = seen
                && outcome.outcome == ImportVerdict::Refused
            {
                let line = outcome.line.to_string();
                refused.push(fields(&["refused", &shown, &product, &line, &outcome.message]));
            }
        };
        let done = importer.import(input, input::name_of(&path)?, &mut seen).await;
        done.with_context(|| format!("{shown} was not imported to its end"))?;
        for line in &refused {
            output::line(line)?;
        }
        output::line(&fields(&["file", &shown, &product, &events]))?;
    }
    Ok(())
}

fn fields(fields: &[&str]) -> String {
    let clean = |field: &&str| field.replace(['\t', '\n', '\r'], " ");
    fields.iter().map(clean).collect::<Vec<_>>().join("\t")
}
