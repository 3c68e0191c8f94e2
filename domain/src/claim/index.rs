//! An index of claims in memory: the one place that says when two claims conflict.

use std::collections::{BTreeMap, HashMap, hash_map};

use chrono::{DateTime, Utc};

use super::{Claim, ClaimConflict, Claimed};
use crate::time::Interval;
use crate::{AppointmentId, ResourceId};

/// A set of claims without overlaps.
///
/// The store fills one with the claims that could be in a batch's way and takes the batch's
/// claims in order; verification fills one with the whole log.
#[derive(Debug, Default)]
pub struct ClaimIndex {
    /// Per seat, by start. Entries never overlap, so the only one that can overlap an
    /// interval is among the last that starts before its end.
    seats: HashMap<(ResourceId, u16), BTreeMap<DateTime<Utc>, Claimed>>,
    by_holder: HashMap<AppointmentId, Vec<Claim>>,
}

impl ClaimIndex {
    /// Makes `claims` all that `holder` claims: takes all of them, or none and keeps what it had.
    /// Others whose hold has lapsed at `now` and conflicts lose it; these are returned.
    ///
    /// # Errors
    /// The first claim of another that conflicts.
    pub fn replace(
        &mut self,
        holder: AppointmentId,
        claims: Vec<Claim>,
        now: DateTime<Utc>,
    ) -> Result<Vec<AppointmentId>, ClaimConflict> {
        let before = self.release(holder);
        match self.take(holder, claims, now) {
            Ok(lost) => Ok(lost.into_iter().map(|(other, _)| other).collect()),
            Err(conflict) => {
                self.restore(holder, before);
                Err(conflict)
            }
        }
    }

    /// The same for several holders at once: all of it, or nothing. What they had is in none of
    /// their ways, so two can change places.
    ///
    /// # Errors
    /// The first claim that conflicts, of another or of one of these.
    pub fn replace_all(
        &mut self,
        wanted: &[(AppointmentId, Vec<Claim>)],
        now: DateTime<Utc>,
    ) -> Result<Vec<AppointmentId>, ClaimConflict> {
        let mut before: Vec<_> =
            wanted.iter().map(|(holder, _)| (*holder, self.release(*holder))).collect();
        let mut lapsed = Vec::new();
        for (holder, claims) in wanted {
            match self.take(*holder, claims.clone(), now) {
                Ok(lost) => {
                    lapsed.extend(lost.iter().map(|(other, _)| *other));
                    before.extend(lost);
                }
                Err(conflict) => {
                    for (holder, _) in wanted {
                        self.release(*holder);
                    }
                    for (holder, claims) in before {
                        self.restore(holder, claims);
                    }
                    return Err(conflict);
                }
            }
        }
        Ok(lapsed)
    }

    /// Takes claims if nothing but lapsed holds conflicts; whose these were, and all that they had.
    fn take(
        &mut self,
        holder: AppointmentId,
        claims: Vec<Claim>,
        now: DateTime<Utc>,
    ) -> Result<Vec<(AppointmentId, Vec<Claim>)>, ClaimConflict> {
        let lapsed = self.lapsed_conflicting(&claims, now)?;
        // All claims of one hold lapse together.
        let lost = lapsed.into_iter().map(|other| (other, self.release(other))).collect();
        self.restore(holder, claims);
        Ok(lost)
    }

    /// Puts back claims that are known to conflict with none: they were taken before.
    pub fn restore(&mut self, holder: AppointmentId, claims: Vec<Claim>) {
        for claim in &claims {
            let seat = self.seats.entry((claim.resource, claim.seat)).or_default();
            seat.insert(claim.during.start(), Claimed { claim: *claim, holder });
        }
        if !claims.is_empty() {
            match self.by_holder.entry(holder) {
                hash_map::Entry::Occupied(mut held) => held.get_mut().extend(claims),
                hash_map::Entry::Vacant(free) => {
                    free.insert(claims);
                }
            }
        }
    }

    /// Drops all that `holder` claims, and says what that was.
    pub fn release(&mut self, holder: AppointmentId) -> Vec<Claim> {
        let claims = self.by_holder.remove(&holder).unwrap_or_default();
        for claim in &claims {
            self.forget(claim);
        }
        claims
    }

    /// What `holder` claims.
    #[must_use]
    pub fn claims_of(&self, holder: AppointmentId) -> &[Claim] {
        self.by_holder.get(&holder).map_or(&[], Vec::as_slice)
    }

    /// What is claimed of a resource's first so many seats during that time, seat by seat.
    pub fn of(
        &self,
        resource: ResourceId,
        seats: u16,
        during: Interval,
    ) -> impl Iterator<Item = Claim> {
        (0..seats).flat_map(move |seat| {
            let claim = Claim { resource, seat, during, expires_at: None };
            self.conflicting(&claim).map(|entry| entry.claim)
        })
    }

    /// Whether there is any claim that overlaps this one.
    #[must_use]
    pub fn overlaps(&self, claim: &Claim) -> bool {
        self.conflicting(claim).next().is_some()
    }

    /// What each holder claims.
    pub fn iter(&self) -> impl Iterator<Item = (AppointmentId, &[Claim])> {
        self.by_holder.iter().map(|(holder, claims)| (*holder, claims.as_slice()))
    }

    /// Whose lapsed holds conflict with these claims.
    fn lapsed_conflicting(
        &self,
        claims: &[Claim],
        now: DateTime<Utc>,
    ) -> Result<Vec<AppointmentId>, ClaimConflict> {
        let mut lapsed = Vec::new();
        for other in claims.iter().flat_map(|claim| self.conflicting(claim)) {
            if !other.claim.has_lapsed(now) {
                return Err(ClaimConflict::from(other));
            }
            lapsed.push(other.holder);
        }
        Ok(lapsed)
    }

    fn conflicting(&self, claim: &Claim) -> impl Iterator<Item = &Claimed> + use<'_> {
        let during = claim.during;
        self.seats
            .get(&(claim.resource, claim.seat))
            .into_iter()
            .flat_map(move |seat| seat.range(..during.end()).rev())
            .map(|(_, entry)| entry)
            .take_while(move |entry| entry.claim.during.end() > during.start())
    }

    fn forget(&mut self, claim: &Claim) {
        if let Some(seat) = self.seats.get_mut(&(claim.resource, claim.seat)) {
            seat.remove(&claim.during.start());
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;

    fn minute(m: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(m)
    }

    fn claim(resource: u128, from: i64, to: i64) -> Claim {
        let during = Interval::new(minute(from), minute(to)).unwrap();
        let resource = ResourceId::from(Uuid::from_u128(resource));
        Claim { resource, seat: 0, during, expires_at: None }
    }

    fn holder(n: u128) -> AppointmentId {
        Uuid::from_u128(n).into()
    }

    #[test]
    fn all_claims_are_taken_or_none() {
        let mut index = ClaimIndex::default();
        let now = minute(0);
        index.replace(holder(1), vec![claim(1, 0, 30)], now).unwrap();
        let conflict = index.replace(holder(2), vec![claim(2, 0, 30), claim(1, 29, 40)], now);
        assert_eq!(conflict.unwrap_err().during, claim(1, 0, 30).during);
        index.replace(holder(3), vec![claim(2, 0, 30)], now).unwrap();
        index.replace(holder(4), vec![claim(1, 30, 40)], now).unwrap();
    }

    #[test]
    fn a_holder_never_conflicts_with_itself() {
        let mut index = ClaimIndex::default();
        let now = minute(0);
        index.replace(holder(1), vec![claim(1, 0, 30)], now).unwrap();
        index.replace(holder(1), vec![claim(1, 15, 45)], now).unwrap();
        index.replace(holder(2), vec![claim(1, 0, 15)], now).unwrap();
        assert!(index.replace(holder(3), vec![claim(1, 44, 50)], now).is_err());
    }

    #[test]
    fn a_lapsed_hold_conflicts_with_nothing() {
        let mut index = ClaimIndex::default();
        let hold = Claim { expires_at: Some(minute(10)), ..claim(1, 60, 90) };
        index.replace(holder(1), vec![hold], minute(0)).unwrap();
        assert!(index.replace(holder(2), vec![claim(1, 60, 90)], minute(9)).is_err());
        index.replace(holder(2), vec![claim(1, 60, 90)], minute(10)).unwrap();
        assert!(index.replace(holder(1), vec![claim(1, 60, 90)], minute(10)).is_err());
    }

    #[test]
    fn a_refused_claim_takes_nothing_from_a_lapsed_hold() {
        let mut index = ClaimIndex::default();
        let hold = Claim { expires_at: Some(minute(10)), ..claim(1, 60, 90) };
        index.replace(holder(1), vec![hold], minute(0)).unwrap();
        index.replace(holder(2), vec![claim(2, 60, 90)], minute(0)).unwrap();
        let both = vec![claim(1, 60, 90), claim(2, 60, 90)];
        assert!(index.replace(holder(3), both, minute(20)).is_err());
        assert_eq!(index.claims_of(holder(1)), [hold]);
        let lapsed = index.replace(holder(3), vec![claim(1, 60, 90)], minute(20)).unwrap();
        assert_eq!(lapsed, [holder(1)]);
    }

    #[test]
    fn several_take_all_or_nothing_and_evict_nobody_in_vain() {
        let mut index = ClaimIndex::default();
        let hold = Claim { expires_at: Some(minute(10)), ..claim(1, 60, 90) };
        index.replace(holder(1), vec![hold], minute(0)).unwrap();
        index.replace(holder(2), vec![claim(2, 60, 90)], minute(0)).unwrap();
        let both = [(holder(3), vec![claim(1, 60, 90)]), (holder(4), vec![claim(2, 60, 90)])];
        assert!(index.replace_all(&both, minute(20)).is_err());
        assert_eq!(index.claims_of(holder(1)), [hold]);
        assert!(index.claims_of(holder(3)).is_empty());
    }

    #[test]
    fn what_is_claimed_of_a_resource_is_told_seat_by_seat_for_a_time() {
        let mut index = ClaimIndex::default();
        let second = Claim { seat: 1, ..claim(1, 0, 30) };
        let all = [claim(1, 0, 30), claim(1, 30, 60), second, claim(2, 0, 60)];
        for (n, claim) in (1..).zip(all) {
            index.replace(holder(n), vec![claim], minute(0)).unwrap();
        }
        let of =
            |from, to| index.of(all[0].resource, 2, claim(1, from, to).during).collect::<Vec<_>>();
        assert_eq!(of(0, 30), [claim(1, 0, 30), second]);
        assert_eq!(of(29, 31), [claim(1, 30, 60), claim(1, 0, 30), second]);
        assert_eq!(of(60, 90), []);
    }

    #[test]
    fn two_can_change_places() {
        let mut index = ClaimIndex::default();
        let (early, late) = (claim(1, 0, 30), claim(1, 30, 60));
        index.replace_all(&[(holder(1), vec![early]), (holder(2), vec![late])], minute(0)).unwrap();
        index.replace_all(&[(holder(1), vec![late]), (holder(2), vec![early])], minute(0)).unwrap();
        assert_eq!(index.claims_of(holder(1)), [late]);
        assert_eq!(index.claims_of(holder(2)), [early]);
    }
}
