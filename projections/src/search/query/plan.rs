//! Which statement is next, and when the page is full.
//!
//! Those that are named by their ids are looked up. Else:
//!
//! 1. *Skip to the status*, where one is asked for: leave out the range in which no appointment has it.
//! 2. *Scan an index* in order, a bounded number of places: of the lists of the clients or resources
//!    that are asked for, or else of all, where an index says which rows are worth a look. Where a filter
//!    lets enough through, this fills the page and is all.
//! 3. *Scan terms* for the rest, slice by slice: the index on terms gives all matches of a slice of time, and
//!    no other rows. How long a slice is follows from how many matches were in the one before; a
//!    slice that has too many is given up, after a bounded number of rows, for a shorter one.
//!
//! So no estimate of how filters depend on each other is needed, the planner's or our own: a wrong
//! guess costs one slice.

use super::super::row::FoundAppointment;
use super::super::terms::SpanLevel;
use super::SearchQuery;
use super::index_scan::{Scanned, Stop};
use super::key_range::{KeyRange, distance};
use super::statement::{Answer, Statement, TermMatch};
use crate::page::keyset::StartKey;

/// Places that a scan of a party's list reads for each one that is wanted; of several lists, each is read as far as all of
/// them together may have to be, so these are fewer.
const LIST_FACTOR: usize = 8;
const LEAST_LIST_FACTOR: usize = 2;
/// Rows that a scan of terms may give for each one that is wanted, before its slice counts as too long.
const SLICE_FACTOR: usize = 2;
/// How much longer than the slice before a slice may be.
const GROWTH: i64 = 8;
/// A slice that was too long is cut where a sixteenth of what is wanted lies, of the sample.
const SAMPLE_DIVISOR: usize = 16;
/// Nine years. No slice is longer: it would take too many terms.
const LONGEST_MICROS: i64 = 9 * 366 * 86_400 * 1_000_000;
/// After so many the page is given as it is, with a cursor from where it has come to.
const MAX_STATEMENTS: usize = 48;

pub(super) struct SearchPlan<'a> {
    asked: &'a SearchQuery<'a>,
    /// One more than the page has: whether there is a next one.
    wanted: usize,
    rest: KeyRange,
    found: Vec<FoundAppointment>,
    step: Step,
    statements: usize,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Lookup,
    SkipToStatus,
    IndexScan,
    TermScan { slice: KeyRange },
    Done,
}

impl<'a> SearchPlan<'a> {
    pub(super) fn new(asked: &'a SearchQuery<'a>, after: Option<StartKey>) -> Self {
        let rest = KeyRange::asked(asked.filter, asked.sort, after);
        let step = match asked.filter.stored_statuses() {
            _ if !asked.filter.ids.is_empty() => Step::Lookup,
            Some(_) => Step::SkipToStatus,
            None => Step::IndexScan,
        };
        let wanted = asked.limit.items() + 1;
        let found = Vec::new();
        let mut plan = Self { asked, wanted, rest, found, step, statements: 0 };
        plan.settle();
        plan
    }

    /// The next statement to run; `None`: the page is there.
    pub(super) fn next(&mut self) -> Option<Statement> {
        self.statements += 1;
        match self.step {
            _ if self.statements > MAX_STATEMENTS => None,
            Step::Done => None,
            Step::Lookup => Some(Statement::Lookup { range: self.rest }),
            Step::SkipToStatus => Some(Statement::SkipToStatus { range: self.rest }),
            Step::IndexScan => Some(Statement::IndexScan {
                range: self.rest,
                places: self.places(),
                wanted: self.wanted - self.found.len(),
            }),
            Step::TermScan { slice } => {
                Some(Statement::TermScan { range: slice, rows: self.slice_rows() + 1 })
            }
        }
    }

    /// What the statement answered.
    pub(super) fn take(&mut self, answer: Answer) {
        match answer {
            Answer::Lookup(found) => {
                self.found = found;
                self.step = Step::Done;
            }
            Answer::SkipToStatus(None) => self.step = Step::Done,
            Answer::SkipToStatus(Some(first)) => {
                self.rest.go_on_from(self.asked.sort, first);
                self.step = Step::IndexScan;
            }
            Answer::IndexScan(scanned) => self.scanned(scanned),
            Answer::TermScan(rows) => self.term_scanned(rows),
        }
        self.settle();
    }

    /// The page's items, and after which place the next page starts.
    pub(super) fn page(mut self) -> (Vec<FoundAppointment>, Option<StartKey>) {
        self.sort_found();
        if self.found.len() >= self.wanted {
            self.found.truncate(self.wanted - 1);
            let last = self.found.last().map(FoundAppointment::key);
            return (self.shown(), last);
        }
        let broken_off = !matches!(self.step, Step::Done);
        let next = broken_off.then(|| self.rest.near(self.asked.sort));
        (self.shown(), next)
    }

    fn shown(mut self) -> Vec<FoundAppointment> {
        self.found.iter_mut().for_each(|row| row.show_at(self.asked.now));
        self.found
    }

    fn scanned(&mut self, Scanned { matches, stopped }: Scanned) {
        let count = matches.len();
        self.found.extend(matches);
        let Some(Stop { at, first, last }) = stopped else {
            self.step = Step::Done;
            return;
        };
        self.rest.go_on_after(self.asked.sort, at);
        self.rest.end_with(self.asked.sort, last);
        self.scan_next_slice(distance(at.start_at, first), count, count);
    }

    fn term_scanned(&mut self, rows: Vec<TermMatch>) {
        let Step::TermScan { slice } = self.step else { return };
        if rows.len() > self.slice_rows() {
            self.shorten(slice, &rows);
            return;
        }
        // Where matches begin late in a slice, it is from there that they are so many.
        let far = slice.far(self.asked.sort).start_at;
        let starts = rows.iter().map(|row| distance(row.appointment.during.start(), far));
        let micros = starts.max().unwrap_or_else(|| slice.micros());
        let (given, before) = (rows.len(), self.found.len());
        let matches = rows.into_iter().filter(|row| row.matches).map(|row| row.appointment);
        self.found.extend(matches);
        self.rest = self.rest.without(self.asked.sort, slice);
        self.scan_next_slice(micros, given, self.found.len() - before);
    }

    /// A slice as long as the last one suggests, that had so many rows in `micros`, and so many matches
    /// among them: half as much again as would do if matches were evenly spread, and not so much that
    /// it would have too many rows if these were.
    fn scan_next_slice(&mut self, micros: i64, rows: usize, matches: usize) {
        let missing = small(self.wanted.saturating_sub(self.found.len()));
        let length = |wanted: i64, of: usize| {
            micros.saturating_mul(wanted).saturating_mul(3) / (2 * (small(of) + 1))
        };
        let length = length(missing, matches).min(length(small(self.slice_rows()) / 2, rows));
        let length = length.clamp(micros / 4, micros.saturating_mul(GROWTH)).min(LONGEST_MICROS);
        // A round end needs fewer terms.
        let round = |level: &SpanLevel| level.micros() * SpanLevel::FACTOR <= length;
        let [shortest, ..] = SpanLevel::ALL;
        self.term_scan(length, SpanLevel::ALL.into_iter().rev().find(round).unwrap_or(shortest));
    }

    fn term_scan(&mut self, micros: i64, level: SpanLevel) {
        self.step = Step::TermScan { slice: self.rest.slice(self.asked.sort, micros, level) };
    }

    /// The slice has too many. Those that were read, in no order, are a sample: where the first few
    /// of them lie, a fair part of what is wanted is to be expected.
    fn shorten(&mut self, slice: KeyRange, sample: &[TermMatch]) {
        let near = self.rest.near(self.asked.sort).start_at;
        let mut starts: Vec<i64> =
            sample.iter().map(|row| distance(row.appointment.during.start(), near)).collect();
        starts.sort_unstable();
        let few = self.wanted.div_ceil(SAMPLE_DIVISOR);
        let mut micros = starts.get(few).copied().unwrap_or_default();
        let [shortest, ..] = SpanLevel::ALL;
        // The sample may be of one end only, as rows are in the table in the order they came.
        loop {
            self.term_scan(micros, shortest);
            if !matches!(self.step, Step::TermScan { slice: shorter } if shorter == slice) {
                return;
            }
            if micros == 0 {
                // As short as a slice can be, and full: so scan the index.
                self.step = Step::IndexScan;
                return;
            }
            micros /= 2;
        }
    }

    fn settle(&mut self) {
        if self.found.len() >= self.wanted || self.rest.is_empty() {
            self.step = Step::Done;
        }
    }

    fn places(&self) -> usize {
        self.wanted
            * match self.asked.filter.parties().len() {
                0 => self.asked.scan_factor,
                lists => (LIST_FACTOR / lists).max(LEAST_LIST_FACTOR),
            }
    }

    const fn slice_rows(&self) -> usize {
        SLICE_FACTOR * self.wanted
    }

    fn sort_found(&mut self) {
        self.found.sort_unstable_by_key(FoundAppointment::key);
        if self.asked.sort == super::Sort::StartDescending {
            self.found.reverse();
        }
    }
}

/// The numbers of rows are small.
fn small(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
