//! `daybook issuer`, and how the keys of issuers are fetched.

use std::str::FromStr;
use std::sync::Arc;

use anyhow::Context as _;
use chrono::SecondsFormat;
use daybook_domain::rights::{Limits, Scope, Scopes};
use daybook_domain::{Name, TenantId};
use daybook_integrations::fetch::Fetcher;
use daybook_store::issuers::{
    self, Algorithm, Claim, Fetch, FetchError, Grant, Issuer, IssuerUrl, NewIssuer, Providers,
    TokenType,
};
use futures::future::BoxFuture;
use tokio::task::spawn_blocking;

use crate::cli::IssuerCommand;
use crate::database::Database;
use crate::{output, parts};

pub(crate) async fn run(database: &Database, command: IssuerCommand) -> anyhow::Result<()> {
    let parts = parts::connected(database).await?;
    parts::prepare(&parts).await?;
    let pool = parts.log().pool();
    match command {
        IssuerCommand::Add { tenant, issuer, audience, algorithm, token_type, grant } => {
            let terms = NewIssuer {
                url: issuer,
                audience,
                algorithms: algorithm,
                token_types: token_type,
                grants: grant.into_iter().map(|GrantText(grant)| grant).collect(),
            };
            let added = issuers::add(pool, &tenant, terms, parts.clock.now()).await?;
            output::line(&told(&added))
        }
        IssuerCommand::List { tenant } => {
            for issuer in issuers::list(pool, &tenant).await? {
                output::line(&told(&issuer))?;
            }
            Ok(())
        }
        IssuerCommand::Remove { tenant, issuer } => {
            let now = parts.clock.now();
            remove(&tenant, issuers::remove(pool, &tenant, issuer, now).await?)
        }
    }
}

fn remove(tenant: &TenantId, removed: Option<Issuer>) -> anyhow::Result<()> {
    let removed = removed.with_context(|| {
        format!("{tenant} has no such issuer: `daybook issuer list --tenant {tenant}` shows all")
    })?;
    let id = removed.id;
    output::line(&format!("removed {id}; programs that run are told, and end its streams"))
}

/// An issuer, and a line for each of its grants.
fn told(Issuer { id, terms, created_at, .. }: &Issuer) -> String {
    let NewIssuer { url, audience, algorithms, token_types, grants } = terms;
    let algorithms: Vec<&str> = algorithms.iter().map(|it| it.as_str()).collect();
    let kinds: Vec<&str> = token_types.iter().map(|it| it.as_str()).collect();
    let (algorithms, kinds) = (algorithms.join(","), kinds.join(","));
    let added = created_at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let head = format!("{id}  {url}  for {audience}  {algorithms}  {kinds}  added {added}");
    grants.iter().fold(head, |all, Grant { claim, value, scopes, limits }| {
        let only = if limits.are_none() { String::new() } else { format!("  only {limits}") };
        format!("{all}\n  {claim}={value}: {scopes}{only}")
    })
}

/// A grant on the command line: `CLAIM=VALUE=SCOPES`. A value can have `=` in it.
#[derive(Debug, Clone)]
pub(crate) struct GrantText(Grant);

impl FromStr for GrantText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "it is CLAIM=VALUE=SCOPES, like scope=daybook:book=availability,book";
        let (claim, rest) = text.split_once('=').ok_or(form)?;
        let (value, scopes) = rest.rsplit_once('=').ok_or(form)?;
        let scopes = scopes.split(',').map(str::parse::<Scope>).collect::<Result<Scopes, _>>();
        Ok(Self(Grant {
            claim: Claim::new(claim).map_err(|error| error.to_string())?,
            value: Name::new(value).map_err(|error| error.to_string())?,
            scopes: scopes.map_err(|error| error.to_string())?,
            limits: Limits::default(),
        }))
    }
}

/// One of the algorithms by its name.
pub(crate) fn algorithm(text: &str) -> Result<Algorithm, String> {
    let named = Algorithm::ALL.into_iter().find(|it| it.as_str() == text);
    named.ok_or_else(|| "RS256, PS256, ES256 or EdDSA".to_owned())
}

/// One of the types of tokens by its name.
pub(crate) fn token_type(text: &str) -> Result<TokenType, String> {
    let named = TokenType::ALL.into_iter().find(|it| it.as_str() == text);
    named.ok_or_else(|| "at+jwt or JWT".to_owned())
}

/// The keys of providers; those of this machine only where that is allowed.
pub(crate) fn providers(is_local_allowed: bool) -> Providers {
    if is_local_allowed {
        tracing::warn!(
            "--allow-insecure-issuers: tokens are taken of issuers on this machine, also without TLS"
        );
    }
    Providers::new(Arc::new(Fetching(Fetcher::new(is_local_allowed))))
}

struct Fetching(Fetcher);

impl Fetch for Fetching {
    fn fetches(&self, issuer: &IssuerUrl) -> bool {
        self.0.is_local_allowed() || !issuer.is_insecure()
    }

    fn fetch(&self, url: String) -> BoxFuture<'static, Result<Vec<u8>, FetchError>> {
        let fetcher = self.0.clone();
        Box::pin(async move {
            // It blocks, for seconds at most, and of them there are few at once.
            let document = spawn_blocking(move || fetcher.fetch(&url)).await;
            let document = document.map_err(|error| FetchError(error.to_string()))?;
            document.map_err(|error| FetchError(error.to_string()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_a_claim_a_value_and_scopes() {
        let GrantText(grant) = "roles=a=b=book,keys".parse().unwrap();
        assert_eq!((grant.claim.as_str(), grant.value.as_str()), ("roles", "a=b"));
        assert_eq!(grant.scopes, Scopes::of(&[Scope::Book, Scope::Keys]));
        for bad in [
            "",
            "roles",
            "roles=desk",
            "=desk=book",
            "roles==book",
            "roles=desk=",
            "roles=desk=all",
        ] {
            assert!(bad.parse::<GrantText>().is_err(), "{bad}");
        }
    }
}
