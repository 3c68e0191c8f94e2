//! Idempotency keys as they are kept: what callers call their commands, and what they ask for, can be told from neither, and an
//! answer is given again only to whom it was given.
//!
//! Callers put anything into such a key, an e-mail address too; and a body that is known but for a birthday is guessed by its
//! hash. So both are kept as HMACs under a key of the tenant's own.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tokio::sync::OnceCell;

use super::{CommandContext, Engine, ExecuteError};
use crate::log::CommandKey;
use crate::personal::Tokens;

/// Until when answers may stand under keys in clear, of programs of before; `None`: there are none.
#[derive(Debug, Clone, Default)]
pub(super) struct AnswersInClear(Arc<OnceCell<Option<DateTime<Utc>>>>);

impl Engine {
    /// The command's key as it is kept.
    pub(super) async fn kept_key(
        &self,
        context: &CommandContext,
    ) -> Result<Option<CommandKey>, ExecuteError> {
        let (Some(key), Some(keyring)) = (&context.key, &self.keyring) else {
            return Ok(context.key.clone());
        };
        if self.is_kept_in_clear(context, key).await? {
            return Ok(Some(key.clone()));
        }
        let tokens = keyring.tokens(&context.tenant, "idempotency").await?;
        Ok(Some(key.keyed(&tokens, context.answered_as())))
    }

    /// Whether a program of before has an answer to it, under the key itself.
    async fn is_kept_in_clear(
        &self,
        context: &CommandContext,
        key: &CommandKey,
    ) -> Result<bool, ExecuteError> {
        let pool = self.log.pool();
        let until = self.answers_in_clear.0.get_or_try_init(|| answers_in_clear(pool)).await;
        let unavailable = |error: sqlx::Error| ExecuteError::Unavailable(error.to_string());
        if until.map_err(unavailable)?.is_none_or(|until| until < self.clock.now()) {
            return Ok(false);
        }
        let sql =
            "SELECT EXISTS (SELECT FROM commands WHERE tenant_id = $1 AND idempotency_key = $2)";
        let asked = sqlx::query_scalar(sql).bind(context.tenant.as_str()).bind(&key.key);
        asked.fetch_one(pool).await.map_err(unavailable)
    }
}

async fn answers_in_clear(pool: &PgPool) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    sqlx::query_scalar("SELECT max(until) FROM answers_in_clear").fetch_one(pool).await
}

impl CommandKey {
    /// As it is kept: one of `whose`.
    fn keyed(&self, tokens: &Tokens, whose: &str) -> Self {
        let name = tokens.digest("name", self.key.as_bytes());
        let request = tokens.digest("request", &self.fingerprint);
        Self::kept(&name, &request, &tokens.digest("whose", whose.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, request: u8) -> CommandKey {
        CommandKey { key: name.to_owned(), fingerprint: [request; 32] }
    }

    #[test]
    fn what_is_kept_says_nothing_and_is_the_same_for_the_same_alone() {
        let kept = |secret, name, request, whose| {
            key(name, request).keyed(&Tokens::by(&[secret; 32]), whose)
        };
        let first = kept(1, "me@example.org", 1, "key:1");
        assert!(!first.key.contains("example"), "{}", first.key);
        assert_eq!(first, kept(1, "me@example.org", 1, "key:1"));
        assert_ne!(first.key, kept(2, "me@example.org", 1, "key:1").key);
        assert_ne!(first.key, kept(1, "you@example.org", 1, "key:1").key);
        let (request, whose) =
            (kept(1, "me@example.org", 2, "key:1"), kept(1, "me@example.org", 1, "key:2"));
        assert_eq!((&request.key, &whose.key), (&first.key, &first.key));
        assert!(first.is_of_same_caller(&request) && !first.is_of_same_caller(&whose));
        assert_ne!(request.fingerprint, first.fingerprint);
    }

    #[test]
    fn a_key_in_clear_is_anybodys() {
        assert!(key("k", 1).is_of_same_caller(&key("k", 2)));
        // Also one that looks as if it were kept.
        assert!(key("hmac k", 1).is_of_same_caller(&key("hmac k", 2)));
    }
}
