//! Series: the appointments of one are decided one after the other, and all that comes of it is one
//! submission.

use std::collections::BTreeSet;

use daybook_domain::appointment::{Appointment, AppointmentCommand, Booking};
use daybook_domain::series::{
    InSeries, LeftBecause, Mode, Occurrence, PlannedMove, Recurrence, Series, SeriesCancel,
    SeriesCommand, SeriesMove, SeriesRefusal, Verdict, Verdicts, Which,
};
use daybook_domain::{AppointmentId, Refusal, TenantId};
use futures::future::{BoxFuture, try_join_all};
use uuid::Uuid;

use super::{
    Abort, CommandContext, Engine, Executable, ExecuteError, Executed, Known, Target, UnitContext,
    UnitOfWork,
};
use crate::log::Position;

/// So many streams are read beside each other, at most: each takes a connection.
const LOADED_AT_ONCE: usize = 8;

/// A series that is to be booked.
#[derive(Debug, Clone)]
pub struct SeriesBooking {
    /// When it recurs.
    pub recurrence: Recurrence,
    /// Whether all must be booked.
    pub mode: Mode,
    /// What is booked each time; when it is, is of no meaning.
    pub booking: Booking,
}

impl Engine {
    /// Many aggregates as the log has each of them now, or had at a position, in the order asked for.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn each_known<A: Executable>(
        &self,
        tenant: &TenantId,
        ids: &[Uuid],
        as_of: Option<Position>,
    ) -> Result<Vec<Option<Known<A>>>, ExecuteError> {
        let mut all = Vec::with_capacity(ids.len());
        for some in ids.chunks(LOADED_AT_ONCE) {
            let known = some.iter().map(|id| self.known::<A>(tenant, *id, as_of));
            all.extend(try_join_all(known).await?);
        }
        Ok(all)
    }

    /// Books a series: all of it, or as much as can be.
    ///
    /// # Errors
    /// When it is refused, or when nothing can be decided or appended at present.
    #[must_use]
    pub fn book_series<'a>(
        &'a self,
        context: &'a CommandContext,
        asked: &'a SeriesBooking,
    ) -> BoxFuture<'a, Result<Executed<Series>, ExecuteError>> {
        Box::pin(async move {
            let id = Uuid::now_v7();
            self.execute_unit(context, id, &BookSeries { id, asked }).await
        })
    }

    /// Moves occurrences of a series.
    ///
    /// # Errors
    /// When it is refused, or when nothing can be decided or appended at present.
    #[must_use]
    pub fn reschedule_series<'a>(
        &'a self,
        context: &'a CommandContext,
        id: Uuid,
        moving: &'a SeriesMove,
    ) -> BoxFuture<'a, Result<Executed<Series>, ExecuteError>> {
        Box::pin(
            async move { self.execute_unit(context, id, &RescheduleSeries { id, moving }).await },
        )
    }

    /// Calls occurrences of a series off.
    ///
    /// # Errors
    /// When it is refused, or when nothing can be decided or appended at present.
    #[must_use]
    pub fn cancel_series<'a>(
        &'a self,
        context: &'a CommandContext,
        id: Uuid,
        cancelling: &'a SeriesCancel,
    ) -> BoxFuture<'a, Result<Executed<Series>, ExecuteError>> {
        Box::pin(
            async move { self.execute_unit(context, id, &CancelSeries { id, cancelling }).await },
        )
    }
}

struct BookSeries<'a> {
    id: Uuid,
    asked: &'a SeriesBooking,
}

impl UnitOfWork for BookSeries<'_> {
    type Root = Series;

    async fn decide(&self, unit: &mut UnitContext<'_>) -> Result<(), Abort> {
        let SeriesBooking { recurrence, mode, booking } = self.asked;
        let mut verdicts = Verdicts::default();
        for recurrence_id in recurrence.occurrences().map_err(Refusal::from)? {
            let series = InSeries { series_id: self.id.into(), recurrence_id };
            let booking = booking.as_occurrence(recurrence.at(recurrence_id), series);
            let (target, command) = (Target::fresh(), AppointmentCommand::BookAppointment(booking));
            let verdict = match unit.decide::<Appointment>(target, command).await? {
                Ok(()) => Verdict::Done(AppointmentId::from(target.id())),
                Err(refusal) => Verdict::Refused(refusal),
            };
            if !verdicts.add(recurrence_id, verdict, *mode) {
                break;
            }
        }
        let command = SeriesCommand::BookSeries {
            recurrence: recurrence.clone(),
            mode: *mode,
            service_id: booking.service_id,
            client_id: booking.client_id,
            verdicts,
        };
        unit.decide::<Series>(Target::New(self.id), command).await??;
        Ok(())
    }
}

struct RescheduleSeries<'a> {
    id: Uuid,
    moving: &'a SeriesMove,
}

impl UnitOfWork for RescheduleSeries<'_> {
    type Root = Series;

    async fn decide(&self, unit: &mut UnitContext<'_>) -> Result<(), Abort> {
        let SeriesMove { which, shift, resource_ids, mode, by, overriding } = self.moving;
        let (series, affected) = affected(unit, self.id, *which).await?;
        let mut verdicts = Verdicts::default();
        let mut moves = Vec::with_capacity(affected.len());
        for Affected { occurrence, appointment, left } in affected {
            let id = occurrence.recurrence_id;
            let details = appointment.details().filter(|_| left.is_none());
            let Some(from) = details.map(|details| details.slot.during.start()) else {
                verdicts.add(id, Verdict::Left(left.unwrap_or(LeftBecause::NotBooked)), *mode);
                continue;
            };
            match series.shifted(shift, id, from) {
                Ok(to) => moves.push(PlannedMove { occurrence, from, to }),
                Err(refusal) => {
                    verdicts.add(id, Verdict::Refused(refusal.into()), *mode);
                }
            }
        }
        PlannedMove::order(&mut moves);
        for PlannedMove { occurrence, to, .. } in moves {
            let command = AppointmentCommand::RescheduleAppointment {
                start: to.start,
                resource_ids: resource_ids.clone(),
                by: *by,
                overriding: overriding.clone(),
            };
            let target = Target::Existing(occurrence.appointment_id.uuid());
            let verdict = match unit.decide::<Appointment>(target, command).await? {
                Ok(()) => Verdict::Done(to),
                Err(refusal) => Verdict::Refused(refusal),
            };
            if !verdicts.add(occurrence.recurrence_id, verdict, *mode) {
                break;
            }
        }
        let command = SeriesCommand::RescheduleSeries { moving: self.moving.clone(), verdicts };
        unit.decide::<Series>(Target::Existing(self.id), command).await??;
        Ok(())
    }
}

struct CancelSeries<'a> {
    id: Uuid,
    cancelling: &'a SeriesCancel,
}

impl UnitOfWork for CancelSeries<'_> {
    type Root = Series;

    async fn decide(&self, unit: &mut UnitContext<'_>) -> Result<(), Abort> {
        let SeriesCancel { which, mode, reason, by, overriding } = self.cancelling;
        let (_, affected) = affected(unit, self.id, *which).await?;
        let mut verdicts = Verdicts::default();
        for Affected { occurrence, left, .. } in affected {
            let (reason, overriding) = (reason.clone(), overriding.clone());
            let command = AppointmentCommand::CancelAppointment { reason, by: *by, overriding };
            let target = Target::Existing(occurrence.appointment_id.uuid());
            let verdict = match left {
                Some(because) => Verdict::Left(because),
                None => match unit.decide::<Appointment>(target, command).await? {
                    Ok(()) => Verdict::Done(()),
                    Err(refusal) => Verdict::Refused(refusal),
                },
            };
            if !verdicts.add(occurrence.recurrence_id, verdict, *mode) {
                break;
            }
        }
        let command = SeriesCommand::CancelSeries { cancelling: self.cancelling.clone(), verdicts };
        unit.decide::<Series>(Target::Existing(self.id), command).await??;
        Ok(())
    }
}

/// An occurrence that a change is for, and why it leaves it alone, if it does.
struct Affected {
    occurrence: Occurrence,
    appointment: Appointment,
    left: Option<LeftBecause>,
}

/// The series, and what a change of it is for.
async fn affected(
    unit: &mut UnitContext<'_>,
    id: Uuid,
    which: Which,
) -> Result<(Series, Vec<Affected>), Abort> {
    let (series, _) = unit.load::<Series>(id).await?.ok_or_else(not_found)?;
    let series = if unit.is_limited() { seen(unit, series).await? } else { series };
    let occurrences = series.affected(which).map_err(Refusal::from)?;
    let mut affected = Vec::with_capacity(occurrences.len());
    for occurrence in occurrences {
        let found = unit.load::<Appointment>(occurrence.appointment_id.uuid()).await?;
        let (appointment, _) = found.unwrap_or_default();
        let left = LeftBecause::of(&appointment, unit.now());
        affected.push(Affected { occurrence, appointment, left });
    }
    Ok((series, affected))
}

/// The series as whoever gives the command sees it: of each of its appointments it is asked whether it is there.
async fn seen(unit: &mut UnitContext<'_>, series: Series) -> Result<Series, Abort> {
    let all: Vec<AppointmentId> = series.appointment_ids().collect();
    let mut there = BTreeSet::new();
    for appointment_id in all {
        if unit.load::<Appointment>(appointment_id.uuid()).await?.is_some() {
            there.insert(appointment_id);
        }
    }
    series.seen(|id| there.contains(&id)).ok_or_else(not_found)
}

fn not_found() -> Abort {
    Abort::Refused(SeriesRefusal::SeriesNotFound.into())
}
