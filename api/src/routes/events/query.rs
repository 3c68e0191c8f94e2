//! Which part of the log a request asks for.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybook_domain::{Category, EVENT_TYPES, ResourceId, TenantId};
use daybook_store::Position;
use daybook_store::audit::{AuditEntry, AuditKind};
use daybook_store::feed::{Boundary, Feed, FeedFilter, Privacy, Until};
use serde_json::json;
use utoipa::openapi::schema::Schema;
use uuid::Uuid;

use crate::App;
use crate::http::query::{Value, invalid, invalid_range, one_of, query_params, string};
use crate::http::{Analytics, Caller, Problem, Within, auth};
use crate::routes::as_of::AsOfParams;
use crate::routes::listing::Bounds;
use crate::schema::words;

query_params! {
    /// The filters. All that are given must be met.
    pub(crate) struct EventParams {
        /// After this position; `latest`: after the present end. From the beginning where it is left out.
        after: Option<After>,
        /// A type, like `AppointmentBooked`; given several times, any of them.
        event_type: Vec<EventType>,
        /// What it happened to: `service`, `resource`, `client`, `appointment`, `session`, `series` or
        /// `waiting`.
        aggregate_type: Option<AggregateType>,
        /// The id of what it happened to.
        aggregate_id: Option<Uuid>,
        /// What it happened to is a service, appointment or session of this category, however it is spelt, or was until then.
        category: Option<Category>,
        /// What it happened to is this resource, or uses it, or did until then.
        resource_id: Option<ResourceId>,
        /// Recorded at this instant or later, or on this day or later (`YYYY-MM-DD`, in `tz`).
        from: Option<Boundary>,
        /// Recorded before this instant, or on this day or earlier (`YYYY-MM-DD`, in `tz`).
        to: Option<Boundary>,
        /// The IANA zone of days; else the tenant's.
        tz: Option<Tz>,
        /// `withheld`, as where it is left out, or `told`, which needs a key with scope `admin`: whether
        /// names, addresses and notes of clients are among it.
        personal: Option<Privacy>,
        ..moment: AsOfParams,
    }
}

one_of!(Privacy { "withheld" => Privacy::Withheld, "told" => Privacy::Told });

/// A part of a tenant's log.
pub(super) struct EventQuery {
    pub(super) feed: Feed,
    /// Where to begin.
    pub(super) after: Position,
    /// Recorded before then.
    pub(super) to: Option<DateTime<Utc>>,
    /// Where the log ended at the moment that it is of. `None`: it goes on.
    up_to: Option<Position>,
    tells_personal: bool,
    /// The one client that it is about, if it is.
    subject: Option<Uuid>,
}

/// Where a reader begins.
pub(crate) enum After {
    Position(Position),
    Latest,
}

impl Value for After {
    fn read(name: &'static str, text: &str) -> Result<Self, Problem> {
        match text {
            "latest" => Ok(Self::Latest),
            _ => {
                text.parse().map(Self::Position).map_err(|_| invalid(name, "a position, or latest"))
            }
        }
    }

    fn schema() -> Schema {
        string().pattern(Some("^([0-9]{1,18}|latest)$")).examples([json!("1041")]).build().into()
    }
}

/// The name of a type of event.
pub(crate) struct EventType(String);

impl Value for EventType {
    fn read(name: &'static str, text: &str) -> Result<Self, Problem> {
        String::read(name, text).map(Self)
    }

    fn schema() -> Schema {
        words(EVENT_TYPES.iter().flat_map(|(_, names)| *names))
    }
}

/// What events happen to.
pub(crate) struct AggregateType(String);

impl Value for AggregateType {
    fn read(name: &'static str, text: &str) -> Result<Self, Problem> {
        String::read(name, text).map(Self)
    }

    fn schema() -> Schema {
        words(EVENT_TYPES.iter().map(|(aggregate, _)| aggregate))
    }
}

impl EventQuery {
    /// What the query asks for; `last_seen` goes before what that says.
    pub(super) async fn of(
        app: &App,
        caller: &Caller<Within<Analytics>>,
        params: EventParams,
        last_seen: Option<&str>,
    ) -> Result<Self, Problem> {
        let (from, to) = bounds(app, &caller.tenant, &params).await?;
        let filter = filter(caller, &params)?;
        let tells_personal = filter.privacy == Privacy::Told;
        let is_of_clients =
            matches!(&params.aggregate_type, Some(AggregateType(of)) if of == "client");
        let subject = params.aggregate_id.filter(|_| is_of_clients);
        let after = match last_seen {
            Some(seen) => Some(After::read("Last-Event-ID", seen)?),
            None => params.after,
        };
        let feed = Feed::new(app.engine.log(), caller.tenant.clone(), filter)
            .opened_by(app.engine.keyring().cloned());
        let moment = app.moment(&caller.tenant, params.moment.as_of, params.tz).await?;
        let up_to = moment.map(|moment| moment.position);
        let head = match up_to {
            Some(up_to) => up_to,
            None => feed.until(None).await?.head,
        };
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
        Ok(Self { feed, after, to, up_to, tells_personal, subject })
    }

    /// Writes that all that is personal in it is handed out, before it is.
    pub(super) async fn handed_out(
        &self,
        app: &App,
        caller: &Caller<Within<Analytics>>,
    ) -> Result<(), Problem> {
        if !self.tells_personal {
            return Ok(());
        }
        let subject = self.subject;
        let kind = AuditKind::PersonalDataExported;
        let of_whom = |entry: AuditEntry| match subject {
            Some(subject) => entry.about(subject),
            None => AuditEntry { all_subjects: true, ..entry },
        };
        app.record(caller, kind, of_whom).await
    }

    /// Up to where there is something to read.
    pub(super) async fn until(&self) -> Result<Until, sqlx::Error> {
        let until = self.feed.until(self.to).await?;
        Ok(match self.up_to {
            None => until,
            Some(head) => Until { position: until.position.min(head), is_final: true, head },
        })
    }
}

async fn bounds(app: &App, tenant: &TenantId, params: &EventParams) -> Result<Bounds, Problem> {
    let zone = match params.tz {
        Some(zone) => zone,
        None => app.zone_of(tenant).await?,
    };
    let from = params.from.map(|boundary| boundary.from(zone));
    let to = params.to.map(|boundary| boundary.to(zone));
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        let detail = format!("to ({to}) is before from ({from})");
        return Err(invalid_range(detail));
    }
    Ok((from, to))
}

fn filter(caller: &Caller<Within<Analytics>>, params: &EventParams) -> Result<FeedFilter, Problem> {
    let mut filter = FeedFilter::default();
    for EventType(name) in &params.event_type {
        filter.add_type(name).map_err(|error| invalid("event_type", error))?;
    }
    if let Some(AggregateType(aggregate)) = &params.aggregate_type {
        filter.only_of(aggregate).map_err(|error| invalid("aggregate_type", error))?;
    }
    filter.aggregate_id = params.aggregate_id;
    filter.categories = params.category.iter().cloned().collect();
    filter.resource_id = params.resource_id;
    filter.within = caller.limits.clone();
    if let Some(privacy) = params.personal {
        if privacy == Privacy::Told {
            caller.must_have::<auth::Privacy>("personal=told")?;
        }
        filter.privacy = privacy;
    }
    Ok(filter)
}
