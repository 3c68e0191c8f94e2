//! A tenant's templates: putting, listing and removing them, and looking up the one for a client.
//!
//! What clients are written is changed with an entry of the audit log, in the same transaction.

use std::error::Error;

use chrono::{DateTime, Utc};
use daybook_domain::sending::Kind;
use daybook_domain::{Language, TenantId};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Row as _};

use super::{
    Changed, KeptTemplate, MAX_TEMPLATES, TemplateHead, TemplateKey, TemplateLanguage, TemplateText,
};
use crate::Log;
use crate::audit::{self, AuditKind};
use crate::tenants;

/// Something could not be done to a template.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    #[error("there is no such tenant")]
    NoTenant,
    #[error("a tenant has at most {MAX_TEMPLATES} templates: delete one")]
    TooMany,
    /// It is not what was seen.
    #[error("it is not what was seen")]
    Outdated,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// What a template is read from.
const COLUMNS: &str = "kind, language, subject, text, html, changed_by, changed_at";

/// The templates of tenants. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Templates {
    pool: PgPool,
}

impl Templates {
    /// Those in the database of a log.
    #[must_use]
    pub fn new(log: &Log) -> Self {
        Self { pool: log.pool().clone() }
    }

    /// Which templates a tenant has, by kind and language.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, tenant: &TenantId) -> Result<Vec<TemplateHead>, sqlx::Error> {
        let rows = sqlx::query(
            "SELECT kind, language, changed_by, changed_at
               FROM templates WHERE tenant_id = $1 ORDER BY kind, language LIMIT $2",
        )
        .bind(tenant.as_str())
        .bind(MAX_TEMPLATES)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(head).collect()
    }

    /// One of a tenant's templates, if it is there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(
        &self,
        tenant: &TenantId,
        key: &TemplateKey,
    ) -> Result<Option<KeptTemplate>, sqlx::Error> {
        let mut connection = self.pool.acquire().await?;
        find(&mut connection, tenant, key).await
    }

    /// The one for a client who is written to in this language: in it, in what it is a kind of (`pt` of `pt-br`), or else the
    /// one for whoever has none. By the primary key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn for_client(
        &self,
        tenant: &TenantId,
        kind: Kind,
        language: Option<&Language>,
    ) -> Result<Option<KeptTemplate>, sqlx::Error> {
        let row = sqlx::query(&format!(
            "SELECT {COLUMNS}
               FROM templates WHERE tenant_id = $1 AND kind = $2 AND language = ANY ($3)
              ORDER BY array_position($3, language) LIMIT 1"
        ))
        .bind(tenant.as_str())
        .bind(kind.as_str())
        .bind(by_turns(language))
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(kept).transpose()
    }

    /// Puts a template, if what is there (`None`: nothing) is what was seen.
    ///
    /// # Errors
    /// When it is not, there is no such tenant, it has too many templates, or the database fails.
    pub async fn put(
        &self,
        tenant: &TenantId,
        new: KeptTemplate,
        is_seen: impl FnOnce(Option<&KeptTemplate>) -> bool + Send,
    ) -> Result<KeptTemplate, TemplateError> {
        let mut tx = self.pool.begin().await?;
        let count = tenants::count_alone(&mut tx, tenant, "templates")
            .await?
            .ok_or(TemplateError::NoTenant)?;
        let before = find(&mut tx, tenant, &new.key).await?;
        if !is_seen(before.as_ref()) {
            return Err(TemplateError::Outdated);
        }
        if before.is_none() && count >= MAX_TEMPLATES {
            return Err(TemplateError::TooMany);
        }
        // As the database has it, to the microsecond.
        let put = sqlx::query(&format!(
            "INSERT INTO templates (tenant_id, {COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (tenant_id, kind, language)
             DO UPDATE SET subject = $4, text = $5, html = $6, changed_by = $7, changed_at = $8
             RETURNING {COLUMNS}"
        ))
        .bind(tenant.as_str())
        .bind(new.key.kind.as_str())
        .bind(new.key.language.as_str())
        .bind(&new.text.subject)
        .bind(&new.text.text)
        .bind(&new.text.html)
        .bind(&new.changed.by)
        .bind(new.changed.at)
        .fetch_one(&mut *tx)
        .await?;
        let put = kept(&put)?;
        note(&mut tx, tenant, &new.key, new.changed.at).await?;
        tx.commit().await?;
        Ok(put)
    }

    /// Removes a template. `None`: there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove(
        &self,
        tenant: &TenantId,
        key: &TemplateKey,
        now: DateTime<Utc>,
    ) -> Result<Option<KeptTemplate>, sqlx::Error> {
        let mut tx = self.pool.begin().await?;
        let row = sqlx::query(&format!(
            "DELETE FROM templates WHERE tenant_id = $1 AND kind = $2 AND language = $3
             RETURNING {COLUMNS}"
        ))
        .bind(tenant.as_str())
        .bind(key.kind.as_str())
        .bind(key.language.as_str())
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let removed = kept(&row)?;
        note(&mut tx, tenant, key, now).await?;
        tx.commit().await?;
        Ok(Some(removed))
    }
}

/// In which languages a template is looked for, one after the other.
pub(super) fn by_turns(language: Option<&Language>) -> Vec<String> {
    let mut turns = Vec::new();
    let mut tag = language.map(Language::as_str);
    // Each is a kind of the one that its last part is cut off from (RFC 4647 section 3.4).
    while let Some(present) = tag {
        turns.push(present.to_owned());
        tag = present.rsplit_once('-').map(|(shorter, _)| shorter);
    }
    turns.push(TemplateLanguage::Default.to_string());
    turns
}

async fn find(
    connection: &mut PgConnection,
    tenant: &TenantId,
    key: &TemplateKey,
) -> Result<Option<KeptTemplate>, sqlx::Error> {
    let row = sqlx::query(&format!(
        "SELECT {COLUMNS}
           FROM templates WHERE tenant_id = $1 AND kind = $2 AND language = $3"
    ))
    .bind(tenant.as_str())
    .bind(key.kind.as_str())
    .bind(key.language.as_str())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(kept).transpose()
}

/// It is on record who has changed what clients are written.
async fn note(
    tx: &mut PgConnection,
    tenant: &TenantId,
    key: &TemplateKey,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let entry = audit::entry(now, AuditKind::SettingsChanged).to(key.to_string());
    audit::append(tx, &[(Some(tenant.clone()), entry)]).await
}

fn not_understood(error: impl Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

fn head(row: &PgRow) -> Result<TemplateHead, sqlx::Error> {
    let key = TemplateKey {
        kind: row.try_get::<&str, _>("kind")?.parse().map_err(not_understood)?,
        language: row.try_get::<&str, _>("language")?.parse().map_err(not_understood)?,
    };
    let changed = Changed { by: row.try_get("changed_by")?, at: row.try_get("changed_at")? };
    Ok(TemplateHead { key, changed })
}

fn kept(row: &PgRow) -> Result<KeptTemplate, sqlx::Error> {
    let TemplateHead { key, changed } = head(row)?;
    let text = TemplateText {
        subject: row.try_get("subject")?,
        text: row.try_get("text")?,
        html: row.try_get("html")?,
    };
    Ok(KeptTemplate { key, text, changed })
}
