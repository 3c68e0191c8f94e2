//! Ids in paths.

use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use uuid::Uuid;

use super::Problem;
use crate::App;

/// The id in a path like `/v1/services/{id}`.
pub(crate) struct PathId(pub(crate) Uuid);

impl FromRequestParts<App> for PathId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let invalid = |text: &str| {
            let detail =
                format!("an id is a UUID, got {:?}", text.chars().take(64).collect::<String>());
            Problem::new(StatusCode::BAD_REQUEST, "invalid-id", "The id is not a UUID", detail)
        };
        let Path(text) = Path::<String>::from_request_parts(parts, app)
            .await
            .map_err(|_| invalid("what is not UTF-8"))?;
        Uuid::parse_str(&text).map(Self).map_err(|_| invalid(&text))
    }
}
