//! pgbench: plain SQL, one booking per transaction.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use sqlx::Connection as _;

use crate::cli::{Options, Timing};
use crate::cluster::{Database, Server, in_path};
use crate::report::Report;
use crate::samples::Samples;

/// The numbers of clients of which the best counts.
pub(crate) const CLIENTS: [usize; 3] = [16, 64, 90];

/// What the rows are called that were measured before daybook.
pub(crate) const BEFORE: &str = "pgbench-before";

/// What the rows are called that were measured after it.
pub(crate) const AFTER: &str = "pgbench-after";

/// The program and what it is to do.
pub(crate) struct Pgbench<'a> {
    server: &'a Server,
    program: PathBuf,
    script: PathBuf,
    template: Database,
    timing: Timing,
}

impl<'a> Pgbench<'a> {
    /// Finds the program and makes the tables; `None`: daybook is to be measured alone.
    pub(crate) async fn prepare(
        server: &'a Server,
        options: &Options,
        timing: Timing,
    ) -> anyhow::Result<Option<Self>> {
        if options.alone {
            return Ok(None);
        }
        let program = find(server).await?;
        let script = server.scratch("plain_booking.sql");
        fs::write(&script, include_str!("../../sql/plain_booking.sql"))?;
        let template = server.with_tables(include_str!("../../sql/plain.sql")).await?;
        Ok(Some(Self { server, program, script, template, timing }))
    }

    /// Measures before daybook.
    pub(crate) async fn before(&self, report: &mut Report) -> anyhow::Result<()> {
        self.measure(BEFORE, report).await
    }

    /// Measures after daybook, compares all rows with the best of both, and says how far apart the
    /// two are: whatever happened to the machine meanwhile, daybook's rows cannot be more exact.
    pub(crate) async fn after(&self, report: &mut Report) -> anyhow::Result<()> {
        self.measure(AFTER, report).await?;
        let best = |case| report.rows(case).map(|row| row.per_second).fold(0.0, f64::max);
        let (before, after) = (best(BEFORE), best(AFTER));
        report.compare_with(before.max(after));
        let drift = (after / before - 1.0) * 100.0;
        report.remark(format!("pgbench's best before and after differ by {drift:+.1} %"));
        Ok(())
    }

    async fn measure(&self, case: &'static str, report: &mut Report) -> anyhow::Result<()> {
        for clients in CLIENTS {
            let database = self.server.copy(&self.template).await?;
            let samples = self.run(case, clients, &database).await?;
            report.add(case, clients, samples.of(case)?);
            self.server.drop(database).await?;
        }
        Ok(())
    }

    async fn run(
        &self,
        case: &'static str,
        clients: usize,
        database: &Database,
    ) -> anyhow::Result<Samples> {
        let logs = self.server.scratch(database.name());
        fs::create_dir(&logs)?;
        let mut command = self.command(clients, database, &logs);
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        let said = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "pgbench: {}: {complaint}", output.status);
        ensure!(!said.contains("failed transactions: ") || said.contains(": 0 (0.000%)"), "{said}");
        let mut ended = Vec::new();
        for log in fs::read_dir(&logs)? {
            for line in fs::read_to_string(log?.path())?.lines() {
                ended.push(Transaction::parse(line).with_context(|| format!("{line:?}"))?);
            }
        }
        fs::remove_dir_all(&logs)?;
        counted(case, &ended, self.timing)
    }

    fn command(&self, clients: usize, database: &Database, logs: &Path) -> Command {
        let connection = self.server.connection();
        let seconds = (self.timing.warm_up + self.timing.measured).as_secs_f64().ceil();
        let mut command = Command::new(&self.program);
        // Nobody's own PGOPTIONS or PGSSLMODE is to have a say.
        command.env_clear().env("LC_ALL", "C").current_dir("/");
        if let Some(libraries) = std::env::var_os("LD_LIBRARY_PATH") {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command.args(["-n", "-M", "prepared", "-j", "2", "--log"]);
        command.arg("--log-prefix").arg(logs.join("log"));
        command.arg("-f").arg(&self.script);
        command.args(["-c", &clients.to_string(), "-T", &format!("{seconds:.0}")]);
        command.arg("-h").arg(&connection.socket_dir);
        command.args(["-p", &connection.port.to_string(), "-U", &connection.user, database.name()]);
        command
    }
}

/// The program of the server's own version, else any.
async fn find(server: &Server) -> anyhow::Result<PathBuf> {
    let named = std::env::var_os("PG_BINDIR").filter(|folder| !folder.is_empty());
    let own = PathBuf::from(server_programs(server).await?);
    let beside = named.map(PathBuf::from).into_iter().chain([own.clone()]);
    let mut beside = beside.map(|folder| folder.join("pgbench")).filter(|file| file.is_file());
    let program = beside.next().or_else(|| in_path("pgbench"));
    program.with_context(|| {
        format!(
            "there is no pgbench in {} nor in PATH, and without it there is nothing to compare with. \
             It comes with PostgreSQL's server packages (Debian: `apt-get install postgresql`); \
             PG_BINDIR names the folder of its programs. `--alone` does without.",
            own.display()
        )
    })
}

async fn server_programs(server: &Server) -> anyhow::Result<String> {
    let mut connection = server.admin().await?;
    let folder = sqlx::query_scalar("SELECT setting FROM pg_config WHERE name = 'BINDIR'")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok(folder)
}

/// A transaction in pgbench's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Transaction {
    micros: u32,
    /// Microseconds since 1970.
    ended: u64,
}

impl Transaction {
    /// From `client transaction micros script seconds microseconds`.
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split(' ').skip(2);
        let micros = fields.next()?.parse().ok()?;
        let seconds: u64 = fields.nth(1)?.parse().ok()?;
        let fraction: u64 = fields.next()?.parse().ok()?;
        Some(Self { micros, ended: seconds * 1_000_000 + fraction })
    }
}

/// Those that ended after the warm-up and in time. The clock starts when the first begins.
fn counted(case: &'static str, all: &[Transaction], timing: Timing) -> anyhow::Result<Samples> {
    let begun = all.iter().map(|done| done.ended - u64::from(done.micros)).min();
    let from = begun.unwrap_or_default() + u64::try_from(timing.warm_up.as_micros())?;
    let until = from + u64::try_from(timing.measured.as_micros())?;
    let mut samples = Samples::new(timing.measured);
    for done in all.iter().filter(|done| (from..until).contains(&done.ended)) {
        samples.add(case, done.micros)?;
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_line_of_pgbenchs_log_is_read() {
        let transaction = Transaction::parse("0 199 2241 0 1175850568 995598").unwrap();
        assert_eq!(transaction, Transaction { micros: 2241, ended: 1_175_850_568_995_598 });
        assert_eq!(Transaction::parse("0 1 skipped 0 1175850568 995598"), None);
    }

    #[test]
    fn only_what_ends_after_the_warm_up_and_in_time_counts() {
        let timing = Timing { warm_up: Duration::from_secs(1), measured: Duration::from_secs(2) };
        let all = [500_000, 999_000, 2_000_000, 2_998_999, 2_999_000]
            .map(|after| Transaction { micros: 1_000, ended: 1_000_000_000_001_000 + after });
        let first = Transaction { micros: 1_000, ended: 1_000_000_000_001_000 };
        let all = [&all[..], &[first]].concat();
        let summary = counted("pgbench", &all, timing).unwrap().of("pgbench").unwrap();
        // From 1 s to 3 s after the first began, which is 1 ms before it ended.
        assert!((summary.per_second - 1.5).abs() < f64::EPSILON, "{summary:?}");
    }
}
