//! How rules and prices are written, for the documentation.

use utoipa::ToSchema;
use uuid::Uuid;

use crate::routes::resources::Kind;

/// A price in whole minor units.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents `Price`")]
pub(crate) struct PriceForm {
    /// How much, in the smallest unit of the currency: 0 to 1,000,000,000,000.
    #[schema(maximum = 1_000_000_000_000_u64, example = 45000)]
    amount_minor: u64,
    /// An ISO 4217 code.
    #[schema(pattern = "^[A-Z]{3}$", example = "NOK")]
    currency: String,
}

/// What a service needs a resource for, and which will do.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents `Role`")]
pub(super) struct RoleForm {
    /// What it is called; no two roles of a service are called the same.
    #[schema(max_length = 80, example = "practitioner")]
    role: String,
    /// Only resources of this kind.
    kind: Option<Kind>,
    /// Only resources that have all of these tags.
    #[schema(max_items = 20)]
    tags: Option<Vec<String>>,
    /// Only these, in the order in which they are preferred.
    #[schema(max_items = 100)]
    among: Option<Vec<Uuid>>,
    /// How many different resources fill it; all roles together take at most 16.
    #[schema(minimum = 1, maximum = 16, default = 1)]
    count: Option<u8>,
}

/// `first-free`: the first that is free, in the order of `among`, or else by name. `least-booked`: the
/// one of which the fewest minutes are claimed on that local day. `round-robin`: the one that longest
/// ago was given an appointment for that local day.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "it documents `Choose`")]
pub(super) enum ChooseForm {
    FirstFree,
    LeastBooked,
    RoundRobin,
}

/// The rules by which a service is booked.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents `BookingRules`")]
pub(super) struct RulesForm {
    /// The durations that a booking may choose from besides the service's own.
    #[schema(max_items = 50)]
    durations: Option<Vec<DurationChoice>>,
    /// An appointment starts every so many minutes, counted from local midnight by what the clocks
    /// of each resource show: 1 to 1,440.
    #[schema(minimum = 1, maximum = 1440, example = 15)]
    slot_step_minutes: Option<u32>,
    /// Minutes from local midnight to the first start: less than the step.
    #[schema(maximum = 1439)]
    slot_offset_minutes: Option<u32>,
    /// It is booked and moved at least so many minutes ahead: 0 to 525,600 (a year).
    #[schema(maximum = 525_600, example = 120)]
    minimum_notice_minutes: Option<u32>,
    /// It is booked and moved at most so many days ahead, each resource's local date counting as
    /// a whole: 0 (today) to 3,650.
    #[schema(maximum = 3650, example = 60)]
    booking_horizon_days: Option<u32>,
    /// A client may move it until so many minutes before its start: 0 to 525,600.
    #[schema(maximum = 525_600, example = 1440)]
    rescheduling_window_minutes: Option<u32>,
    /// A client may cancel it until so many minutes before its start: 0 to 525,600.
    #[schema(maximum = 525_600, example = 1440)]
    cancellation_window_minutes: Option<u32>,
}

/// A duration that a booking may choose.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents `Choice`")]
pub(super) struct DurationChoice {
    /// 1 to 44,640 (31 days).
    #[schema(minimum = 1, maximum = 44640, example = 45)]
    minutes: u32,
    /// What it costs then; else what the service costs.
    price: Option<PriceForm>,
}
