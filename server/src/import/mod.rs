//! `daybook import`: what calendars have, booked; and what has changed there since, changed.
//!
//! A service per category, a resource per place, an appointment per event. Each event is known by where it
//! comes from and by what its source calls it, so importing again finds it.

mod apart;
mod apply;
mod ids;
mod importer;
mod input;
mod outcome;
mod patience;
mod places;
mod plan;
mod preview;
mod report;
mod service;
mod wanted;

use std::path::{Path, PathBuf};

use anyhow::bail;
use chrono_tz::Tz;
use daybook_api::imports::ImportOutcome;
use daybook_store::tenants;

pub(crate) use importer::Home;
pub(crate) use service::Imports;

use importer::{Importer, Options, Seen};
use input::Input;

use crate::database::Database;
use crate::parts::{self, Parts};
use crate::progress::ProgressLine;
use crate::{cli, master_key, output};

/// What there is to import.
pub(crate) struct Files {
    paths: Vec<PathBuf>,
    /// The file itself, where it is the only one: then it was opened, to see whether it is whole.
    only: Option<Input>,
}

/// Finds the files. One that is named and is not a whole calendar is an error, before anything is booked; of
/// a folder, the others are imported.
pub(crate) fn open(options: &cli::Import) -> anyhow::Result<Files> {
    let paths = input::files(&options.file)?;
    let only = if options.file.is_dir() { None } else { Some(input::open(&options.file)?) };
    Ok(Files { paths, only })
}

/// Imports the files, and says what became of their events.
pub(crate) async fn run(
    database: &Database,
    options: &cli::Import,
    files: Files,
) -> anyhow::Result<()> {
    let parts = parts::connected(database).await?;
    anyhow::ensure!(parts.engine.keyring().is_some(), master_key::MISSING);
    parts::prepare(&parts).await?;
    if options.apart {
        return apart::run(&parts, options, files.paths).await;
    }
    if !options.dry_run {
        let zone = options.time_zone.unwrap_or(Tz::UTC);
        let pool = parts.log().pool();
        tenants::create(pool, &options.tenant, zone.name(), parts.clock.now()).await?;
    }
    let mut importer = importer(&parts, options).await?;
    let mut told = Told::new(options.dry_run, files.paths.len() > 1);
    let (mut only, mut unread) = (files.only, Vec::new());
    for path in files.paths {
        match only.take().map_or_else(|| input::open(&path), Ok) {
            Ok(input) => told.import(&mut importer, &path, input).await?,
            Err(error) => unread.push(format!("{error:#}")),
        }
    }
    told.progress.done();
    for fault in &unread {
        output::line(&format!("refused: {fault}"))?;
    }
    conclude(&importer, options, unread.len())
}

async fn importer(parts: &Parts, options: &cli::Import) -> anyhow::Result<Importer> {
    let how = Options {
        time_zone: options.time_zone,
        source: options.source.clone(),
        resource: options.resource.clone(),
        category_from: options.category_from,
        dry_run: options.dry_run,
    };
    Importer::new(parts.engine.clone(), &options.tenant, "daybook:import", how).await
}

/// What is told while files are imported.
struct Told {
    progress: ProgressLine,
    done: u64,
    total: u64,
    dry_run: bool,
    /// Whether the file has to be named.
    several: bool,
}

impl Told {
    fn new(dry_run: bool, several: bool) -> Self {
        Self { progress: ProgressLine::new("import"), done: 0, total: 0, dry_run, several }
    }

    async fn import(
        &mut self,
        importer: &mut Importer,
        path: &Path,
        input: Input,
    ) -> anyhow::Result<()> {
        let name = input::name_of(path)?;
        self.total += input.event_count() as u64;
        let mut unsaid = None;
        let mut seen = |seen: Seen<'_>| match seen {
            Seen::Events(events) => {
                self.done += events as u64;
                self.progress.show(self.done, self.total);
            }
            Seen::Outcome(outcome) if outcome.is_told(self.dry_run) => {
                if let Err(error) = self.progress.above(&self.line(path, outcome)) {
                    unsaid.get_or_insert(error);
                }
            }
            Seen::Outcome(_) => {}
        };
        importer.import(input, name, &mut seen).await?;
        unsaid.map_or(Ok(()), Err)
    }

    fn line(&self, path: &Path, outcome: &ImportOutcome) -> String {
        let line = report::outcome(outcome, self.dry_run);
        if self.several { format!("{}: {line}", path.display()) } else { line }
    }
}

fn conclude(importer: &Importer, options: &cli::Import, unread_files: usize) -> anyhow::Result<()> {
    let counts = importer.counts();
    if counts.going_on > 0 {
        let (series, until) = (counts.going_on, importer.horizon().date_naive());
        output::line(&format!("{series} series go on after {until}: the next import goes on"))?;
    }
    if options.dry_run {
        output::line("nothing was changed; without --dry-run it would be:")?;
    }
    output::line(&report::counts(&counts))?;
    let refused = counts.refused + unread_files as u64;
    if refused > 0 && !options.allow_refusals {
        bail!("{refused} were refused; with --allow-refusals that is no failure");
    }
    Ok(())
}
