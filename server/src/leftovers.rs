//! Schemas that programs have left behind, and that nobody uses any more.

use daybook_projections::{drop_leftover, leftovers};
use daybook_store::what_if;

use crate::parts::Parts;

/// What drops them.
pub(crate) const ADVICE: &str = "`daybook projections prune` drops it";

/// A schema that was left behind.
pub(crate) enum Leftover {
    /// A version of a projection that no program reads, or what is left of making or comparing one.
    Projection(daybook_projections::Leftover),
    /// The log by other rules, of a `replay --what-if` that was killed.
    WhatIf(String),
}

/// All of them.
pub(crate) async fn all(parts: &Parts) -> Result<Vec<Leftover>, sqlx::Error> {
    let pool = parts.log().pool();
    let ids: Vec<_> = parts.projections().iter().map(|projection| projection.id()).collect();
    let projections = leftovers(pool, &ids).await?.into_iter().map(Leftover::Projection);
    let mut connection = pool.acquire().await?;
    let replays = what_if::orphans(&mut connection).await?.into_iter().map(Leftover::WhatIf);
    Ok(projections.chain(replays).collect())
}

impl Leftover {
    /// Its name.
    pub(crate) fn schema(&self) -> &str {
        match self {
            Self::Projection(leftover) => &leftover.schema,
            Self::WhatIf(schema) => schema,
        }
    }

    /// Why nobody needs it.
    pub(crate) const fn why(&self) -> &'static str {
        match self {
            Self::Projection(_) => "no program reads it",
            Self::WhatIf(_) => "the `daybook replay --what-if` that made it was killed",
        }
    }

    /// Drops it. `false`: somebody uses it again.
    pub(crate) async fn drop(&self, parts: &Parts) -> Result<bool, sqlx::Error> {
        let pool = parts.log().owners_pool();
        match self {
            Self::Projection(leftover) => drop_leftover(pool, leftover).await,
            Self::WhatIf(schema) => what_if::drop_orphan(&mut *pool.acquire().await?, schema).await,
        }
    }
}
