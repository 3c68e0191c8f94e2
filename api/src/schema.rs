//! How the domain's types are written in JSON, as the document says it. Which type has which of these
//! forms is in `build.rs`.
//!
//! Words are the domain's own: they are written by its types, and a new one does not compile until it is
//! listed. Forms with parts are written down here once more; a test compares them with what the domain
//! writes.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use daybook_domain::Tag;
use daybook_domain::appointment::{CancelledBy, ConflictReason, MovedBy, Status};
use daybook_domain::client::{ErasureReason, LegalHoldReason, Reminding, RestrictionReason};
use daybook_domain::notice::Notices;
use daybook_domain::reminder::Why as WhyNotReminded;
use daybook_domain::resource::ResourceKind;
use daybook_domain::rights::{LinkAction, Scope};
use daybook_domain::sending::{
    Failure as ReminderFailure, Kind as MessageKind, Status as ReminderStatus,
};
use daybook_domain::series::{LeftBecause, Mode};
use daybook_domain::service::rules::Rule;
use daybook_domain::service::{Channel, Choose};
use daybook_domain::session::SessionStatus;
use daybook_domain::time::{Day, ExceptionKind, TimeOfDay};
use daybook_domain::waiting::Status as WaitingStatus;
use daybook_domain::{Category, Location, Metadata, MetadataKey, MetadataValue, Titles};
use daybook_store::calendar_feeds::Detail;
use daybook_store::feed::Privacy;
use daybook_store::issuers::{Algorithm, TokenType};
use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

/// A type whose values are written as words.
pub(crate) trait Words {
    /// One of all its words.
    fn words() -> Schema;
}

/// One of these words.
pub(crate) fn words<W: Serialize>(words: impl IntoIterator<Item = W>) -> Schema {
    let words = words.into_iter().filter_map(|word| serde_json::to_value(word).ok());
    let string = ObjectBuilder::new().schema_type(SchemaType::new(Type::String));
    string.enum_values(Some(words)).build().into()
}

macro_rules! words {
    ($($(#[doc = $doc:literal])+ $form:ident: $of:ident { $($word:ident),+ })+) => {$(
        $(#[doc = $doc])+
        pub(crate) struct $form;

        impl Words for $of {
            fn words() -> Schema {
                const _: fn($of) = |value| match value { $($of::$word)|+ => () };
                words([$($of::$word),+])
            }
        }

        impl PartialSchema for $form {
            fn schema() -> RefOr<Schema> {
                let mut schema = $of::words();
                if let Schema::Object(object) = &mut schema {
                    let doc = [$($doc),+].map(str::trim).join("\n");
                    object.description = Some(doc);
                }
                schema.into()
            }
        }

        impl ToSchema for $form {
            fn name() -> Cow<'static, str> {
                stringify!($form).into()
            }
        }
    )+};
}

words! {
    /// What has become of an appointment, in FHIR's words where they fit.
    AppointmentStatus: Status { Held, Booked, CheckedIn, Fulfilled, Cancelled, NoShow }

    /// On whose side an appointment was cancelled; that of nobody is the `system`.
    CancelledBySide: CancelledBy { Client, Staff, System }

    /// Why a client is erased (GDPR, Art. 17(1)).
    ReasonOfErasure: ErasureReason {
        Requested, ConsentWithdrawn, NoLongerNeeded, LegalObligation, Retention
    }

    /// Why what is known of a client is only kept (GDPR, Art. 18(1)).
    ReasonOfRestriction: RestrictionReason {
        AccuracyContested, UnlawfulProcessing, NeededForClaims, ObjectionPending
    }

    /// Why a client must not be erased (GDPR, Art. 17(3)).
    ReasonOfLegalHold: LegalHoldReason {
        LegalClaim, AuthorityRequest, RetentionDuty, InternalInvestigation
    }

    /// On whose side an appointment is moved.
    MovedBySide: MovedBy { Client, Staff }

    /// Why a resource cannot be had.
    ReasonOfConflict: ConflictReason { OutsideOpeningHours, ResourceRetired }

    /// A rule that can be overridden.
    RuleName: Rule {
        OfferedDuration, StartGrid, MinimumNotice, BookingHorizon, ReschedulingWindow,
        CancellationWindow, OpeningHours
    }

    /// Something that a key can be good for.
    ScopeName: Scope {
        Availability, Appointments, Analytics, Personal, Book, Manage, Privacy, Keys, Audit
    }

    /// How a token is signed (RFC 7518, RFC 8037).
    SignatureAlgorithm: Algorithm { Rs256, Ps256, Es256, EdDsa }

    /// What a token's `typ` is; case does not count, nor does `application/` before it.
    TypeOfToken: TokenType { AccessToken, Jwt }

    /// What a link is good for.
    LinkActionName: LinkAction { See, Move, Cancel }

    /// A person, a place or a thing.
    KindOfResource: ResourceKind { Staff, Room, Equipment }

    /// `public`: for whoever may read the appointment. `personal`: for whoever is told what is personal of its client.
    KindOfTitles: Titles { Public, Personal }

    /// `off`: clients are not told. `email`: they are told by mail when an appointment of theirs is booked, moved or cancelled, or
    /// offered to them.
    WayOfNotices: Notices { Off, Email }

    /// `time-off` closes, whatever else says; `extra-hours` open, also on a holiday.
    KindOfException: ExceptionKind { ExtraHours, TimeOff }

    /// All of them or none, or as many as can be.
    SeriesMode: Mode { AllOrNothing, BestEffort }

    /// Why a change did not reach an occurrence.
    ReasonLeft: LeftBecause { Begun, NotBooked }

    /// `first-free`: the first that is free, in the order of `among`, or else by name. `least-booked`: the
    /// one of which the fewest minutes are claimed on the local days up to that one, seven unless the tenant's
    /// `least_booked_days` say otherwise; equals take turns. `round-robin`: the one that longest
    /// ago was given an appointment for that local day.
    ChoiceOfResource: Choose { FirstFree, LeastBooked, RoundRobin }

    /// Whether personal data is told: `withheld`, it is left out.
    PersonalData: Privacy { Withheld, Told }

    /// What a message to a client is for.
    KindOfMessage: MessageKind { Reminder, Confirmation, Change, Cancellation, Offer }

    /// `full`: what each event is. `busy`: that there is one, and nothing else.
    CalendarDetail: Detail { Full, Busy }

    /// Whether a client is reminded of appointments: as their services say (`by-rule`), or never (`none`).
    ChoiceOfReminders: Reminding { ByRule, None }

    /// What has become of a reminder: it is to be due (`planned`), is being sent (`begun`), was taken on by a mail relay (`sent`), was not (`failed`), is
    /// not sent (`skipped`), is to be sent because somebody asked for it (`asked`), or was told to be due to whoever follows the log
    /// (`announced`).
    StatusOfReminder: ReminderStatus { Planned, Begun, Sent, Failed, Skipped, Asked, Announced }

    /// Whether what failed may be taken later (`transient`), never (`permanent`), or may have been taken (`unknown`).
    FailureOfReminder: ReminderFailure { Transient, Permanent, Unknown }

    /// Why nobody is reminded: the appointment is cancelled, has moved, or has begun or is over; the service has no such reminder any more; it is too
    /// late; a later reminder is due, too; the client wants none, is restricted, or has no
    /// address.
    WhyNobodyIsReminded: WhyNotReminded {
        Cancelled, Moved, Over, RuleGone, TooLate, Superseded, NotWanted, Restricted, NoAddress
    }

    /// How a client is reminded: by mail, or by whoever is told by a webhook that it is due (`ReminderDue`).
    ChannelOfReminder: Channel { Email, Webhook }

    /// What has become of a session.
    StatusOfSession: SessionStatus { Scheduled, Cancelled }

    /// A day of the week.
    DayOfWeek: Day { Mon, Tue, Wed, Thu, Fri, Sat, Sun }

    /// What has become of an entry of the waiting list.
    StatusOfEntry: WaitingStatus { Waiting, Offered, Taken, Lapsed, Left, Expired }
}

/// A label.
pub(crate) struct TagText;

impl PartialSchema for TagText {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new().schema_type(SchemaType::new(Type::String));
        schema.max_length(Some(Tag::MAX_CHARS)).build().into()
    }
}

impl ToSchema for TagText {
    fn name() -> Cow<'static, str> {
        "Tag".into()
    }
}

/// Texts that are not empty and have an end, where they stand in a list.
macro_rules! texts {
    ($($(#[$what:meta])+ $name:ident: $text:ident)+) => {$(
        $(#[$what])+
        pub(crate) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let schema = ObjectBuilder::new().schema_type(SchemaType::new(Type::String));
                schema.min_length(Some(1)).max_length(Some($text::MAX_CHARS)).build().into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($text).into()
            }
        }
    )+};
}

texts! {
    /// Which kind of appointment it is.
    CategoryText: Category
    /// Where something takes place.
    LocationText: Location
}

/// Pairs of texts.
pub(crate) struct Pairs;

impl PartialSchema for Pairs {
    fn schema() -> RefOr<Schema> {
        let text = |most: usize| {
            let text = ObjectBuilder::new().schema_type(SchemaType::new(Type::String));
            text.min_length(Some(1)).max_length(Some(most))
        };
        ObjectBuilder::new()
            .description(Some("What a caller keeps with something: texts by key."))
            .max_properties(Some(Metadata::MAX))
            .property_names(Some(text(MetadataKey::MAX_CHARS).build()))
            .additional_properties(Some(RefOr::T(Schema::from(
                text(MetadataValue::MAX_CHARS).build(),
            ))))
            .into()
    }
}

impl ToSchema for Pairs {
    fn name() -> Cow<'static, str> {
        "Metadata".into()
    }
}

/// Open on these days, from one local time to another; where that is
/// earlier, to that time of the day after.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents `OpeningWindow`")]
pub(crate) struct Window {
    /// `mon` to `sun`.
    #[schema(min_items = 1, example = json!(["mon", "tue"]))]
    days: Vec<DayOfWeek>,
    /// `HH:MM`.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "09:00")]
    from: String,
    /// `HH:MM`, up to `24:00`. `22:00` to `06:00` is open over midnight.
    #[schema(pattern = "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$", example = "17:00")]
    to: String,
    /// The first day on which it opens; left out: it always has.
    #[schema(example = "2027-09-01")]
    valid_from: Option<NaiveDate>,
    /// The last day on which it opens; left out: it always will.
    #[schema(example = "2028-06-30")]
    valid_until: Option<NaiveDate>,
}

/// When, in the resource's zone.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "it documents `LocalSpan`")]
pub(crate) enum ExceptionSpan {
    Days(ExceptionDays),
    Hours(ExceptionHours),
}

/// Whole days, both included.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents `LocalDays`")]
pub(crate) struct ExceptionDays {
    #[schema(example = "2027-07-05")]
    first: NaiveDate,
    #[schema(example = "2027-07-09")]
    last: NaiveDate,
}

/// From one local time to before another.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents `LocalHours`")]
pub(crate) struct ExceptionHours {
    /// `YYYY-MM-DDTHH:MM`.
    #[schema(format = "local-date-time", example = "2027-07-05T12:00")]
    from: String,
    /// `YYYY-MM-DDTHH:MM`.
    #[schema(format = "local-date-time", example = "2027-07-05T14:00")]
    to: String,
}

/// A price in whole minor units.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents `Price`")]
pub(crate) struct Money {
    /// How much, in the smallest unit of the currency: 0 to 1,000,000,000,000.
    #[schema(maximum = 1_000_000_000_000_u64, example = 45000)]
    amount_minor: u64,
    /// An ISO 4217 code.
    #[schema(pattern = "^[A-Z]{3}$", example = "NOK")]
    currency: String,
}

/// Of what of a tenant a key is good for something: what is left out is no limit, and all that are said count.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents `Limits`")]
pub(crate) struct KeyLimits {
    /// Only what takes place at one of these, letter for letter.
    #[schema(min_items = 1, max_items = 100)]
    locations: Option<Vec<LocationText>>,
    /// Only what has one of these resources.
    #[schema(min_items = 1, max_items = 100)]
    resource_ids: Option<Vec<Uuid>>,
    /// Only what is of one of these categories, however they are spelt.
    #[schema(min_items = 1, max_items = 100)]
    categories: Option<Vec<CategoryText>>,
    /// Only what is of this client.
    client_id: Option<Uuid>,
}

/// What a service needs a resource for, and which will do.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents `Role`")]
#[schema(as = Role)]
pub(crate) struct RoleForm {
    /// What it is called; no two roles of a service are called the same.
    #[schema(max_length = 80, example = "practitioner")]
    role: String,
    /// Only resources of this kind.
    kind: Option<ResourceKind>,
    /// Only resources that have all of these tags.
    #[schema(max_items = 20, required = false)]
    tags: Vec<TagText>,
    /// Only these, in the order in which they are preferred.
    #[schema(max_items = 100, required = false)]
    among: Vec<Uuid>,
    /// How many different resources fill it; all roles together take at most 16.
    #[schema(minimum = 1, maximum = 16, default = 1, required = false)]
    count: u8,
}

/// When a client is reminded: so many minutes before the start, or so many local days.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents `ReminderRule`")]
#[schema(as = ReminderRule)]
pub(crate) struct ReminderForm {
    /// So many minutes before the start: 1 to 86,400. This or `before_days`.
    #[schema(minimum = 1, maximum = 86400)]
    before_minutes: Option<u32>,
    /// So many local days before the start: 0 to 60.
    #[schema(maximum = 60, example = 1)]
    before_days: Option<u16>,
    /// With `before_days`, the local time of day; left out: that of the start. Local is what the clocks of the appointment's first
    /// resource show.
    #[schema(example = "18:00")]
    time: Option<TimeOfDay>,
    channel: ChannelOfReminder,
}

/// The rules by which a service is booked.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents `BookingRules`")]
pub(crate) struct Rules {
    /// The durations that a booking may choose from besides the service's own.
    #[schema(max_items = 50, required = false)]
    durations: Vec<DurationChoice>,
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
pub(crate) struct DurationChoice {
    /// 1 to 44,640 (31 days).
    #[schema(minimum = 1, maximum = 44640, example = 45)]
    minutes: u32,
    /// What it costs then; else what the service costs.
    price: Option<Money>,
}

/// An event as CloudEvents 1.0 has it.
#[derive(ToSchema)]
#[schema(as = CloudEvent)]
#[expect(dead_code, reason = "it documents `daybook_store::feed::CloudEvent`")]
pub(crate) struct CloudEventForm {
    #[schema(example = "1.0")]
    specversion: String,
    /// Its position in the tenant's log, 1, 2, 3, ... without a gap: what `after` takes.
    #[schema(example = "1041")]
    id: String,
    #[schema(example = "urn:daybook:log:clinic")]
    source: String,
    #[schema(example = "daybook.AppointmentBooked")]
    r#type: String,
    /// To what it happened: its kind and its id.
    #[schema(example = "appointment/0192f0c1-2d2f-7c51-9f0a-6a2f1f7d3b11")]
    subject: String,
    /// When it was recorded; never earlier than the position before it.
    time: DateTime<Utc>,
    #[schema(example = "application/json")]
    datacontenttype: String,
    #[schema(example = "urn:daybook:schema:AppointmentBooked:2.0")]
    dataschema: String,
    /// The position once more, in 20 digits: it can be compared as text.
    #[schema(example = "00000000000000001041")]
    sequence: String,
    /// The version of the subject after it.
    version: u64,
    /// Who did it.
    actor: Option<String>,
    /// What it belongs together with.
    correlationid: Option<String>,
    /// The event or command that caused it.
    causationid: Option<String>,
    /// The span that led to it, where its trace is known (W3C Trace Context).
    #[schema(example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
    traceparent: Option<String>,
    /// What happened: what each type of event says is in `/asyncapi.json`.
    #[schema(value_type = Object)]
    data: Value,
}

/// One of the events that a stream is made of (HTML standard, section 9.2).
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents what is sent")]
pub(crate) struct ServerSentEvent {
    /// The position up to which the log has been read: what `Last-Event-ID` takes.
    #[schema(example = "1041")]
    id: Option<String>,
    /// `end`: it is the last one; else it is left out.
    event: Option<String>,
    /// A CloudEvent in JSON; of the last one, why it is that.
    data: Option<String>,
    /// In how many milliseconds to come back.
    retry: Option<u32>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use daybook_domain::service::rules::BookingRules;
    use daybook_domain::service::{Price, ReminderRules, Roles};
    use daybook_domain::time::{LocalSpan, WeeklyHours};
    use serde::de::DeserializeOwned;
    use serde_json::json;

    use super::*;

    /// What the domain takes has exactly the members of its form.
    fn has_the_members_of<F: ToSchema, T: DeserializeOwned + Serialize>(written: &Value) {
        let read: T = serde_json::from_value(written.clone()).unwrap();
        let schema = serde_json::to_value(F::schema()).unwrap();
        let members = |value: &Value| {
            let members = value.as_object().unwrap().keys().cloned();
            members.collect::<std::collections::BTreeSet<_>>()
        };
        let one = |value: Value| value.as_array().map_or(value.clone(), |all| all[0].clone());
        let written = one(serde_json::to_value(&read).unwrap());
        assert_eq!(members(&schema["properties"]), members(&written), "{}", F::name());
    }

    #[test]
    fn forms_have_the_members_that_the_domain_reads_and_writes() {
        let price = json!({"amount_minor": 45_000, "currency": "NOK"});
        has_the_members_of::<Money, Price>(&price);
        has_the_members_of::<RoleForm, Roles>(&json!([{
            "role": "practitioner", "kind": "staff", "tags": ["x"],
            "among": [Uuid::nil()], "count": 2,
        }]));
        // Each rule has some of them, all together have all.
        let rules = json!([{"before_days": 1, "time": "18:00", "channel": "email"},
            {"before_minutes": 60, "channel": "email"}]);
        let rules: ReminderRules = serde_json::from_value(rules).unwrap();
        let written = serde_json::to_value(&rules).unwrap();
        let members =
            written.as_array().unwrap().iter().flat_map(|it| it.as_object().unwrap().keys());
        let schema = serde_json::to_value(ReminderForm::schema()).unwrap();
        let documented = schema["properties"].as_object().unwrap().keys();
        assert_eq!(members.collect::<BTreeSet<_>>(), documented.collect::<BTreeSet<_>>());
        has_the_members_of::<Rules, BookingRules>(&json!({
            "durations": [{"minutes": 45, "price": price}],
            "slot_step_minutes": 15, "slot_offset_minutes": 5, "minimum_notice_minutes": 1,
            "booking_horizon_days": 1, "rescheduling_window_minutes": 1,
            "cancellation_window_minutes": 1,
        }));
        has_the_members_of::<Window, WeeklyHours>(&json!([{
            "days": ["mon"], "from": "09:00", "to": "17:00",
            "valid_from": "2027-09-01", "valid_until": "2028-06-30",
        }]));
        for span in [
            json!({"days": {"first": "2027-07-05", "last": "2027-07-09"}}),
            json!({"hours": {"from": "2027-07-05T12:00", "to": "2027-07-05T14:00"}}),
        ] {
            let span: LocalSpan = serde_json::from_value(span).unwrap();
            let written = serde_json::to_value(span).unwrap();
            let forms = serde_json::to_value(ExceptionSpan::schema()).unwrap();
            let name = written.as_object().unwrap().keys().next().unwrap();
            let forms = forms["oneOf"].as_array().unwrap().iter();
            assert_eq!(forms.filter(|form| !form["properties"][name].is_null()).count(), 1);
        }
    }

    #[test]
    fn words_are_as_the_domain_writes_them() {
        let schema = serde_json::to_value(AppointmentStatus::schema()).unwrap();
        let words = ["held", "booked", "checked-in", "fulfilled", "cancelled", "no-show"];
        assert_eq!(schema["enum"], json!(words));
    }
}
