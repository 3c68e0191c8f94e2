//! Which columns a table has, by their names.

use csv::StringRecord;
use daybook_ical::text::excerpt;

use super::TableError;
use super::row::Row;

/// The names of columns, for whoever makes a table.
pub(super) const HELP: &str = "\
Columns of a CSV file, by their names in the first row; others are passed over:
  start            when it begins: 2027-06-01 09:00, 2027-06-01T09:00:00Z, or with `date` only 09:00
  end              when it ends; or `duration`, in minutes
  date, end date   the days, where `start` and `end` are times of day
  time zone        an IANA name; else --time-zone, else the tenant's
  id               what the row is called in each export; else it is known by its start, title and place
  title            what it is called
  category         of what kind it is (also: service, type)
  resource         where or with whom it is (also: calendar, provider, staff, location, room)
  status           a row is left out that says cancelled, canceled, declined or deleted
  tags             separated by commas (also: label)
  notes            free text about the client; their name, email and phone are added to it";

/// What a column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    Id,
    Start,
    StartDate,
    End,
    EndDate,
    Duration,
    TimeZone,
    Title,
    Category,
    Resource,
    Status,
    Tags,
    Notes,
    /// Something about the client.
    Client,
}

/// The names that each has in exports, in lower case, without what is no letter or digit.
const NAMES: [(Column, &[&str]); 14] = [
    (Column::Id, &["id", "uid", "appointmentid", "bookingid", "hash", "reference"]),
    (
        Column::Start,
        &["start", "starttime", "startdatetime", "startat", "startsat", "begin", "time", "from"],
    ),
    (Column::StartDate, &["date", "startdate", "day", "appointmentdate"]),
    (Column::End, &["end", "endtime", "enddatetime", "endat", "endsat", "finish", "to", "until"]),
    (Column::EndDate, &["enddate"]),
    (Column::Duration, &["duration", "durationminutes", "minutes", "length", "durationmin"]),
    (Column::TimeZone, &["timezone", "tz", "zone"]),
    (Column::Title, &["title", "summary", "subject", "event", "appointment"]),
    (
        Column::Category,
        &["category", "service", "services", "servicename", "type", "appointmenttype"],
    ),
    (
        Column::Resource,
        &[
            "resource",
            "calendar",
            "provider",
            "providername",
            "staff",
            "staffmember",
            "teammember",
            "employee",
            "location",
            "room",
        ],
    ),
    (Column::Status, &["status", "state", "appointmentstatus"]),
    (Column::Tags, &["tags", "label", "labels"]),
    (Column::Notes, &["notes", "note", "description", "comments", "appointmentnotes"]),
    (
        Column::Client,
        &[
            "client",
            "clientname",
            "customer",
            "customername",
            "name",
            "firstname",
            "lastname",
            "email",
            "clientemail",
            "customeremail",
            "phone",
            "phonenumber",
            "clientphone",
            "customerphone",
        ],
    ),
];

/// What each column of a table says; `None`: nobody knows.
#[derive(Debug, Clone)]
pub(super) struct Columns(Vec<Option<Column>>);

impl Columns {
    pub(super) fn of(header: &StringRecord) -> Result<Self, TableError> {
        let columns = Self(header.iter().map(column).collect());
        let has = |column| columns.0.contains(&Some(column));
        if has(Column::Start) || has(Column::StartDate) {
            return Ok(columns);
        }
        let found = header.iter().collect::<Vec<_>>().join(", ");
        Err(TableError::NoStart { found: excerpt(&found) })
    }

    pub(super) fn row<'r>(&self, record: &'r StringRecord, line: u32) -> Row<'r> {
        let known =
            self.0.iter().zip(record).filter_map(|(column, field)| Some(((*column)?, field)));
        Row::new(line, known.filter(|(_, field)| !field.is_empty()).collect())
    }
}

fn column(name: &str) -> Option<Column> {
    let letters: String =
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let named = NAMES.into_iter().find(|(_, names)| names.contains(&letters.as_str()));
    named.map(|(column, _)| column)
}
