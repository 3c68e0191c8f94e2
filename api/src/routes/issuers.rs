//! `/v1/issuers`: whom the tenant trusts to say who calls, by access tokens.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use daybook_domain::Name;
use daybook_domain::rights::{Limits, Scopes};
use daybook_store::issuers::{
    self, AddIssuerError, Algorithm, Audience, Claim, Grant, Issuer, IssuerUrl, MAX_GRANTS,
    MAX_ISSUERS, NewIssuer, TokenType,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::problems::{CommandProblems, ReadProblems};
use crate::App;
use crate::http::{
    Answer, Body, Caller, Created, DryRun, Keys, Manage, NoQuery, PathId, Problem, Query, auth,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_issuers, add_issuer))
        .routes(routes!(get_issuer, remove_issuer))
}

/// Whom to trust.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssuerBody {
    /// What its tokens have as `iss`: an https URL as the provider writes it, with a slash at the end or without. Its keys
    /// are found by
    /// `/.well-known/openid-configuration` below it.
    #[schema(value_type = String, max_length = 255, example = "https://login.example.org/realms/clinic",
             pattern = r"^https://[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?(/[A-Za-z0-9._~-]+)*/?$")]
    issuer: IssuerUrl,
    /// What its tokens have as `aud`, alone or among others: how the provider calls this tenant's daybook. No two tenants
    /// have the same audience of an issuer, for it is what tells their tokens apart.
    #[schema(value_type = String, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
             example = "https://daybook.example.org/clinic")]
    audience: Audience,
    /// How its tokens may be signed.
    #[schema(min_items = 1, max_items = 4)]
    algorithms: Vec<Algorithm>,
    /// Of which type its tokens may be (`typ`); left out: `at+jwt` (RFC 9068). With `JWT`, only the audience tells an access
    /// token from one of another kind: give one that no other token has.
    #[schema(min_items = 1, max_items = 2)]
    token_types: Option<Vec<TokenType>>,
    /// Which claims give which scopes: a token has what all of them give that it fits, and none by itself.
    #[schema(min_items = 1, max_items = 50)]
    grants: Vec<GrantBody>,
}

/// Whoever's token has this value there has these scopes.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantBody {
    /// A claim's name, or a JSON Pointer (RFC 6901) like `/realm_access/roles`.
    #[schema(value_type = String, min_length = 1, max_length = 200, pattern = "^[!-~]+$", example = "scope")]
    claim: Claim,
    /// The claim's text, or one of a list of texts; of `scope` and `scp`, one of its words.
    #[schema(max_length = 200)]
    value: Name,
    /// What it is good for: nothing that your key is not.
    #[schema(min_items = 1)]
    scopes: Scopes,
    /// Within what it is good for that. A token that fits several grants is limited by all of them.
    #[serde(default, skip_serializing_if = "Limits::are_none")]
    limits: Limits,
}

/// An issuer that is trusted.
#[derive(Serialize, ToSchema)]
pub(crate) struct IssuerView {
    /// It stands in events as a part of the actor: `oidc:`, this id, and one of the person.
    id: Uuid,
    #[schema(value_type = String)]
    issuer: IssuerUrl,
    #[schema(value_type = String)]
    audience: Audience,
    algorithms: Vec<Algorithm>,
    token_types: Vec<TokenType>,
    grants: Vec<GrantBody>,
    created_at: DateTime<Utc>,
}

impl From<Issuer> for IssuerView {
    fn from(Issuer { id, terms, created_at, .. }: Issuer) -> Self {
        let NewIssuer { url: issuer, audience, algorithms, token_types, grants } = terms;
        let grant =
            |Grant { claim, value, scopes, limits }| GrantBody { claim, value, scopes, limits };
        let grants = grants.into_iter().map(grant).collect();
        Self { id, issuer, audience, algorithms, token_types, grants, created_at }
    }
}

/// The tenant's issuers.
#[derive(Serialize, ToSchema)]
pub(crate) struct IssuerList {
    items: Vec<IssuerView>,
}

/// List issuers
///
/// All whom the tenant trusts, oldest first: at most 20.
#[utoipa::path(
    get, path = "/v1/issuers", tag = "keys",
    security(("api_key" = ["keys"])),
    responses((status = 200, description = "All of them", body = IssuerList), ReadProblems)
)]
pub(crate) async fn list_issuers(
    State(app): State<App>,
    caller: Caller<Keys>,
    _: NoQuery,
) -> Result<Json<IssuerList>, Problem> {
    let listed = issuers::list(app.engine.log().pool(), &caller.tenant).await?;
    Ok(Json(IssuerList { items: listed.into_iter().map(IssuerView::from).collect() }))
}

/// Get an issuer
#[utoipa::path(
    get, path = "/v1/issuers/{id}", tag = "keys",
    params(("id" = Uuid, Path)), security(("api_key" = ["keys"])),
    responses((status = 200, description = "The issuer", body = IssuerView), ReadProblems)
)]
pub(crate) async fn get_issuer(
    State(app): State<App>,
    caller: Caller<Keys>,
    PathId(id): PathId,
    _: NoQuery,
) -> Result<Answer<IssuerView>, Problem> {
    Ok(Answer::seen(None, None, app.issuer(&caller, id).await?.into()))
}

/// Add an issuer
///
/// From now on its access tokens are taken as `Authorization: Bearer`, beside keys: of this tenant, whatever a token says of
/// a tenant. Nobody can give what their own key is not good for. `issuer-taken`: this issuer and audience are there already,
/// here or at another tenant. A tenant has at most 20 issuers (`too-many-issuers`).
#[utoipa::path(
    post, path = "/v1/issuers", tag = "keys", params(DryRun),
    request_body = IssuerBody, security(("api_key" = ["manage", "keys"])),
    responses((status = 201, description = "It is trusted", body = IssuerView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn add_issuer(
    State(app): State<App>,
    caller: Caller<(Manage, Keys)>,
    Query(dry_run): Query<DryRun>,
    Body(body): Body<IssuerBody>,
) -> Result<Created<IssuerView>, Problem> {
    let terms = terms_of(body, caller.scopes)?;
    if !app.tokens.takes(&terms.url) {
        return Err(Problem::bad_body(
            "issuer: an issuer without TLS is taken by no program that \
            others reach: `daybook serve --allow-insecure-issuers` is for trying it on one machine",
        ));
    }
    let now = app.engine.clock().now();
    if dry_run.is_asked_for() {
        let (id, tenant) = (Uuid::now_v7(), caller.tenant.clone());
        let tried = Issuer { id, tenant, terms, created_at: now };
        return Ok(Created { location: String::new(), answer: Answer::tried(tried.into()) });
    }
    let added = app.tokens.add(&caller.tenant, terms, now).await?;
    tracing::info!(tenant = %caller.tenant, actor = caller.actor(), issuer_id = %added.id, "added an issuer");
    let location = format!("/v1/issuers/{}", added.id);
    Ok(Created { location, answer: Answer::seen(None, None, added.into()) })
}

/// Remove an issuer
///
/// None of its tokens is taken any more, and their streams of events end: within a second on every program.
#[utoipa::path(
    delete, path = "/v1/issuers/{id}", tag = "keys",
    params(("id" = Uuid, Path), DryRun), security(("api_key" = ["manage", "keys"])),
    responses((status = 200, description = "It is trusted no more", body = IssuerView), ReadProblems)
)]
pub(crate) async fn remove_issuer(
    State(app): State<App>,
    caller: Caller<(Manage, Keys)>,
    PathId(id): PathId,
    Query(dry_run): Query<DryRun>,
) -> Result<Json<IssuerView>, Problem> {
    if dry_run.is_asked_for() {
        return Ok(Json(app.issuer(&caller, id).await?.into()));
    }
    let removed = app.tokens.remove(&caller.tenant, id).await?;
    let removed = removed.ok_or_else(|| Problem::not_found("issuer"))?;
    tracing::info!(tenant = %caller.tenant, actor = caller.actor(), issuer_id = %id, "removed an issuer");
    Ok(Json(removed.into()))
}

impl App {
    async fn issuer<S>(&self, caller: &Caller<S>, id: Uuid) -> Result<Issuer, Problem> {
        let found = issuers::find(self.engine.log().pool(), &caller.tenant, id).await?;
        found.ok_or_else(|| Problem::not_found("issuer"))
    }
}

/// What a body says, of somebody who may give these scopes.
fn terms_of(body: IssuerBody, may_give: Scopes) -> Result<NewIssuer, Problem> {
    let IssuerBody { issuer: url, audience, mut algorithms, token_types, grants } = body;
    let mut token_types = token_types.unwrap_or_else(|| vec![TokenType::AccessToken]);
    let counts = [
        ("algorithms", algorithms.len(), Algorithm::ALL.len()),
        ("token_types", token_types.len(), TokenType::ALL.len()),
        ("grants", grants.len(), MAX_GRANTS),
    ];
    for (member, count, most) in counts {
        if !(1..=most).contains(&count) {
            return Err(Problem::bad_body(format!("{member}: 1 to {most}")));
        }
    }
    algorithms.sort_unstable();
    algorithms.dedup();
    token_types.sort_unstable();
    token_types.dedup();
    let grant = |GrantBody { claim, value, scopes, limits }| {
        if scopes.is_empty() {
            return Err(Problem::bad_body("grants: each gives a scope"));
        }
        auth::sufficient("to give this", scopes, may_give)?;
        Ok(Grant { claim, value, scopes, limits })
    };
    let grants = grants.into_iter().map(grant).collect::<Result<_, _>>()?;
    Ok(NewIssuer { url, audience, algorithms, token_types, grants })
}

impl From<AddIssuerError> for Problem {
    fn from(error: AddIssuerError) -> Self {
        let detail = error.to_string();
        match error {
            AddIssuerError::NoTenant => Self::not_found("tenant"),
            AddIssuerError::TooMany => {
                let title = "The tenant has too many issuers";
                Self::new(StatusCode::CONFLICT, "too-many-issuers", title, detail)
                    .with("limit", MAX_ISSUERS)
            }
            AddIssuerError::Taken => {
                let title = "The issuer and audience are taken";
                Self::new(StatusCode::CONFLICT, "issuer-taken", title, detail)
            }
            AddIssuerError::Database(error) => error.into(),
        }
    }
}
