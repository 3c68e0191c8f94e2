//! Folders, tables, standard input, and what is only tried.

use std::io::Write as _;
use std::process::Stdio;

use super::*;

#[test]
fn a_folder_is_all_its_files_and_one_that_is_no_calendar_spoils_none() {
    let importer = an_importer();
    let folder = importer.folder.path().join("exports");
    fs::create_dir_all(folder.join("more")).unwrap();
    let calendar = |n: u32| {
        a_calendar(&[("Opening", &format!("2026060{n}T090000Z"), &format!("2026060{n}T100000Z"))])
            .replace("event-0", &format!("of-{n}"))
    };
    fs::write(folder.join("a.ics"), calendar(1)).unwrap();
    fs::write(folder.join("more/b.ics"), calendar(2)).unwrap();
    fs::write(folder.join("broken.ics"), &calendar(3)[..80]).unwrap();
    fs::write(folder.join("notes.txt"), "Nothing").unwrap();
    let done = Server::shared().database.import(&folder, &importer.tenant, &[]);
    assert_eq!(done.last_line(), "booked 2, already there 0, refused 0", "{done:#?}");
    assert!(done.stdout.contains("broken.ics is not imported: the file is truncated"), "{done:#?}");
    assert!(done.failed().contains("1 were refused"));
    importer.standing(2);
}

#[test]
fn a_table_is_a_calendar_by_other_means() {
    let importer = an_importer();
    let table = "Appointment ID,Start Time,End Time,First Name,Type,Calendar,Notes\n\
                 1,\"June 1, 2027 9:00 am\",\"June 1, 2027 9:30 am\",A.,Cut,Chair 1,Short\n\
                 2,\"June 1, 2027 9:15 am\",\"June 1, 2027 9:45 am\",A.,Cut,Chair 1,\n\
                 3,soon,later,A.,Cut,Chair 1,\n";
    let file = importer.folder.path().join("export.csv");
    fs::write(&file, table).unwrap();
    let import = || {
        Server::shared().database.import(&file, &importer.tenant, &["--time-zone", "Europe/Oslo"])
    };
    let done = import();
    assert_eq!(done.last_line(), "booked 1, already there 0, refused 2", "{done:#?}");
    for told in [
        "refused: line 3: Cut: Chair 1 is taken from 2027-06-01 09:00 to 2027-06-01 09:30 (Europe/Oslo)",
        "refused: line 4: Cut: start is not a day and a time (2027-06-01 09:00): \"soon\"",
    ] {
        assert!(done.stdout.lines().any(|line| line == told), "{told}: {done:#?}");
    }
    let found = eventually("it is there", || importer.found("category=Cut").pop());
    assert_eq!(found["start_at"], "2027-06-01T07:00:00Z");
    fs::write(&file, table.replace("9:00 am", "8:00 am").replace("9:30 am", "8:30 am")).unwrap();
    let again = import();
    assert_eq!(again.last_line(), "booked 1, moved 1, already there 0, refused 1", "{again:#?}");
}

#[test]
fn standard_input_is_a_file() {
    let importer = an_importer();
    let calendar = a_calendar(&[("Opening", "20260601T090000Z", "20260601T100000Z")]);
    let mut command =
        Server::shared().database.daybook(&["import", "-", "--tenant", &importer.tenant]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(calendar.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.ends_with("booked 1, already there 0, refused 0\n"), "{said}");
}

#[test]
fn a_dry_run_says_what_would_happen_and_makes_nothing() {
    let importer = an_importer();
    let tenant = format!("{}-new", importer.tenant);
    let calendar = a_calendar(&[
        ("Opening", "20260601T090000Z", "20260601T100000Z"),
        ("In its way", "20260601T093000Z", "20260601T103000Z"),
        ("Closing", "20260601T160000Z", "20260601T170000Z"),
    ]);
    let file = importer.folder.path().join("tried.ics");
    fs::write(&file, &calendar).unwrap();
    let database = &Server::shared().database;
    let tried = database.import(&file, &tenant, &["--dry-run"]);
    for line in [
        "would be booked: line 4: Opening: Hall, from 2026-06-01 09:00 to 2026-06-01 10:00 (UTC)",
        "would be refused: line 12: In its way: Hall is taken from 2026-06-01 09:00 to 2026-06-01 10:00 (UTC)",
        "nothing was changed; without --dry-run it would be:",
        "booked 2, already there 0, refused 1",
    ] {
        assert!(tried.stdout.lines().any(|found| found == line), "{line}: {tried:#?}");
    }
    assert!(tried.code != Some(0));
    assert!(database.run(&["tenant", "show", &tenant]).failed().contains("there is no tenant"));
    // What is there already is in the way, too.
    importer
        .imports(
            a_calendar(&[("First", "20260601T090000Z", "20260601T093000Z")])
                .replace("event-0", "x"),
        )
        .succeeded();
    let tried = database.import(&file, &importer.tenant, &["--dry-run"]);
    assert_eq!(tried.last_line(), "booked 2, already there 0, refused 1", "{tried:#?}");
    let in_the_way = "Opening: Hall is taken from 2026-06-01 09:00 to 2026-06-01 09:30 (UTC)";
    assert!(tried.stdout.contains(in_the_way), "{tried:#?}");
}

#[test]
fn the_help_names_the_columns_of_tables_and_a_wrong_option_says_what_is_right() {
    let database = &Server::shared().database;
    let help = database.run(&["import", "--help"]).succeeded();
    for column in ["start", "duration", "category", "resource", "notes"] {
        assert!(help.contains(column), "{column}: {help}");
    }
    let importer = an_importer();
    let calendar = a_calendar(&[("Opening", "20260601T090000Z", "20260601T100000Z")]);
    let wrong = importer.imports_with(&calendar, &["--category-from", "summary"]).failed();
    assert!(wrong.contains("summary-parentheses"), "{wrong}");
    let nobody = "00000000-0000-0000-0000-000000000001";
    let wrong = importer.imports_with(&calendar, &["--resource", nobody]).failed();
    assert!(wrong.contains(&format!("there is no resource {nobody}")), "{wrong}");
}
