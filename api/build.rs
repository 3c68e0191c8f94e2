//! Says once how the domain's types are written in JSON, for the document: utoipa's derives read it
//! wherever a field has such a type. The domain itself knows nothing of documents.
//!
//! And says of which sources the program is: what one program has cached, another must not take for its own.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

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
    ("Position", "u64"),
    ("SessionPlaces", "u16"),
    ("ShiftDays", "i16"),
    // Words.
    ("Algorithm", "crate::schema::SignatureAlgorithm"),
    ("CancelledBy", "crate::schema::CancelledBySide"),
    ("Detail", "crate::schema::CalendarDetail"),
    ("Choose", "crate::schema::ChoiceOfResource"),
    ("ConflictReason", "crate::schema::ReasonOfConflict"),
    ("ErasureReason", "crate::schema::ReasonOfErasure"),
    ("ExceptionKind", "crate::schema::KindOfException"),
    ("LeftBecause", "crate::schema::ReasonLeft"),
    ("LegalHoldReason", "crate::schema::ReasonOfLegalHold"),
    ("Mode", "crate::schema::SeriesMode"),
    ("MovedBy", "crate::schema::MovedBySide"),
    ("Privacy", "crate::schema::PersonalData"),
    ("ResourceKind", "crate::schema::KindOfResource"),
    ("ReminderFailure", "crate::schema::FailureOfReminder"),
    ("ReminderStatus", "crate::schema::StatusOfReminder"),
    ("Reminding", "crate::schema::ChoiceOfReminders"),
    ("RestrictionReason", "crate::schema::ReasonOfRestriction"),
    ("MessageKind", "crate::schema::KindOfMessage"),
    ("Titles", "crate::schema::KindOfTitles"),
    ("Notices", "crate::schema::WayOfNotices"),
    ("Rule", "crate::schema::RuleName"),
    ("Scopes", "Vec<crate::schema::ScopeName>"),
    ("SessionStatus", "crate::schema::StatusOfSession"),
    ("Status", "crate::schema::AppointmentStatus"),
    ("TokenType", "crate::schema::TypeOfToken"),
    ("WaitingStatus", "crate::schema::StatusOfEntry"),
    ("WhyNotReminded", "crate::schema::WhyNobodyIsReminded"),
    // What has parts.
    ("BookingRules", "crate::schema::Rules"),
    ("CloudEvent", "crate::schema::CloudEventForm"),
    ("Limits", "crate::schema::KeyLimits"),
    ("LinkActions", "Vec<crate::schema::LinkActionName>"),
    ("Metadata", "crate::schema::Pairs"),
    ("Price", "crate::schema::Money"),
    ("ReminderRule", "crate::schema::ReminderForm"),
    ("ReminderRules", "Vec<crate::schema::ReminderForm>"),
    ("Roles", "Vec<crate::schema::RoleForm>"),
];

/// All that an answer can depend on: what is in these folders and files.
const SOURCES: [&str; 8] = [
    "../domain/src",
    "../ical/src",
    "../wording/src",
    "../store/src",
    "../projections/src",
    "src",
    "../migrations",
    "../Cargo.lock",
];

/// Tells the program of which sources it is built, as a name: programs of other sources have another one.
fn name_sources() {
    let mut files = Vec::new();
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
        add_files(Path::new(source), &mut files);
    }
    files.sort();
    // Of one compiler it is the same on all machines.
    let mut hasher = DefaultHasher::new();
    for path in files {
        path.hash(&mut hasher);
        fs::read(&path).unwrap_or_default().hash(&mut hasher);
    }
    println!("cargo::rustc-env=DAYBOOK_SOURCES={:016x}", hasher.finish());
}

fn add_files(path: &Path, files: &mut Vec<PathBuf>) {
    match fs::read_dir(path) {
        Ok(entries) => entries.flatten().for_each(|entry| add_files(&entry.path(), files)),
        Err(_) => files.push(path.to_owned()),
    }
}

fn main() {
    name_sources();
    println!("cargo::rerun-if-changed=build.rs");
    let config = utoipa_config::Config::new();
    let config =
        WRITTEN_AS.iter().fold(config, |config, (name, form)| config.alias_for(name, form));
    config.write_to_file();
}
