//! Tables, as programs export them.

use std::io::Cursor;

use daybook_domain::Name;

use super::*;
use crate::calendar::{Entry, Place, RefusalReason, Wanted};
use crate::testing::{from_to, hours, note, reading, to_book};

fn all_of(table: &str) -> Vec<Result<Entry, Refusal>> {
    assert!(is_table(table.as_bytes()), "{table}");
    let mut file = TableFile::open(Cursor::new(table.as_bytes())).expect("the table is sound");
    let mut all = Vec::new();
    while let Some(group) = file.next_group(&reading()).expect("the table can be read") {
        all.extend(group.entries);
    }
    assert_eq!(all.len(), file.event_count());
    all
}

#[test]
fn a_row_is_an_appointment_with_what_its_columns_say() {
    let all = all_of(
        "id,start,end,title,category,resource,tags,notes\n\
         7,2027-06-01 09:00,2027-06-01 09:30,Fitting,Fittings,Room 9,\"new, vip\",\"Left\nknee\"\n\
         8,2027-06-01T09:00:00Z,2027-06-01T10:00:00+00:00,,,,,\n",
    );
    let fitting = to_book(&all[0]);
    assert_eq!(hours(fitting), from_to("2027-06-01T07:00", "2027-06-01T07:30"));
    assert_eq!(fitting.title.as_ref().map(daybook_domain::Title::as_str), Some("Fitting"));
    assert_eq!(fitting.category.as_ref().map(daybook_domain::Category::as_str), Some("Fittings"));
    assert_eq!(fitting.place, Place::Named(Name::new("Room 9").unwrap()));
    assert_eq!(
        fitting.tags.iter().map(daybook_domain::Tag::as_str).collect::<Vec<_>>(),
        ["new", "vip"]
    );
    assert_eq!(note(fitting), "Left\nknee");
    assert_eq!(all[0].as_ref().unwrap().line, 2);
    let bare = to_book(&all[1]);
    assert_eq!(hours(bare), from_to("2027-06-01T09:00", "2027-06-01T10:00"));
    assert_eq!(bare.place, Place::Calendar(Name::new("week").unwrap()));
    assert_eq!(all[1].as_ref().unwrap().uid, "8");
}

/// The columns of three programs' exports, with rows of our own.
#[test]
fn exports_of_booking_programs_are_read_as_they_are() {
    let acuity = all_of(
        "Start Time,End Time,First Name,Last Name,Phone,Email,Type,Calendar,Appointment Price,Paid?,Notes,Label,Appointment ID\n\
         \"June 1, 2027 9:00 am\",\"June 1, 2027 9:45 am\",A.,Client,+47 22 00 00 00,a@example.org,Cut,Chair 1,30.00,no,Short,first,4711\n",
    );
    let cut = to_book(&acuity[0]);
    assert_eq!(hours(cut), from_to("2027-06-01T07:00", "2027-06-01T07:45"));
    assert_eq!(cut.category.as_ref().map(daybook_domain::Category::as_str), Some("Cut"));
    assert_eq!(note(cut), "A., Client, +47 22 00 00 00, a@example.org\n\nShort");
    assert_eq!(cut.place, Place::Named(Name::new("Chair 1").unwrap()));
    let square = all_of(
        "Date;Start time;End time;Client;Service;Staff;Status\n\
         2027-06-01;9:00 AM;10:00 AM;A. Client;Cut;Chair 2;Accepted\n\
         2027-06-02;9:00 AM;10:00 AM;A. Client;Cut;Chair 2;Cancelled\n",
    );
    assert_eq!(hours(to_book(&square[0])), from_to("2027-06-01T07:00", "2027-06-01T08:00"));
    assert_eq!(square[1].as_ref().unwrap().wanted, Wanted::Cancelled);
    let easy = all_of(
        "id\tstart_datetime\tend_datetime\tnotes\tprovider\tservice\thash\n\
         3\t2027-06-01 09:00:00\t2027-06-01 09:20:00\t\tChair 3\tCut\tab12\n",
    );
    assert_eq!(hours(to_book(&easy[0])), from_to("2027-06-01T07:00", "2027-06-01T07:20"));
}

#[test]
fn a_row_that_cannot_be_read_says_which_column_and_the_others_are_read() {
    let all = all_of(
        "start,duration,time zone,title\n\
         tomorrow,30,,A\n\
         2027-06-01 09:00,soon,,B\n\
         2027-06-01 09:00,30,Mars/Base,C\n\
         03/04/2027 09:00,30,,D\n\
         9999-06-01 09:00,30,,E\n\
         2027-06-01 09:00,0,,F\n\
         2027-06-01 09:00,90 min,America/Denver,G\n\
         ,30,,\n",
    );
    let reasons: Vec<String> =
        all[..6].iter().map(|entry| entry.as_ref().unwrap_err().to_string()).collect();
    assert_eq!(
        reasons,
        [
            "line 2: A: start is not a day and a time (2027-06-01 09:00): \"tomorrow\"",
            "line 3: B: duration is not a number of minutes: \"soon\"",
            "line 4: C: the time zone \"Mars/Base\" is not known",
            "line 5: D: start is not a day and a time (2027-06-01 09:00): \"03/04/2027 09:00\"",
            "line 6: E: it is in the year 9998; only the years 1970 to 2199 can be booked",
            "line 7: F: its end is not after its start",
        ]
    );
    assert_eq!(hours(to_book(&all[6])), from_to("2027-06-01T15:00", "2027-06-01T16:30"));
    let reason = &all[7].as_ref().unwrap_err().reason;
    assert!(matches!(reason, RefusalReason::Field { column: "start", .. }), "{reason:?}");
}

#[test]
fn what_is_no_table_of_appointments_is_none() {
    for text in ["", "BEGIN:VCALENDAR\n", "Dear all, we start at nine.\n", "a,b\n1,2\n", "start\n"]
    {
        assert!(!is_table(text.as_bytes()), "{text:?}");
    }
    let open = |table: &str| TableFile::open(Cursor::new(table.as_bytes().to_vec()));
    let error = open("a,b\n1,2\n").unwrap_err().to_string();
    assert_eq!(error, "the table has no column \"start\"; it has a, b");
    assert!(open("start,end\n1,2,3\n").is_err(), "a row has more fields than there are columns");
    assert!(is_table("\u{feff}Start,End\n".as_bytes()));
}

#[test]
fn a_row_without_an_id_is_the_same_in_every_table() {
    let uid = |table: &str| all_of(table)[0].as_ref().unwrap().uid.clone();
    let one = uid("start,duration,title\n2027-06-01 09:00,30,Cut\n");
    assert_eq!(one, uid("title;start;duration;notes\nCut;2027-06-01T09:00;45;Short\n"));
    assert_ne!(one, uid("start,duration,title\n2027-06-01 10:00,30,Cut\n"));
}

#[test]
fn the_help_names_the_columns() {
    for name in
        ["start", "end", "duration", "date", "time zone", "id", "title", "category", "resource"]
    {
        assert!(HELP.contains(&format!("\n  {name}")) || HELP.contains(name), "{name}");
    }
}
