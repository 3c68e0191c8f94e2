//! Which part of the log a request asks for.

use chrono::{DateTime, Utc};
use daybook_domain::{Category, TenantId};
use daybook_store::feed::{Boundary, Feed, FeedFilter, Privacy};
use daybook_store::{Log, Position};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::App;
use crate::http::params::{invalid, listed};
use crate::http::{Admin, Caller, Params, Problem, Read};

/// The filters, for the documentation. All that are given must be met.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by `Asked::take`; this is how it is documented")]
pub(crate) struct EventFilters {
    /// After this position; `latest`: after the present end. From the beginning where it is left out.
    after: Option<String>,
    /// One type, like `AppointmentBooked`, or several with commas between them.
    types: Option<String>,
    /// What it happened to: `service`, `resource`, `client`, `appointment`, `session`, `series` or
    /// `waiting`.
    aggregate: Option<String>,
    /// The id of what it happened to.
    aggregate_id: Option<Uuid>,
    /// What it happened to is a service, appointment or session of this category, or was until then.
    category: Option<String>,
    /// What it happened to is this resource, or uses it, or did until then.
    resource_id: Option<Uuid>,
    /// Recorded at this instant or later, or on this day or later (`YYYY-MM-DD`, in `tz`).
    from: Option<String>,
    /// Recorded before this instant, or on this day or earlier (`YYYY-MM-DD`, in `tz`).
    to: Option<String>,
    /// The IANA zone of days; else the tenant's.
    tz: Option<String>,
    /// `withheld`, as where it is left out, or `told`, which needs a key with scope `admin`: whether
    /// names, addresses and notes of clients are among it.
    personal: Option<String>,
}

/// A part of a tenant's log.
pub(super) struct Asked {
    pub(super) feed: Feed,
    /// Where to begin.
    pub(super) after: Position,
    /// Recorded before then.
    pub(super) to: Option<DateTime<Utc>>,
}

/// Where a reader begins.
enum After {
    Position(Position),
    Latest,
}

impl Asked {
    /// Takes it out of the query; `last_seen` goes before what that says.
    pub(super) async fn take(
        app: &App,
        caller: &Caller<Read>,
        params: &mut Params,
        last_seen: Option<&str>,
    ) -> Result<Self, Problem> {
        let after = params.text("after")?;
        let after = match last_seen {
            Some(seen) => Some(after_of("Last-Event-ID", seen)?),
            None => after.map(|text| after_of("after", &text)).transpose()?,
        };
        let (from, to) = moments(app, &caller.tenant, params).await?;
        let filter = filter(caller, params)?;
        let log: &Log = app.engine.log();
        let feed = Feed::new(log, caller.tenant.clone(), filter);
        let head = feed.until(None).await?.head;
        let after = match after {
            None => Position::START,
            Some(After::Latest) => head,
            Some(After::Position(after)) if after > head => {
                let detail = format!("after: the log ends at position {head}");
                return Err(Problem::bad_query(
                    "position-ahead",
                    "There is no such position",
                    detail,
                ));
            }
            Some(After::Position(after)) => after,
        };
        let after = match from {
            Some(from) => after.max(feed.before(from).await?),
            None => after,
        };
        Ok(Self { feed, after, to })
    }
}

fn after_of(name: &str, text: &str) -> Result<After, Problem> {
    if text == "latest" {
        return Ok(After::Latest);
    }
    let position = text.parse().map_err(|_| invalid(name, "a position, or latest"))?;
    Ok(After::Position(position))
}

type Bound = Option<DateTime<Utc>>;

async fn moments(
    app: &App,
    tenant: &TenantId,
    params: &mut Params,
) -> Result<(Bound, Bound), Problem> {
    let from = params.parsed::<Boundary>("from")?;
    let to = params.parsed::<Boundary>("to")?;
    let zone = match params.time_zone("tz")? {
        Some(zone) => zone,
        None => app.zone_of(tenant).await?,
    };
    let from = from.map(|boundary| boundary.from(zone));
    let to = to.map(|boundary| boundary.to(zone));
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        let detail = format!("to ({to}) is before from ({from})");
        return Err(Problem::bad_query("invalid-range", "The range is not valid", detail));
    }
    Ok((from, to))
}

fn filter(caller: &Caller<Read>, params: &mut Params) -> Result<FeedFilter, Problem> {
    let mut filter = FeedFilter::default();
    for name in listed(&params.all("types")) {
        filter.add_type(name).map_err(|error| invalid("types", error))?;
    }
    if let Some(aggregate) = params.text("aggregate")? {
        filter.only_of(&aggregate).map_err(|error| invalid("aggregate", error))?;
    }
    filter.aggregate_id = params.id("aggregate_id")?;
    let category = params.text("category")?.map(|text| Category::new(&text));
    filter.category = category.transpose().map_err(|error| invalid("category", error))?;
    filter.resource_id = params.id("resource_id")?;
    filter.privacy = match params.text("personal")?.as_deref() {
        None | Some("withheld") => Privacy::Withheld,
        Some("told") => {
            caller.must_have::<Admin>("personal=told")?;
            Privacy::Told
        }
        Some(_) => return Err(invalid("personal", "it is withheld or told")),
    };
    Ok(filter)
}
