//! Says once how the domain's types are written in JSON, for the document: utoipa's derives read it
//! wherever a field has such a type. The domain itself knows nothing of documents.

/// A type's name, and what it is written as.
const WRITTEN_AS: &[(&str, &str)] = &[
    // Ids.
    ("AppointmentId", "Uuid"),
    ("ClientId", "Uuid"),
    ("ExceptionId", "Uuid"),
    ("ResourceId", "Uuid"),
    ("ResourceIds", "Vec<Uuid>"),
    ("SeriesId", "Uuid"),
    ("ServiceId", "Uuid"),
    ("SessionId", "Uuid"),
    // Texts.
    ("Category", "String"),
    ("Location", "String"),
    ("Name", "String"),
    ("Personal", "String"),
    ("Reason", "String"),
    ("Reference", "String"),
    ("RuleText", "String"),
    ("Tags", "Vec<crate::schema::TagText>"),
    ("Title", "String"),
    // Times.
    ("Exdates", "Vec<String>"),
    ("Instant", "chrono::DateTime<chrono::Utc>"),
    ("LocalDate", "chrono::NaiveDate"),
    ("LocalDateTime", "String"),
    ("LocalSpan", "crate::schema::ExceptionSpan"),
    ("RecurrenceId", "String"),
    ("TimeOfDay", "String"),
    ("Tz", "String"),
    ("WeeklyHours", "Vec<crate::schema::Window>"),
    // Quantities.
    ("Buffer", "u32"),
    ("Capacity", "u16"),
    ("DailyLimit", "u16"),
    ("Duration", "u32"),
    ("ClientEntryLimit", "u16"),
    ("EntryLimit", "u16"),
    ("HoldLength", "u32"),
    ("HoldLimit", "u16"),
    ("ImportDays", "u16"),
    ("LeastBookedDays", "u16"),
    ("LeadTime", "u32"),
    ("OfferLength", "u32"),
    ("RetentionDays", "u16"),
    ("SessionPlaces", "u16"),
    ("ShiftDays", "i16"),
    // Words.
    ("Algorithm", "crate::schema::SignatureAlgorithm"),
    ("CancelledBy", "crate::schema::CancelledBySide"),
    ("Choose", "crate::schema::ChoiceOfResource"),
    ("ConflictReason", "crate::schema::ReasonOfConflict"),
    ("ErasureReason", "crate::schema::ReasonOfErasure"),
    ("ExceptionKind", "crate::schema::KindOfException"),
    ("LeftBecause", "crate::schema::ReasonLeft"),
    ("LegalHoldReason", "crate::schema::ReasonOfLegalHold"),
    ("Mode", "crate::schema::SeriesMode"),
    ("MovedBy", "crate::schema::MovedBySide"),
    ("ResourceKind", "crate::schema::KindOfResource"),
    ("RestrictionReason", "crate::schema::ReasonOfRestriction"),
    ("Titles", "crate::schema::KindOfTitles"),
    ("Rule", "crate::schema::RuleName"),
    ("Scopes", "Vec<crate::schema::ScopeName>"),
    ("SessionStatus", "crate::schema::StatusOfSession"),
    ("Status", "crate::schema::AppointmentStatus"),
    ("TokenType", "crate::schema::TypeOfToken"),
    ("WaitingStatus", "crate::schema::StatusOfEntry"),
    // What has parts.
    ("BookingRules", "crate::schema::Rules"),
    ("CloudEvent", "crate::schema::CloudEventForm"),
    ("Limits", "crate::schema::KeyLimits"),
    ("LinkActions", "Vec<crate::schema::LinkActionName>"),
    ("Metadata", "crate::schema::Pairs"),
    ("Price", "crate::schema::Money"),
    ("Roles", "Vec<crate::schema::RoleForm>"),
];

fn main() {
    let config = utoipa_config::Config::new();
    let config =
        WRITTEN_AS.iter().fold(config, |config, (name, form)| config.alias_for(name, form));
    config.write_to_file();
}
