//! A file, gone through event by event: it is read twice, and never held whole.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Seek, SeekFrom};

use daybook_ical::{Calendar, Event, Index, Place, Scanner};

use super::error::{ReadError, Refusal, RefusalReason, shown};
use super::meaning::{Meaning, Reading};
use super::{Entry, entry, meaning};

/// How much is read at once.
const CHUNK: usize = 64 * 1024;

/// The most events of one UID: a series of which every occurrence was changed.
const MAX_OF_UID: usize = 10_000;

/// The most texts of the events of one UID, which are held together, in bytes.
const MAX_BYTES_OF_UID: usize = 32 * 1024 * 1024;

/// The most that is looked at for the rules of one file, in steps: as much as for half a million series of a thousand.
const MAX_STEPS: u64 = 500_000_000;

/// The longest event that is looked at: all of its texts, and what is attached to it.
const MAX_EVENT_BYTES: u64 = 64 * 1024 * 1024;

/// A sound calendar file, of which the events are yet to be read.
#[derive(Debug)]
pub struct CalendarFile<R> {
    source: R,
    index: Index,
    /// The events, by which is the first of their UID, and then in the order of the file.
    order: Vec<u32>,
    next: usize,
    /// How much was looked at for its rules.
    pub(super) steps: u64,
}

/// The events of one UID.
#[derive(Debug, Default)]
pub struct Group {
    /// What there is to be of them, or why not.
    pub entries: Vec<Result<Entry, Refusal>>,
    /// The UID, where these are all occurrences that it has up to the horizon: others there are none.
    pub all_of: Option<String>,
    /// Whether there are more after the horizon.
    pub goes_on: bool,
    /// How many events of the file it is of.
    pub events: usize,
}

impl<R: Read + Seek> CalendarFile<R> {
    /// Reads the envelope of a file.
    ///
    /// # Errors
    /// When the file cannot be read, or not be trusted. Nothing of it should be booked.
    pub fn open(mut source: R) -> Result<Self, ReadError> {
        let mut scanner = Scanner::default();
        let mut chunk = vec![0; CHUNK];
        loop {
            match source.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => scanner.push(&chunk[..read])?,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        let index = scanner.finish()?;
        let order = by_uid(&index.events);
        Ok(Self { source, index, order, next: 0, steps: 0 })
    }

    /// What holds for the events of each of its calendars.
    #[must_use]
    pub fn calendars(&self) -> &[Calendar] {
        &self.index.calendars
    }

    /// How many events it has.
    #[must_use]
    pub fn event_count(&self) -> usize {
        self.index.events.len()
    }

    /// The events of the next UID; `None`: that was all.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next_group(&mut self, reading: &Reading) -> Result<Option<Group>, ReadError> {
        let Some(first) = self.order.get(self.next).map(|at| self.place(*at)) else {
            return Ok(None);
        };
        let is_of = |at: &&u32| self.place(**at).uid_hash == first.uid_hash;
        let count = self.order[self.next..].iter().take_while(is_of).count();
        let places: Vec<Place> =
            self.order[self.next..self.next + count].iter().map(|at| self.place(*at)).collect();
        self.next += count;
        let mut group = Group { events: count, ..Group::default() };
        if count > MAX_OF_UID {
            let too_many = |place: &Place| {
                let reason = RefusalReason::TooManyOfUid { max: MAX_OF_UID };
                Err(Refusal { line: place.line, shown: shown(None, false), reason })
            };
            group.entries = places.iter().map(too_many).collect();
            return Ok(Some(group));
        }
        // Two UIDs may share a hash.
        let mut by_uid: BTreeMap<Option<String>, Vec<(Event, u32)>> = BTreeMap::new();
        let mut bytes = 0;
        for place in places {
            match self.event(place, reading)? {
                Ok(event) if bytes > MAX_BYTES_OF_UID => {
                    let max_bytes = MAX_BYTES_OF_UID;
                    let reason = RefusalReason::TooMuchOfUid { max_bytes };
                    group.entries.push(Err(meaning::refusal(&event, reason)));
                }
                Ok(event) => {
                    bytes += bytes_of(&event);
                    by_uid.entry(event.uid.clone()).or_default().push((event, place.calendar));
                }
                Err(refusal) => group.entries.push(Err(refusal)),
            }
        }
        let is_whole = group.entries.is_empty() && by_uid.len() == 1;
        for (uid, events) in by_uid {
            let calendar = events.first().map_or(0, |(_, calendar)| *calendar);
            let how = Meaning::new(reading, &self.index, calendar);
            let events: Vec<&Event> = events.iter().map(|(event, _)| event).collect();
            if self.steps > MAX_STEPS && events.iter().any(|event| !event.recurrence.is_none()) {
                let too_much = |event: &&Event| meaning::refusal(event, RefusalReason::TooMuchWork);
                group.entries.extend(events.iter().map(too_much).map(Err));
                continue;
            }
            self.steps = self.steps.saturating_add(how.of(uid, &events, &mut group));
        }
        if !is_whole {
            group.all_of = None;
        }
        Ok(Some(group))
    }

    fn place(&self, at: u32) -> Place {
        self.index.events[usize::try_from(at).unwrap_or(usize::MAX)]
    }

    fn event(
        &mut self,
        place: Place,
        reading: &Reading,
    ) -> Result<Result<Event, Refusal>, ReadError> {
        // What is longer is cut: the line that is too long is the fault of its property.
        let mut bytes = Vec::new();
        self.source.seek(SeekFrom::Start(place.start))?;
        (&mut self.source).take(place.len().min(MAX_EVENT_BYTES)).read_to_end(&mut bytes)?;
        let zones = reading.zones(&self.index, place.calendar);
        Ok(Event::read(&bytes, place.line, &zones).map_err(Refusal::from))
    }
}

/// How long the texts of an event are.
fn bytes_of(event: &Event) -> usize {
    let texts = [&event.uid, &event.summary, &event.description, &event.location];
    let texts = texts.into_iter().flatten().chain(&event.categories);
    texts.map(String::len).sum()
}

/// The numbers of the events: those of one UID together, each UID where its first event is.
fn by_uid(events: &[Place]) -> Vec<u32> {
    let mut first: HashMap<u64, u32> = HashMap::new();
    let mut order: Vec<u32> = Vec::with_capacity(events.len());
    for (at, event) in (0_u32..).zip(events) {
        first.entry(event.uid_hash).or_insert(at);
        order.push(at);
    }
    let hash =
        |at: &u32| events.get(usize::try_from(*at).unwrap_or(usize::MAX)).map(|e| e.uid_hash);
    order.sort_by_key(|at| (hash(at).and_then(|hash| first.get(&hash).copied()), *at));
    order
}

impl Group {
    pub(super) fn take(&mut self, entry: entry::Entry) {
        self.entries.push(Ok(entry));
    }
}
