//! An import: what the entries of a file are to be, compared with what is there, a part of the file after
//! the other.

use std::collections::{HashMap, HashSet};

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use daybook_api::imports::{ImportCounts, ImportOutcome, ImportVerdict};
use daybook_domain::resource::Resource;
use daybook_domain::{Category, Name, TenantId, Title, Titles};
use daybook_integrations::calendar::{
    CategoryFrom, Entry, Group, Place, Reading, Refusal, ToBook, Wanted,
};
use daybook_store::imports::{self, ImportedEvent};
use daybook_store::personal::Tokens;
use daybook_store::{CommandContext, Engine, Executable, ExecuteError};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use uuid::Uuid;

use super::ids::{DEFAULT_SOURCE, Ids, SourceIds};
use super::input::Input;
use super::outcome::Outcome;
use super::patience::patiently;
use super::places::Furnished;
use super::plan::{Planned, Step};
use super::preview::Preview;
use super::wanted::{NO_CATEGORY, Wish};
use crate::master_key;

/// So many entries are looked at together.
const CHUNK: usize = 2_000;

/// So many are loaded, booked or changed at once: group commit carries them together.
pub(super) const AT_ONCE: usize = 64;

/// How a file is imported.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    /// The zone of times that name none. `None`: the tenant's.
    pub(crate) time_zone: Option<Tz>,
    /// What the source is called that is imported again and again. `None`: as its calendar.
    pub(crate) source: Option<String>,
    /// Where events are that name no place. `None`: in a resource that is called as the calendar.
    pub(crate) resource: Option<Home>,
    pub(crate) category_from: Option<CategoryFrom>,
    /// Whether it is only to be said what would happen.
    pub(crate) dry_run: bool,
}

/// A resource that is there, or the name of one that may have to be made.
#[derive(Debug, Clone)]
pub(crate) enum Home {
    Existing(Uuid),
    Named(Name),
}

impl std::str::FromStr for Home {
    type Err = daybook_domain::TextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(id) => Ok(Self::Existing(id)),
            Err(_) => Name::new(text).map(Self::Named),
        }
    }
}

/// What whoever waits for an import is told.
pub(crate) enum Seen<'t> {
    /// So many more events of the file are done.
    Events(usize),
    Outcome(&'t ImportOutcome),
}

/// A file that is being imported.
pub(crate) struct Begun {
    reading: Reading,
    source: SourceIds,
}

/// Imports files into one tenant's log.
pub(crate) struct Importer {
    pub(super) engine: Engine,
    pub(super) context: CommandContext,
    ids: Ids,
    options: Options,
    time_zone: Tz,
    home: Option<(Uuid, Name)>,
    furnished: Furnished,
    preview: Preview,
    counts: ImportCounts,
    /// Up to when series are followed.
    horizon: DateTime<Utc>,
    titles: Titles,
}

/// An entry, and what is known of it.
pub(super) struct Item {
    pub(super) entry: Entry,
    pub(super) id: Uuid,
    pub(super) series: Uuid,
    /// `None`: it does not take place.
    pub(super) wish: Option<Wish>,
    pub(super) known: Option<ImportedEvent>,
}

impl Importer {
    /// # Errors
    /// When there is no such tenant or resource, or the database fails.
    pub(crate) async fn new(
        engine: Engine,
        tenant: &TenantId,
        actor: &str,
        options: Options,
    ) -> anyhow::Result<Self> {
        let context = CommandContext::new(tenant.clone(), actor);
        let of_tenant = engine.tenants().get(tenant).await?;
        let keyring = engine.keyring().context(master_key::MISSING)?;
        let ids = Ids::of(tenant, keyring.tokens(tenant, "imports").await?);
        let mut furnished = Furnished::default();
        let home = match &options.resource {
            None => None,
            Some(Home::Named(name)) => Some((ids.resource(name.as_str()), name.clone())),
            Some(Home::Existing(id)) => {
                let found = engine.load::<Resource>(tenant, *id).await?;
                let profile = found.as_ref().and_then(|(resource, _)| resource.profile());
                let name = profile.map(|profile| profile.name.clone());
                furnished.found(*id);
                Some((*id, name.with_context(|| format!("there is no resource {id}"))?))
            }
        };
        let days = of_tenant.settings.import_days.get();
        Ok(Self {
            horizon: engine.clock().now() + TimeDelta::days(days.into()),
            time_zone: options.time_zone.unwrap_or(of_tenant.time_zone),
            engine,
            context,
            ids,
            options,
            home,
            furnished,
            preview: Preview::default(),
            counts: ImportCounts::default(),
            titles: of_tenant.settings.titles,
        })
    }

    /// What stands for what it was asked for.
    pub(super) const fn tokens(&self) -> &Tokens {
        self.ids.tokens()
    }

    /// What has become of all that was imported.
    pub(crate) const fn counts(&self) -> ImportCounts {
        self.counts
    }

    /// Up to when series were followed.
    pub(crate) const fn horizon(&self) -> DateTime<Utc> {
        self.horizon
    }

    /// Imports a file that is called so.
    ///
    /// # Errors
    /// When the file cannot be read to its end, or nothing can be booked at present.
    pub(crate) async fn import(
        &mut self,
        mut input: Input,
        name: Name,
        seen: &mut (dyn FnMut(Seen<'_>) + Send),
    ) -> anyhow::Result<()> {
        let reading = self.begin(&input, name);
        while self.next(&reading, &mut input, seen).await? {}
        Ok(())
    }

    /// How a file is read that is called so.
    pub(crate) fn begin(&self, input: &Input, name: Name) -> Begun {
        let reading = Reading {
            time_zone: self.time_zone,
            horizon: self.horizon,
            category_from: self.options.category_from,
            calendar_name: name,
        };
        Begun { reading, source: self.source(input) }
    }

    /// Imports the next part of a file. `false`: there is none.
    ///
    /// # Errors
    /// When the file cannot be read on, or nothing can be booked at present.
    pub(crate) async fn next(
        &mut self,
        begun: &Begun,
        input: &mut Input,
        seen: &mut (dyn FnMut(Seen<'_>) + Send),
    ) -> anyhow::Result<bool> {
        let (mut groups, mut entries) = (Vec::new(), 0);
        while entries < CHUNK {
            let Some(group) = input.next_group(&begun.reading)? else { break };
            entries += group.entries.len().max(1);
            groups.push(group);
            // A series may take a while, and others are served by the same threads.
            tokio::task::yield_now().await;
        }
        if groups.is_empty() {
            return Ok(false);
        }
        let events = groups.iter().map(|group| group.events).sum();
        self.some(groups, &begun.source, seen).await?;
        seen(Seen::Events(events));
        Ok(true)
    }

    fn source(&self, input: &Input) -> SourceIds {
        let named = self.options.source.as_deref();
        let home = self.home.as_ref().map(|(_, name)| name.as_str());
        let name = named.or_else(|| input.name()).or(home).unwrap_or(DEFAULT_SOURCE);
        self.ids.source(name)
    }

    /// Imports some groups of a file.
    async fn some(
        &mut self,
        groups: Vec<Group>,
        source: &SourceIds,
        seen: &mut (dyn FnMut(Seen<'_>) + Send),
    ) -> anyhow::Result<()> {
        let (mut items, mut whole) = (Vec::new(), HashMap::new());
        for group in groups {
            self.counts.going_on += u64::from(group.goes_on);
            let first = items.len();
            for entry in group.entries {
                match entry {
                    Ok(entry) => items.push(self.item(entry, source)?),
                    Err(refusal) => self.refuse(&refusal, seen),
                }
            }
            if let Some(uid) = group.all_of {
                whole.insert(source.series(&uid), first);
            }
        }
        let ids: Vec<Uuid> = items.iter().map(|item| item.id).collect();
        let pool = self.engine.log().pool();
        let known = patiently(|| imports::known(pool, &self.context.tenant, source.id, &ids));
        let mut known = known.await.result?;
        for item in &mut items {
            item.known = known.remove(&item.id);
        }
        let gone = self.gone(&items, &whole, source).await?;
        let planned = self.planned(items, gone, source).await?;
        if self.options.dry_run {
            for (item, outcome) in self.previewed(planned).await? {
                self.count(&item, &outcome, seen);
            }
            return Ok(());
        }
        for one in &planned {
            if let (Some(wish), Step::Book { .. } | Step::Change { .. }) =
                (&one.item.wish, &one.step)
            {
                self.furnished.furnish(&self.engine, &self.context, wish).await?;
            }
        }
        let mut kept = Vec::new();
        for (item, outcome) in self.applied(planned).await? {
            kept.extend(outcome.keeps(&item));
            self.count(&item, &outcome, seen);
        }
        let pool = self.engine.log().pool();
        let kept = patiently(|| imports::keep(pool, &self.context.tenant, source.id, &kept));
        kept.await.result.context("what was imported is not kept")
    }

    fn item(&self, entry: Entry, source: &SourceIds) -> anyhow::Result<Item> {
        let wish = match &entry.wanted {
            Wanted::Cancelled => None,
            Wanted::Booked(to_book) => Some(self.wish(to_book.as_ref().clone())?),
        };
        let (id, series) = (source.entry(&entry), source.series(&entry.uid));
        Ok(Item { entry, id, series, wish, known: None })
    }

    fn wish(&self, to_book: ToBook) -> anyhow::Result<Wish> {
        let category = match &to_book.category {
            Some(category) => category.clone(),
            None => Category::new(NO_CATEGORY)?,
        };
        let (resource, place) = match (&to_book.place, &self.home) {
            (Place::Calendar(_), Some((id, name))) => (*id, name.clone()),
            (place, _) => (self.ids.resource(place.name().as_str()), place.name().clone()),
        };
        let email = to_book.person.as_ref().and_then(|person| person.email.reveal());
        let client = email.map_or_else(|| self.ids.client(), |email| self.ids.person(email));
        let service = self.ids.service(category.as_str());
        Ok(Wish { to_book, category, service, client, resource, place })
    }

    /// What a source said before of UIDs of which all is told now, and no longer says.
    async fn gone(
        &self,
        items: &[Item],
        whole: &HashMap<Uuid, usize>,
        source: &SourceIds,
    ) -> anyhow::Result<Vec<(ImportedEvent, usize)>> {
        let series: Vec<Uuid> = whole.keys().copied().collect();
        let (pool, tenant) = (self.engine.log().pool(), &self.context.tenant);
        let before = patiently(|| imports::of_series(pool, tenant, source.id, &series));
        let before = before.await.result?;
        let told: HashSet<Uuid> = items.iter().map(|item| item.id).collect();
        let gone = before.into_iter().filter_map(|event| {
            let first = *whole.get(&event.series)?;
            let version = items.get(first)?.entry.version;
            let is_later = (version.sequence, version.stamp) >= (event.sequence, event.stamped_at);
            let in_time = event.occurs_at.is_none_or(|at| at < self.horizon);
            (!told.contains(&event.entry) && is_later && in_time).then_some((event, first))
        });
        Ok(gone.collect())
    }

    /// An aggregate as it is there.
    pub(super) async fn there<A: Executable>(
        &self,
        id: Uuid,
    ) -> Result<Option<(A, u64)>, ExecuteError> {
        patiently(|| self.engine.load_open::<A>(&self.context.tenant, id)).await.result
    }

    async fn planned(
        &self,
        items: Vec<Item>,
        gone: Vec<(ImportedEvent, usize)>,
        source: &SourceIds,
    ) -> anyhow::Result<Vec<Planned>> {
        let cancelled = gone.into_iter().filter_map(|(known, first)| {
            let like = &items.get(first)?.entry;
            let entry = Entry { wanted: Wanted::Cancelled, ..like.clone() };
            let (id, series) = (known.entry, known.series);
            Some(Item { entry, id, series, wish: None, known: Some(known) })
        });
        let cancelled: Vec<Item> = cancelled.collect();
        let mut seen = HashSet::new();
        let all = cancelled.into_iter().chain(items).map(|item| {
            // Without a UID two events may be the same.
            let again = !seen.insert(item.id);
            self.plan(item, source, again)
        });
        stream::iter(all).buffered(AT_ONCE).try_collect().await
    }

    fn count(&mut self, item: &Item, outcome: &Outcome, seen: &mut (dyn FnMut(Seen<'_>) + Send)) {
        use ImportVerdict as V;
        let counts = &mut self.counts;
        let (count, verdict) = match outcome {
            Outcome::Booked { .. } => (&mut counts.booked, Some(V::Booked)),
            Outcome::Moved { .. } => (&mut counts.moved, Some(V::Moved)),
            Outcome::Changed { .. } => (&mut counts.changed, Some(V::Changed)),
            Outcome::Cancelled { .. } => (&mut counts.cancelled, Some(V::Cancelled)),
            Outcome::AlreadyThere { .. } => (&mut counts.already_there, None),
            Outcome::NotTakingPlace => (&mut counts.not_taking_place, None),
            Outcome::Left(_) => (&mut counts.left, Some(V::Left)),
            Outcome::Refused(_) => (&mut counts.refused, Some(V::Refused)),
        };
        *count += 1;
        if let Some(verdict) = verdict {
            let Entry { line, shown, .. } = &item.entry;
            let (line, message) = (*line, outcome.text(item));
            let event = told(shown, self.titles);
            seen(Seen::Outcome(&ImportOutcome { outcome: verdict, line, event, message }));
        }
    }

    fn refuse(&mut self, refusal: &Refusal, seen: &mut (dyn FnMut(Seen<'_>) + Send)) {
        self.counts.refused += 1;
        let Refusal { line, shown, reason } = refusal;
        let (outcome, line) = (ImportVerdict::Refused, *line);
        let (event, message) = (told(shown, self.titles), reason.to_string());
        seen(Seen::Outcome(&ImportOutcome { outcome, line, event, message }));
    }

    pub(super) const fn preview(&mut self) -> &mut Preview {
        &mut self.preview
    }
}

/// What an event is called in a report, which is kept: by its line it is found where its name is nobody's to read.
fn told(shown: &str, titles: Titles) -> String {
    match titles {
        Titles::Public => shown.to_owned(),
        Titles::Personal => Title::withheld().to_string(),
    }
}
