//! `/v1/programs`: which programs run on the database.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use daybook_store::programs::{self, LivingProgram};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::problems::ReadProblems;
use crate::App;
use crate::http::{NoQuery, Operator, Problem};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_programs))
}

/// A program that lives.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProgramView {
    id: Uuid,
    #[schema(example = json!(["api", "projector"]))]
    roles: Vec<String>,
    version: String,
    /// The name of its machine.
    host: String,
    started_at: DateTime<Utc>,
    /// When it said last that it lives.
    heard_at: DateTime<Utc>,
}

impl From<LivingProgram> for ProgramView {
    fn from(program: LivingProgram) -> Self {
        let LivingProgram { id, roles, version, host, started_at, heard_at } = program;
        Self { id, roles, version, host, started_at, heard_at }
    }
}

/// The programs that live.
#[derive(Serialize, ToSchema)]
pub(crate) struct Programs {
    items: Vec<ProgramView>,
    /// The roles that none of them has, and that somebody must have.
    #[schema(example = json!(["projector"]))]
    missing_roles: Vec<&'static str>,
}

/// Which programs run
///
/// A program that was killed is shown for a few seconds more.
#[utoipa::path(
    get, path = "/v1/programs", tag = "operation",
    security(("operator_key" = [])),
    responses((status = 200, description = "All of them", body = Programs), ReadProblems)
)]
pub(crate) async fn list_programs(
    State(app): State<App>,
    _: Operator,
    _: NoQuery,
) -> Result<Json<Programs>, Problem> {
    let living = programs::living(app.engine.log().pool()).await?;
    let missing_roles = programs::missing_roles(&living).iter().map(|role| role.as_str()).collect();
    let items = living.into_iter().map(ProgramView::from).collect();
    Ok(Json(Programs { items, missing_roles }))
}
