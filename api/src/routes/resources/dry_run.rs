//! `dry_run=true`: what a change of a resource would break, without making it.

use axum::Json;
use axum::response::{IntoResponse, Response};
use daybook_domain::resource::{Resource, ResourceCommand};
use daybook_projections::conflicts::Conflicts;
use daybook_store::Target;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::http::{Answer, Ordered, Problem};
use crate::views::{ConflictSummary, ResourceView, Titled};

/// What a change would break.
#[derive(Serialize, ToSchema)]
pub(crate) struct DryRunView {
    /// Held or booked appointments that have not begun, in no conflict with the resource now, and in
    /// conflict after the change, by start: the first 1,000.
    #[schema(max_items = 1000)]
    items: Vec<ConflictSummary>,
    /// Whether there are more.
    more: bool,
}

/// A change that was made, or only tried.
pub(crate) enum Changed<T> {
    Made(T),
    Tried(DryRunView),
}

impl<T: IntoResponse> IntoResponse for Changed<T> {
    fn into_response(self) -> Response {
        match self {
            Self::Made(answer) => answer.into_response(),
            Self::Tried(view) => Json(view).into_response(),
        }
    }
}

/// The changed resource; with `dry_run`, what the change would break.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it documents `Changed`")]
pub(crate) enum ResourceOrDryRun {
    Resource(ResourceView),
    DryRun(DryRunView),
}

impl App {
    /// Makes a change, or says what it would break.
    pub(super) async fn change_resource(
        &self,
        context: &Ordered,
        id: Uuid,
        commands: Vec<ResourceCommand>,
    ) -> Result<Changed<Answer<ResourceView>>, Problem> {
        if context.dry_run {
            return Ok(Changed::Tried(self.try_change(context, id, commands).await?));
        }
        self.change_by::<Resource>(context, id, commands).await.map(Changed::Made)
    }

    /// What a change would break. A change that would be refused is refused.
    pub(super) async fn try_change(
        &self,
        context: &Ordered,
        id: Uuid,
        commands: Vec<ResourceCommand>,
    ) -> Result<DryRunView, Problem> {
        let tenant = &context.tenant;
        let now = self.engine.clock().now();
        let target = Target::Existing(id);
        let tried = self.engine.execute_all::<Resource>(context, target, commands).await?;
        // All that has been answered before this was asked is in it.
        let head = self.engine.log().head(tenant).await?.unwrap_or_default();
        self.wait_for(tenant, Conflicts::ID, head).await?;
        let mut broken = self.conflicts.would_break(tenant, id.into(), &tried.state, now).await?;
        if context.tells_personal {
            let titles = broken.items.iter_mut();
            let titles = titles.map(|it| Titled::appointment(it.appointment_id, &mut it.title));
            self.open_titles_of(tenant, titles).await?;
        }
        let items = broken.items.into_iter().map(ConflictSummary::from).collect();
        Ok(DryRunView { items, more: broken.more })
    }
}
