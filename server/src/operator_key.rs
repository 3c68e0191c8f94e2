//! `daybook operator-key`

use anyhow::Context as _;
use daybook_store::keys::{self, NewKey, Owner};

use crate::cli::OperatorKeyCommand;
use crate::database::Database;
use crate::key::{end, told};
use crate::{output, parts};

pub(crate) async fn run(database: &Database, command: OperatorKeyCommand) -> anyhow::Result<()> {
    let parts = parts::connected(database).await?;
    parts::prepare(&parts).await?;
    let (pool, now) = (parts.log().pool(), parts.clock.now());
    match command {
        OperatorKeyCommand::Create { name, expires_in_days } => {
            let expires_at = end(now, expires_in_days);
            let new = NewKey { name, expires_at, ..NewKey::default() };
            output::line(&keys::create(pool, Owner::Operator, new, now).await?.key)
        }
        OperatorKeyCommand::List => {
            for key in keys::list(pool, Owner::Operator).await? {
                output::line(&told(&key))?;
            }
            Ok(())
        }
        OperatorKeyCommand::Revoke { key } => {
            let revoked = keys::revoke(pool, Owner::Operator, key, now).await?;
            revoked.with_context(|| {
                format!("there is no operator's key {key}: `daybook operator-key list` shows all")
            })?;
            output::line(&format!("revoked {key}; programs that run are told"))
        }
    }
}
