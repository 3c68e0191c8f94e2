//! Rules that staff override.

use std::collections::BTreeSet;

use daybook_domain::appointment::Overridden;
use daybook_domain::service::rules::Rule;
use daybook_domain::{Reason, ResourceId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::{Caller, Manage, Problem};

/// Do it although rules of the service or opening hours are against it. It needs the scope
/// `manage`, and is recorded with its reason and the rules that were broken.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::routes) struct OverrideBody {
    /// Why.
    #[schema(value_type = String, max_length = 500)]
    reason: Reason,
}

/// The reason of an override, from a caller who may.
pub(in crate::routes) fn reason<S>(
    caller: &Caller<S>,
    body: Option<OverrideBody>,
) -> Result<Option<Reason>, Problem> {
    let Some(OverrideBody { reason }) = body else { return Ok(None) };
    caller.must_have::<Manage>("an override")?;
    Ok(Some(reason))
}

/// That rules were overridden.
#[derive(Serialize, ToSchema)]
pub(in crate::routes) struct OverriddenView {
    /// Why.
    #[schema(value_type = String)]
    reason: Reason,
    /// Which rules were broken; it may be none.
    #[schema(value_type = Vec<RuleName>)]
    rules: BTreeSet<Rule>,
    /// Which resources were closed, where any was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Uuid>>)]
    closed: Option<BTreeSet<ResourceId>>,
}

impl From<Overridden> for OverriddenView {
    fn from(Overridden { reason, rules, closed }: Overridden) -> Self {
        Self { reason, rules, closed }
    }
}

/// A rule that can be overridden.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "it documents `Rule`")]
enum RuleName {
    OfferedDuration,
    StartGrid,
    MinimumNotice,
    BookingHorizon,
    ReschedulingWindow,
    CancellationWindow,
    OpeningHours,
}
