//! How rules are written: flat, and each left out where it is not set.

use serde::{Deserialize, Serialize};

use super::{BookingRules, Durations, Grid, Horizon};
use crate::patch::{Change, PatchMisfit, Patches, patch};
use crate::time::{LeadTime, Step};

/// Rules that do not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// A grid begins before its second start.
    #[error(
        "slot_offset_minutes is less than slot_step_minutes, got {offset_minutes} and {}",
        step.minutes()
    )]
    OffsetTooLarge {
        /// From one start to the next.
        step: Step,
        /// From midnight to the first.
        offset_minutes: u32,
    },
    /// An offset of what?
    #[error("slot_offset_minutes needs slot_step_minutes")]
    OffsetWithoutStep,
}

/// A rule that this program does not know is not skipped: neither in a request nor in an event
/// that a later program has written.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    #[serde(default, skip_serializing_if = "Durations::is_empty")]
    durations: Durations,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slot_step_minutes: Option<Step>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slot_offset_minutes: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minimum_notice_minutes: Option<LeadTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    booking_horizon_days: Option<Horizon>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rescheduling_window_minutes: Option<LeadTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cancellation_window_minutes: Option<LeadTime>,
}

impl TryFrom<Form> for BookingRules {
    type Error = RulesError;

    fn try_from(form: Form) -> Result<Self, RulesError> {
        let grid = match (form.slot_step_minutes, form.slot_offset_minutes) {
            (None, None) => None,
            (None, Some(_)) => return Err(RulesError::OffsetWithoutStep),
            (Some(step), offset) => Some(Grid::new(step, offset.unwrap_or(0))?),
        };
        Ok(Self {
            durations: form.durations,
            grid,
            minimum_notice: form.minimum_notice_minutes,
            horizon: form.booking_horizon_days,
            rescheduling_window: form.rescheduling_window_minutes,
            cancellation_window: form.cancellation_window_minutes,
        })
    }
}

impl From<BookingRules> for Form {
    fn from(rules: BookingRules) -> Self {
        let offset = rules.grid.map(Grid::offset_minutes);
        Self {
            durations: rules.durations,
            slot_step_minutes: rules.grid.map(Grid::step),
            slot_offset_minutes: offset.filter(|offset| *offset > 0),
            minimum_notice_minutes: rules.minimum_notice,
            booking_horizon_days: rules.horizon,
            rescheduling_window_minutes: rules.rescheduling_window,
            cancellation_window_minutes: rules.cancellation_window,
        }
    }
}

patch! {
    /// What changes of a service's rules.
    RulesPatch of Form {
        durations: Change<Durations>,
        slot_step_minutes: Change<Step>,
        slot_offset_minutes: Change<u32>,
        minimum_notice_minutes: Change<LeadTime>,
        booking_horizon_days: Change<Horizon>,
        rescheduling_window_minutes: Change<LeadTime>,
        cancellation_window_minutes: Change<LeadTime>,
    }
}

/// Rules that go together may not do so with others.
impl Patches<BookingRules> for Change<RulesPatch> {
    fn patch(self, to: &mut BookingRules) -> Result<(), PatchMisfit> {
        let patch = match self {
            Self::Keep => return Ok(()),
            Self::Remove => {
                *to = BookingRules::default();
                return Ok(());
            }
            Self::To(patch) => patch,
        };
        let mut form = Form::from(to.clone());
        patch.patch(&mut form)?;
        *to = form
            .try_into()
            .map_err(|error: RulesError| PatchMisfit::new("rules", error.to_string()))?;
        Ok(())
    }
}
