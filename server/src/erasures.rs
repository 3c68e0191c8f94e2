//! The ledger of erasures: where it is, and `daybook erasures`.

use std::path::PathBuf;

use anyhow::Context as _;
use daybook_store::migrate;
use daybook_store::personal::ErasureLedger;

use crate::cli::{ErasuresCommand, Place};
use crate::database::{Database, data_dir};
use crate::{master_key, output, parts};

/// What it is called, in the folder of daybook's data.
const FILE: &str = "erasures.ledger";

/// Opens the one that is named, or else that beside the master key, where that is kept there. `None`: there is none. Blocks.
pub(crate) fn ledger(place: &Place, has_own_key: bool) -> anyhow::Result<Option<ErasureLedger>> {
    let path: PathBuf = match &place.erasure_ledger {
        Some(path) => path.clone(),
        None if has_own_key && place.master_key.is_empty() => data_dir(place)?.join(FILE),
        None => return Ok(None),
    };
    Ok(Some(ErasureLedger::open(&path)?))
}

pub(crate) async fn run(database: &Database, command: ErasuresCommand) -> anyhow::Result<()> {
    let ErasuresCommand::Apply = command;
    anyhow::ensure!(
        database.ledger.is_some(),
        "there is no ledger of erasures: name it with --erasure-ledger"
    );
    let parts = parts::connected(database).await?;
    migrate(parts.log().owners_pool()).await?;
    let keyring = parts.engine.keyring().context(master_key::MISSING)?;
    keyring.register().await?;
    let applied = keyring.apply_ledger().await?;
    output::line(&format!(
        "erased again: {applied}; a server that runs goes on with the rest of it"
    ))
}
