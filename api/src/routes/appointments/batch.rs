//! `POST /v1/appointments:batch`

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use daybook_domain::appointment::Appointment;
use daybook_store::engine::MAX_BATCH;
use daybook_store::{ExecuteError, Executed};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::bodies::BookingBody;
use crate::http::body::MaxBytes;
use crate::http::{
    At, Book, Caller, CommandParams, CommandRequest, Ordered, Problem, Within, trace,
};
use crate::routes::commands::shown;
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::AppointmentView;

/// The largest body of a batch: some four thousand bytes a booking.
pub(crate) const MAX_BATCH_BYTES: usize = 2 * 1024 * 1024;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(book_batch))
        .layer(DefaultBodyLimit::max(MAX_BATCH_BYTES))
        .layer(Extension(MaxBytes(MAX_BATCH_BYTES)))
}

/// Many bookings.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchBody {
    /// All of them or none; else each by itself.
    #[serde(default)]
    atomic: bool,
    /// The bookings, each as for `POST /v1/appointments`.
    #[serde(deserialize_with = "items")]
    #[schema(min_items = 1, max_items = 500)]
    items: Vec<BookingBody>,
}

fn items<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<BookingBody>, D::Error> {
    let items = Vec::<BookingBody>::deserialize(from)?;
    if (1..=MAX_BATCH).contains(&items.len()) {
        return Ok(items);
    }
    let found = items.len();
    Err(serde::de::Error::custom(format!("a batch has 1 to {MAX_BATCH} items, got {found}")))
}

/// What became of a batch.
#[derive(Serialize, ToSchema)]
pub(crate) struct BatchAnswer {
    /// A verdict for each item, in their order.
    items: Vec<ItemVerdict>,
}

/// What became of one item.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ItemVerdict {
    /// It is booked.
    Booked {
        /// 201; 200 in a dry run.
        #[schema(example = 201)]
        status: u16,
        /// As the answer to the booking alone.
        appointment: Box<AppointmentView>,
    },
    /// It is refused, or could not be tried.
    Refused {
        /// The problem's.
        #[schema(example = 409)]
        status: u16,
        /// As the answer to the booking alone.
        problem: Problem,
    },
}

/// Book many appointments
///
/// Up to 500, with a verdict for each. Each is booked or refused by itself, in order: of two that want
/// the same, the first has it. With `atomic`, all are booked or none: a refusal is then the answer to the
/// whole batch, with the `index` (from 0) of the first item that is refused.
///
/// Sent again with the same `Idempotency-Key`, a batch gets the same verdicts and books nothing twice. An item
/// with status 503 had no verdict: the same batch with the same key goes on there. A body with an item that cannot be read books nothing.
#[utoipa::path(
    post, path = "/v1/appointments:batch", tag = "appointments", params(CommandParams),
    request_body = BatchBody, security(("api_key" = ["book"])),
    responses((status = 200, description = "A verdict for each", body = BatchAnswer),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn book_batch(
    State(app): State<App>,
    caller: Caller<Within<Book>>,
    request: CommandRequest<BatchBody>,
) -> Result<Response, Problem> {
    let mut context = request.context(&caller);
    let BatchBody { atomic, items } = request.body;
    let clients = items.iter().map(BookingBody::client_id).collect();
    context.is_without_clients(app.unseen_clients(&caller, clients).await?);
    let count = items.len();
    let commands = items.into_iter().map(|item| item.command(&caller));
    let commands = commands.collect::<Result<Vec<_>, _>>()?;
    let mut outcomes = if atomic {
        let booked = app.engine.book_all(&context, &commands).await;
        let booked = booked.map_err(|error| context.problem(error))?;
        booked.into_iter().map(Ok).collect()
    } else {
        app.engine.book_each(&context, &commands).await
    };
    // Nothing has happened: that is one answer to all of it.
    if let [Err(error)] = outcomes.as_slice()
        && !matches!(error, ExecuteError::Refused(_) | ExecuteError::Outside(_))
    {
        return Err(outcomes.remove(0).err().map_or_else(Problem::internal, Problem::from));
    }
    let booked = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok());
    let last = booked.filter_map(|executed| executed.position).max();
    let there = outcomes.iter_mut().flatten();
    let mut there: Vec<_> = there.map(|done| (done.id, &mut done.state)).collect();
    app.engine.open(&caller.tenant, &mut there).await?;
    let answer = Json(BatchAnswer::of(&context, outcomes, count)?);
    let position = match last {
        Some(position) => position,
        None if context.dry_run => return Ok(answer.into_response()),
        None => app.engine.log().head(&caller.tenant).await?.unwrap_or_default(),
    };
    Ok(At(position, answer).into_response())
}

type Outcome = Result<Executed<Appointment>, ExecuteError>;

impl BatchAnswer {
    /// Of so many items; those at the end that have no outcome were not tried.
    fn of(ordered: &Ordered, outcomes: Vec<Outcome>, count: usize) -> Result<Self, Problem> {
        let verdicts = outcomes.into_iter().map(|outcome| ItemVerdict::of(ordered, outcome));
        let mut items = verdicts.collect::<Result<Vec<_>, _>>()?;
        items.resize_with(count, || ItemVerdict::refused(Problem::unavailable("it was not tried")));
        Ok(Self { items })
    }
}

impl ItemVerdict {
    fn of(ordered: &Ordered, outcome: Outcome) -> Result<Self, Problem> {
        Ok(match outcome {
            Ok(executed) => {
                let happened = executed.position.is_some();
                let status = if happened { StatusCode::CREATED } else { StatusCode::OK };
                let appointment = Box::new(shown(ordered, executed)?.body);
                Self::Booked { status: status.as_u16(), appointment }
            }
            Err(error) => Self::refused(ordered.problem(error)),
        })
    }

    fn refused(problem: Problem) -> Self {
        trace::count_refusal(problem.name());
        Self::Refused { status: problem.status().as_u16(), problem }
    }
}
