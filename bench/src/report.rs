//! The rows of a run: shown as they come, then as a table, and written as JSON.

use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::Serialize;

use crate::output;
use crate::samples::Summary;

/// One row.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    /// What was measured.
    case: String,
    /// How many at a time.
    pub(crate) in_flight: usize,
    /// How many appointments there were before, where it is about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    appointments: Option<u64>,
    /// How many tenants there were, where it is about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenants: Option<u64>,
    pub(crate) per_second: f64,
    p50_ms: f64,
    pub(crate) p99_ms: f64,
    p999_ms: f64,
    /// How often as many as pgbench at its best.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ratio_to_pgbench_best: Option<f64>,
    /// How often as many as the same with the fewest appointments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ratio_to_smallest: Option<f64>,
    #[serde(flatten)]
    pub(crate) rebuilt: Option<Rebuilt>,
}

/// What a rebuild comes to.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Rebuilt {
    pub(crate) events_per_second: f64,
    /// How often as fast as the same fold as an SQL statement.
    pub(crate) ratio_to_sql_fold: f64,
    /// How often as fast as a plain COPY of the same events.
    pub(crate) ratio_to_copy: f64,
    /// The most memory that the process had.
    pub(crate) peak_rss_mb: f64,
}

/// Whether a figure is to be large or small.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Aim {
    AtLeast(f64),
    Below(f64),
}

/// All rows of a run, and how they compare with what is aimed for.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    remarks: Vec<String>,
}

impl Report {
    /// Adds a row, and tells of it.
    pub(crate) fn add(&mut self, case: &str, in_flight: usize, summary: Summary) -> &mut Row {
        let Summary { per_second, p50_ms, p99_ms, p999_ms } = summary;
        output::note(&format!(
            "{case} at {in_flight}: {per_second:.0}/s, p50 {p50_ms:.2} ms, p99 {p99_ms:.2} ms"
        ));
        let row = Row {
            case: case.to_owned(),
            in_flight,
            appointments: None,
            tenants: None,
            per_second: rounded(per_second),
            p50_ms: rounded(p50_ms),
            p99_ms: rounded(p99_ms),
            p999_ms: rounded(p999_ms),
            ratio_to_pgbench_best: None,
            ratio_to_smallest: None,
            rebuilt: None,
        };
        // The row that was just added is there.
        let at = self.rows.len();
        self.rows.push(row);
        &mut self.rows[at]
    }

    /// The rows of a case.
    pub(crate) fn rows<'a>(&'a self, case: &'a str) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().filter(move |row| row.case == case)
    }

    /// Sets each row's ratio to the best of pgbench.
    pub(crate) fn compare_with(&mut self, pgbench_best: f64) {
        for row in &mut self.rows {
            row.ratio_to_pgbench_best = Some(rounded(row.per_second / pgbench_best));
        }
    }

    /// Notes a figure that something is aimed for.
    pub(crate) fn aim(&mut self, what: &str, measured: f64, aim: Aim) {
        let (met, aim) = match aim {
            Aim::AtLeast(least) => (measured >= least, format!("at least {least}")),
            Aim::Below(bound) => (measured < bound, format!("below {bound}")),
        };
        let verdict = if met { "met" } else { "missed" };
        self.remarks.push(format!("{what}: {measured:.2} (aim: {aim}) {verdict}"));
    }

    /// Notes something else that a reader should know.
    pub(crate) fn remark(&mut self, remark: String) {
        self.remarks.push(remark);
    }

    /// Prints the table, and writes the file.
    pub(crate) fn finish(&self, json: Option<&Path>) -> anyhow::Result<()> {
        output::line("")?;
        output::line(&heading())?;
        for row in &self.rows {
            output::line(&row.line())?;
        }
        output::line("")?;
        for remark in &self.remarks {
            output::line(remark)?;
        }
        if let Some(file) = json {
            let text = serde_json::to_string_pretty(&self.rows)? + "\n";
            fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(())
    }
}

impl Row {
    /// With so many tenants.
    pub(crate) const fn among(&mut self, tenants: u64) {
        self.tenants = Some(tenants);
    }

    pub(crate) const fn tenants(&self) -> Option<u64> {
        self.tenants
    }

    /// With so many appointments before; `smallest` is the rate with the fewest.
    pub(crate) fn grown(&mut self, appointments: u64, smallest: Option<f64>) {
        self.appointments = Some(appointments);
        let smallest = smallest.unwrap_or(self.per_second);
        self.ratio_to_smallest = Some(rounded(self.per_second / smallest));
    }

    fn line(&self) -> String {
        let ratio = self.ratio_to_pgbench_best.or(self.ratio_to_smallest);
        format!(
            "{:<20} {:>12} {:>9} {:>10.0} {:>9.2} {:>9.2} {:>9.2} {:>7}",
            self.case,
            self.appointments.or(self.tenants).map(|count| count.to_string()).unwrap_or_default(),
            self.in_flight,
            self.per_second,
            self.p50_ms,
            self.p99_ms,
            self.p999_ms,
            ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
        )
    }
}

fn heading() -> String {
    format!(
        "{:<20} {:>12} {:>9} {:>10} {:>9} {:>9} {:>9} {:>7}",
        "case", "of", "in flight", "per second", "p50 ms", "p99 ms", "p99.9 ms", "ratio"
    )
}

fn rounded(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_fields_that_others_read() {
        let mut report = Report::default();
        let summary = Summary { per_second: 10.0, p50_ms: 1.0, p99_ms: 2.0, p999_ms: 3.0 };
        report.add("append", 64, summary);
        report.compare_with(4.0);
        let json = serde_json::to_value(&report.rows).unwrap();
        let expected = serde_json::json!([{
            "case": "append", "in_flight": 64, "per_second": 10.0, "p50_ms": 1.0, "p99_ms": 2.0,
            "p999_ms": 3.0, "ratio_to_pgbench_best": 2.5,
        }]);
        assert_eq!(json, expected);
    }
}
