//! Rules that staff override.

use daybook_domain::{Personal, Reason};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::{Caller, Manage, Problem};

/// Do it although rules of the service or opening hours are against it. It needs the scope
/// `manage`, and is recorded with its reason and the rules that were broken.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OverrideBody {
    /// Why.
    #[schema(max_length = 500)]
    reason: Personal<Reason>,
}

/// The reason of an override, from a caller who may.
pub(crate) fn reason<S>(
    caller: &Caller<S>,
    body: Option<OverrideBody>,
) -> Result<Option<Personal<Reason>>, Problem> {
    let Some(OverrideBody { reason }) = body else { return Ok(None) };
    caller.must_have::<Manage>("an override")?;
    Ok(Some(reason))
}
