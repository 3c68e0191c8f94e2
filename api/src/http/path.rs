//! Ids in paths.

use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::Problem;
use crate::App;

/// The id in a path like `/v1/services/{id}`.
pub(crate) struct PathId(pub(crate) Uuid);

impl FromRequestParts<App> for PathId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        id(&path::<String>(parts, app).await?).map(Self)
    }
}

/// The ids in a path like `/v1/resources/{id}/exceptions/{exception_id}`.
pub(crate) struct PathIds(pub(crate) Uuid, pub(crate) Uuid);

impl FromRequestParts<App> for PathIds {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let (outer, inner) = path::<(String, String)>(parts, app).await?;
        Ok(Self(id(&outer)?, id(&inner)?))
    }
}

async fn path<T: DeserializeOwned + Send>(parts: &mut Parts, app: &App) -> Result<T, Problem> {
    let path = Path::<T>::from_request_parts(parts, app).await;
    path.map(|Path(text)| text).map_err(|_| invalid("what is not UTF-8"))
}

fn id(text: &str) -> Result<Uuid, Problem> {
    Uuid::parse_str(text).map_err(|_| invalid(text))
}

fn invalid(text: &str) -> Problem {
    let detail = format!("an id is a UUID, got {:?}", text.chars().take(64).collect::<String>());
    Problem::new(StatusCode::BAD_REQUEST, "invalid-id", "The id is not a UUID", detail)
}
