//! `nodes`: two `daybook serve` on one PostgreSQL, beside one: bookings of one tenant over both, and
//! of a tenant on each.

mod cell;

use std::path::Path;

use daybook_store::{Clock as _, SystemClock, tenants};

use crate::catalogue::{self, Size};
use crate::cli::Options;
use crate::cluster::{Database, Server};
use crate::daybook::{Daybook, TENANT, disconnected};
use crate::http::server::Program;
use crate::report::{Aim, Report};
use cell::{Cell, Measured};

const IN_FLIGHT: [usize; 3] = [8, 32, 256];

/// One node, then two, again and again: a machine that becomes slower meanwhile does so for both.
const ROUNDS: u32 = 2;

/// Who has a node of its own beside the tenant of all other benchmarks.
const OTHER_TENANT: &str = "bench-2";

pub(crate) async fn run(
    server: &Server,
    options: &Options,
    daybook: Option<&Path>,
) -> anyhow::Result<Report> {
    let timing = options.timing(8);
    let size = Size::new(options.smoke, 0);
    let program = Program::find(daybook)?;
    let mut report = Report::default();
    let template = Daybook::template(server, size).await?;
    add_tenant(server, &template, size).await?;
    let cells = Cell { server, program: &program, template: &template, size, timing };
    for in_flight in options.in_flight(&IN_FLIGHT) {
        let mut all = [Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            all[0].push(cells.measure("one-node", 1, &[TENANT], in_flight, &mut report).await?);
            all[1].push(cells.measure("two-nodes", 2, &[TENANT], in_flight, &mut report).await?);
            let each = [TENANT, OTHER_TENANT];
            all[2].push(cells.measure("tenant-each", 2, &each, in_flight, &mut report).await?);
        }
        compare(&all, in_flight, &mut report);
    }
    Ok(report)
}

async fn add_tenant(server: &Server, database: &Database, size: Size) -> anyhow::Result<()> {
    let daybook = Daybook::open(database, size)?;
    let tenant = OTHER_TENANT.parse()?;
    tenants::create(daybook.log().pool(), &tenant, "UTC", SystemClock.now()).await?;
    catalogue::make(&daybook.engine, &tenant, size).await?;
    daybook.close().await;
    disconnected(server, database).await
}

/// What of one node's rate two have, and how much longer their answers take.
fn compare([one, two, each]: &[Vec<Measured>; 3], in_flight: usize, report: &mut Report) {
    let rate = |of: &[Measured]| of.iter().map(|cell| cell.summary.per_second).sum::<f64>();
    let p50 = |of: &[Measured]| of.iter().map(|cell| cell.summary.p50_ms).sum::<f64>();
    let ratio = rate(two) / rate(one);
    let slower = p50(two) / p50(one);
    let (rate_of, p50_of) = (
        format!("x one node's rate, two nodes and one tenant, at {in_flight}"),
        format!("x one node's p50, two nodes and one tenant, at {in_flight}"),
    );
    match in_flight {
        8 => report.aim(&p50_of, slower, Aim::Below(1.5)),
        _ => report.remark(format!("{p50_of}: {slower:.2}")),
    }
    match in_flight {
        32 => report.aim(&rate_of, ratio, Aim::AtLeast(0.9)),
        _ => report.remark(format!("{rate_of}: {ratio:.2}")),
    }
    let apart = rate(each) / rate(one);
    report
        .remark(format!("x one node's rate, a tenant for each of two, at {in_flight}: {apart:.2}"));
}
