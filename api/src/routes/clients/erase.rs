//! `POST /v1/clients/{id}/erase`

use axum::extract::State;
use daybook_domain::client::ErasureReason;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::http::{Answer, Caller, CommandParams, CommandRequest, IfMatch, PathId, Problem, auth};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::ClientView;

/// Why a client is erased, and what becomes of what is still to come.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EraseClientBody {
    /// Why: `requested` by them, `consent-withdrawn`, `no-longer-needed`, a `legal-obligation` (GDPR, Art. 17), or the
    /// `retention` that you have settled on: it has been kept long enough.
    reason: ErasureReason,
    /// Appointments that are still to come: `keep` refuses the erasure where there are any, `cancel` cancels them.
    #[serde(default)]
    upcoming: UpcomingChoice,
}

/// What becomes of what is still to come.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum UpcomingChoice {
    #[default]
    Keep,
    Cancel,
}

/// Erase a client
///
/// Their key is destroyed: what was sealed with it, whenever, nobody can read any more. From then on
/// they are called `erased`, and nothing is booked for them. It cannot be undone.
#[utoipa::path(
    post, path = "/v1/clients/{id}/erase", tag = "clients",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = EraseClientBody, security(("api_key" = ["privacy"])),
    responses((status = 200, description = "They are erased", body = ClientView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn erase_client(
    State(app): State<App>,
    caller: Caller<auth::Privacy>,
    PathId(id): PathId,
    request: CommandRequest<EraseClientBody>,
) -> Result<Answer<ClientView>, Problem> {
    let (context, EraseClientBody { reason, upcoming }) = request.by(caller);
    let cancels = upcoming == UpcomingChoice::Cancel;
    let executed = app.erase_client(&context, id.into(), reason, cancels).await?;
    app.answer(&context, executed).await
}
