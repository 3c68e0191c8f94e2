//! Where the master keys come from: `--master-key`, or a file of our own.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use chrono::SecondsFormat;
use clap::Subcommand;
use daybook_store::personal::{MasterKey, MasterKeyId, MasterKeys};

use crate::cli::Place;
use crate::database::{Database, data_dir};
use crate::{output, parts};

/// How long a command may take that prints a key: it may have to ask a service.
const PATIENCE: Duration = Duration::from_secs(30);

/// What it is kept in, in the folder of daybook's data.
const FILE: &str = "master.key";

/// No key is longer: what a file or a command has beyond it is not read.
const MAX_BYTES: u64 = 4096;

/// Where a master key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// In a file.
    File(PathBuf),
    /// In a variable of the environment.
    Env(String),
    /// A command prints it.
    Exec(String),
}

/// A text that names no place of a master key.
#[derive(Debug, thiserror::Error)]
#[error("where a master key is: file:PATH, env:NAME or exec:COMMAND")]
pub(crate) struct UnknownSource;

impl FromStr for Source {
    type Err = UnknownSource;

    fn from_str(text: &str) -> Result<Self, UnknownSource> {
        let (kind, of) = text.split_once(':').ok_or(UnknownSource)?;
        match kind {
            _ if of.is_empty() => Err(UnknownSource),
            "file" => Ok(Self::File(of.into())),
            "env" => Ok(Self::Env(of.to_owned())),
            "exec" => Ok(Self::Exec(of.to_owned())),
            _ => Err(UnknownSource),
        }
    }
}

/// Several, with commas between them: one that none of these words follows is the path's or the command's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sources(Vec<Source>);

const KINDS: [&str; 3] = ["file:", "env:", "exec:"];

impl FromStr for Sources {
    type Err = UnknownSource;

    fn from_str(text: &str) -> Result<Self, UnknownSource> {
        let mut each: Vec<String> = Vec::new();
        for part in text.split(',') {
            let begins = KINDS.iter().any(|kind| part.starts_with(kind));
            match each.last_mut().filter(|_| !begins) {
                Some(last) => last.extend([",", part]),
                None => each.push(part.to_owned()),
            }
        }
        each.iter().map(|one| one.parse()).collect::<Result<_, _>>().map(Self)
    }
}

impl Source {
    fn read(&self) -> anyhow::Result<MasterKey> {
        let text = match self {
            Self::File(path) => {
                let file = fs::File::open(path);
                let file = file.with_context(|| format!("no master key in {}", path.display()))?;
                bounded(file)?
            }
            Self::Env(name) => std::env::var(name)
                .with_context(|| format!("no master key in the variable {name}"))?,
            Self::Exec(command) => printed(command)?,
        };
        // What is there is not repeated: it may be a key with a typing error.
        text.parse().with_context(|| match self {
            Self::File(path) => path.display().to_string(),
            Self::Env(name) => format!("the variable {name}"),
            Self::Exec(_) => "what the command printed".to_owned(),
        })
    }
}

fn bounded(from: impl io::Read) -> anyhow::Result<String> {
    let mut text = String::new();
    from.take(MAX_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

fn printed(command: &str) -> anyhow::Result<String> {
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("the command for the master key does not start")?;
    let out = child.stdout.take().context("the command for the master key prints nowhere")?;
    let (sender, read) = mpsc::channel();
    std::thread::spawn(move || sender.send(bounded(out)));
    let Ok(text) = read.recv_timeout(PATIENCE) else {
        child.kill()?;
        child.wait()?;
        bail!("the command for the master key took longer than {} s", PATIENCE.as_secs());
    };
    let text = text?;
    let status = child.wait()?;
    anyhow::ensure!(status.success(), "the command for the master key ended with {status}");
    Ok(text)
}

/// Those that are named, or else the one that this program keeps beside its data; it is made if there is none and this is
/// where it `belongs`. Blocks.
pub(crate) fn read(place: &Place, belongs: bool) -> anyhow::Result<Option<MasterKeys>> {
    let keys = if place.master_key.is_empty() {
        let folder = data_dir(place)?;
        if !belongs && !folder.join(FILE).try_exists()? {
            return Ok(None);
        }
        vec![kept(&folder)?]
    } else {
        let named = place.master_key.iter().flat_map(|Sources(each)| each);
        named.map(Source::read).collect::<Result<Vec<_>, _>>()?
    };
    Ok(Some(MasterKeys::new(&keys)?))
}

/// Of a program whose database is elsewhere, and that keeps no key of its own.
pub(crate) const MISSING: &str =
    "what is personal is sealed: name the master key with --master-key";

/// Beside PostgreSQL's folder, not in it: a copy of the one is not a copy of the other.
fn kept(folder: &Path) -> anyhow::Result<MasterKey> {
    let path = folder.join(FILE);
    let source = Source::File(path.clone());
    if path.try_exists()? {
        return source.read();
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let made = MasterKey::generate()?;
    // Whole or not at all, and of two that make one at once the first counts.
    let unfinished = folder.join(format!(".master.key.{}", std::process::id()));
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    writeln!(file, "{}", made.reveal())?;
    file.sync_all()?;
    let linked = fs::hard_link(&unfinished, &path);
    fs::remove_file(&unfinished)?;
    fs::File::open(folder)?.sync_all()?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error.into()),
        _ => source.read(),
    }
}

/// `daybook master-key create`
pub(crate) fn create() -> anyhow::Result<()> {
    output::line(&MasterKey::generate()?.reveal())
}

/// What can be done with master keys.
#[derive(Subcommand)]
pub(crate) enum MasterKeyCommand {
    /// Print a new one. Keep it where the database is not, and where backups of the database are not.
    Create,
    /// List those that the database knows, with how many keys each wraps.
    List,
    /// Wrap all keys by the first of the master keys that are named. It can be stopped, and goes on when it is run again.
    Rotate,
    /// Make the database forget one that wraps nothing any more: then it can be destroyed.
    Retire {
        /// Its id, as `list` prints it.
        id: String,
    },
}

/// What is done with those that the database knows.
pub(crate) async fn run(database: &Database, command: MasterKeyCommand) -> anyhow::Result<()> {
    let parts = parts::connected(database).await?;
    parts::prepare(&parts).await?;
    let keyring = parts.engine.keyring().context(MISSING)?;
    match command {
        MasterKeyCommand::Create => create(),
        MasterKeyCommand::List => {
            for known in keyring.master_keys().await? {
                let since = known.created_at.to_rfc3339_opts(SecondsFormat::Secs, true);
                output::line(&format!("{} since {since}, wraps {}", known.id, known.keys))?;
            }
            Ok(())
        }
        MasterKeyCommand::Rotate => {
            let mut all = 0;
            loop {
                match keyring.rewrap_some().await? {
                    0 => break,
                    some => all += some,
                }
            }
            keyring.rewrapped().await?;
            output::line(&format!("wrapped {all} keys anew"))
        }
        MasterKeyCommand::Retire { id } => {
            let id = MasterKeyId::named(&id);
            keyring.retire(&id).await?;
            output::line(&format!("{id} is needed no longer: destroy it"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_nobody_else_may_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let kept_in = folder.path().join("data");
        let made = kept(&kept_in).unwrap();
        assert_eq!(kept(&kept_in).unwrap().id(), made.id());
        let kept_at = fs::metadata(kept_in.join("master.key")).unwrap();
        assert_eq!(kept_at.permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&kept_in).unwrap().count(), 1);
    }

    #[test]
    fn a_key_is_read_from_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let key = kept(folder.path()).unwrap();
        let path = folder.path().join("master.key");
        let exec: Source = format!("exec:cat {}", path.display()).parse().unwrap();
        assert_eq!(exec.read().unwrap().id(), key.id());
        assert!(Source::Env("DAYBOOK_NO_SUCH_KEY".into()).read().is_err());
        let wrong = Source::Exec("exit 3".into()).read().unwrap_err().to_string();
        assert!(wrong.contains('3'), "{wrong}");
    }

    #[test]
    fn a_comma_is_between_places_where_another_begins_after_it_and_else_is_the_places_own() {
        let read = |text: &str| text.parse::<Sources>().map(|Sources(each)| each);
        let command = "exec:age -d key.age | cut -d, -f1,2";
        let exec = Source::Exec("age -d key.age | cut -d, -f1,2".to_owned());
        let (file, env) = (Source::File("/etc/a,b".into()), Source::Env("OLD".to_owned()));
        assert_eq!(read(command).unwrap(), std::slice::from_ref(&exec));
        let all = read(&format!("{command},file:/etc/a,b,env:OLD")).unwrap();
        assert_eq!(all, [exec, file, env]);
        for bad in ["", ",", "file:/etc/a,env:", "OLD,env:NEW"] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_place_that_is_none_is_refused() {
        for text in ["", "file:", "/etc/key", "vault:x"] {
            assert!(text.parse::<Source>().is_err(), "{text:?}");
        }
    }
}
