//! Isolation of tenants rests on a condition in each statement: here all statements of the sources are read for it.
//!
//! PostgreSQL's row level security would cost each statement a round trip (ADR 0052), so a statement that forgets its tenant is found
//! here instead, before it runs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The packages whose statements run in the program.
const SOURCES: [&str; 5] = ["store", "projections", "integrations", "api", "server"];

/// Statements that are about all tenants, or about rows that a key of another kind names: a file, a part of the statement, and why.
const OF_ALL: [(&str, &str, &str); 28] = [
    (
        "projections/src/analytics/set.rs",
        "FROM analysts a JOIN pg_roles",
        "whose rows a role may see is what is asked",
    ),
    (
        "projections/src/kit/table.rs",
        "SET {set} FROM {unnest} WHERE {found}",
        "`{found}` begins with the tenant, as each key does",
    ),
    (
        "projections/src/search/holds.rs",
        "hold_expires_at AS due_at",
        "holds of all that have lapsed",
    ),
    (
        "projections/src/waiting/list.rs",
        "statement_timestamp() AS due_at",
        "entries of all that are due",
    ),
    ("projections/src/reminders/list.rs", "next_at AS due_at", "reminders of all that are due"),
    ("projections/src/notices/list.rs", "next_at AS due_at", "notices of all that are due"),
    (
        "store/src/tenants.rs",
        "UPDATE tenants AS t",
        "`WHERE` stands in another text, which both forms share",
    ),
    (
        "store/src/imports.rs",
        "DELETE FROM imports WHERE begun_at",
        "what is old is forgotten for all",
    ),
    (
        "store/src/followers/look.rs",
        "SELECT tenant_id, follower_id FROM followers",
        "those that are due, of all",
    ),
    (
        "store/src/webhooks/deliveries.rs",
        "DELETE FROM webhook_deliveries WHERE ctid",
        "what is old is forgotten for all",
    ),
    ("store/src/log/answers.rs", "DELETE FROM commands", "pages of the table are cleared for all"),
    (
        "store/src/log/reader.rs",
        "SELECT tenant_id, position FROM log_heads",
        "the ends of all logs, for rebuilds and proofs",
    ),
    ("store/src/doctor/logs.rs", "TABLESAMPLE", "a sample of all logs"),
    (
        "store/src/engine/claims_cache.rs",
        "SELECT h.position, c.*",
        "`WHERE` is appended, with the tenant",
    ),
    ("store/src/personal/rotation.rs", "SELECT m.master_key_id", "master keys are of all tenants"),
    ("store/src/personal/rotation.rs", "SELECT tenant_id, key_id", "keys of all are wrapped anew"),
    (
        "store/src/personal/rotation.rs",
        "SELECT count(*) FROM personal_keys",
        "keys of all are counted",
    ),
    (
        "store/src/personal/erasure.rs",
        "SELECT tenant_id, client_id FROM erasures",
        "what was broken off is finished for all",
    ),
    (
        "store/src/personal/restriction.rs",
        "SELECT tenant_id, attempt_id",
        "what was broken off is finished for all",
    ),
    (
        "store/src/keys/used.rs",
        "UPDATE api_keys SET last_used_at",
        "by hashes of keys, which are unique",
    ),
    (
        "store/src/keys/rows.rs",
        "UPDATE api_keys SET revoked_at",
        "by the hash of a key that was found for its tenant",
    ),
    (
        "store/src/keys/rows.rs",
        "UPDATE api_keys SET expires_at",
        "by the hash of a key that was found for its tenant",
    ),
    (
        "projections/src/leftovers.rs",
        "WITH RECURSIVE begun",
        "names of projections, of all tenants",
    ),
    (
        "projections/src/checkpoint.rs",
        "SELECT tenant_id, position FROM checkpoints",
        "how far a projection is, for all",
    ),
    (
        "projections/src/schema.rs",
        "SELECT EXISTS (SELECT FROM log_heads",
        "whether anything has happened at all",
    ),
    ("projections/src/status.rs", "SELECT b.schema_name", "how far rebuilds are, over all"),
    (
        "projections/src/utilisation/list.rs",
        "SELECT count(*) FROM (SELECT FROM {schema}.taken",
        "`WHERE` is appended, with the tenant",
    ),
    (
        "projections/src/rebuild/state.rs",
        "SELECT tenant_id, target, position FROM build_tenants",
        "a rebuild is of all tenants",
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The Rust files below a folder that are part of the program.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            if !["tests", "testing"].contains(&&*name) {
                files(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "tests.rs"
        {
            found.push(path);
        }
    }
}

/// The texts in a source, without what is only for its tests.
fn literals(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]\nmod tests").next().unwrap();
    let source: Vec<&str> =
        source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let source = source.join("\n");
    let (mut texts, mut rest) = (Vec::new(), source.as_str());
    while let Some(at) = rest.find('"') {
        let raw = rest[..at].ends_with("r#");
        // A quote as a character is none.
        let is_character = rest[..at].ends_with('\'') || rest[..at].ends_with("'\\");
        rest = &rest[at + 1..];
        if is_character {
            continue;
        }
        let end = if raw { rest.find("\"#") } else { end_of(rest) };
        let Some(end) = end else { break };
        texts.push(rest[..end].split_whitespace().collect::<Vec<_>>().join(" "));
        rest = &rest[end + 1..];
    }
    texts
}

/// Where a text ends: at a quote that no backslash stands before.
fn end_of(rest: &str) -> Option<usize> {
    let mut escaped = false;
    rest.char_indices().find_map(|(at, character)| {
        let ends = character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
        ends.then_some(at)
    })
}

/// The tables that have a tenant's rows, by the migrations.
fn tables() -> BTreeSet<String> {
    let mut tables = BTreeSet::new();
    for entry in fs::read_dir(root().join("migrations")).unwrap() {
        let Ok(sql) = fs::read_to_string(entry.unwrap().path()) else { continue };
        for table in sql.split("CREATE TABLE ").skip(1) {
            let (name, rest) = table.split_once([' ', '(']).unwrap();
            if rest.split(");").next().unwrap().contains("tenant_id") {
                tables.insert(name.to_owned());
            }
        }
    }
    tables
}

/// Whether it reads or writes rows of tenants: of a table of the log, or of a projection's (`{schema}.table`).
fn is_about_tenants(statement: &str, tables: &BTreeSet<String>) -> bool {
    let words: Vec<&str> =
        statement.split([' ', '(', ')', ',', ';']).filter(|word| !word.is_empty()).collect();
    let verb = |word: &str| ["FROM", "JOIN", "UPDATE", "INTO"].contains(&word);
    words.windows(2).any(|pair| {
        verb(pair[0])
            && (tables.contains(pair[1]) || pair[1].starts_with('{') && pair[1].contains("}."))
    })
}

/// Whether it says of which tenant: by a condition, or as the first column of what it writes.
fn names_its_tenant(statement: &str) -> bool {
    let conditions = [
        "tenant_id =",
        "tenant_id >",
        "tenant_id <",
        "tenant_id IN",
        "USING (tenant_id",
        "tenant_id COLLATE \\\"C\\\" >",
    ];
    let pairs = statement.contains("(tenant_id, ")
        && [") = ", ") IN", ") >"].iter().any(|after| statement.contains(after));
    let writes = statement.split("INSERT INTO ").skip(1).any(|rest| {
        rest.split_once('(').is_some_and(|(_, columns)| {
            columns.starts_with("tenant_id") || columns.starts_with("schema_name, tenant")
        })
    });
    conditions.iter().any(|condition| statement.contains(condition)) || pairs || writes
}

/// Statements that are about tenants' rows and name no tenant, with the file of each; and how many there are that name one.
fn without_a_tenant() -> (Vec<(String, String)>, usize) {
    let (tables, mut found, mut count) = (tables(), Vec::new(), 0);
    for package in SOURCES {
        let mut paths = Vec::new();
        files(&root().join(package).join("src"), &mut paths);
        for path in paths {
            let source = fs::read_to_string(&path).unwrap();
            for statement in
                literals(&source).into_iter().filter(|text| is_about_tenants(text, &tables))
            {
                count += 1;
                if !names_its_tenant(&statement) {
                    let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                    found.push((name, statement));
                }
            }
        }
    }
    (found, count)
}

#[test]
fn each_statement_about_tenants_rows_says_of_which_tenant() {
    let (found, count) = without_a_tenant();
    assert!(count > 100, "the statements are found: {count}");
    let is_known = |file: &str, statement: &str| {
        OF_ALL.iter().any(|(known, part, _)| *known == file && statement.contains(part))
    };
    let forgotten: Vec<_> =
        found.iter().filter(|(file, statement)| !is_known(file, statement)).collect();
    assert!(
        forgotten.is_empty(),
        "these name no tenant (or belong into OF_ALL, with a reason): {forgotten:#?}"
    );
    for (file, part, why) in OF_ALL {
        let is_there =
            found.iter().any(|(other, statement)| other == file && statement.contains(part));
        assert!(is_there, "{file} has no such statement any more: {part} ({why})");
    }
}

#[test]
fn a_statement_without_its_condition_is_found() {
    let tables = tables();
    for table in ["events", "commands", "claims", "api_keys", "personal_keys"] {
        assert!(tables.contains(table), "{table}: {tables:?}");
    }
    let whole = "SELECT position FROM events WHERE tenant_id = $1 AND position > $2";
    assert!(is_about_tenants(whole, &tables) && names_its_tenant(whole));
    let spoilt = whole.replace("tenant_id = $1 AND ", "");
    assert!(is_about_tenants(&spoilt, &tables) && !names_its_tenant(&spoilt));
    assert!(!names_its_tenant("SELECT tenant_id FROM {schema}.clients WHERE client_id = $1"));
    assert_eq!(
        literals("let a = \"SELECT \\\"x\\\"\"; let b = '\"'; // \"no\"\nlet c = \"d\";"),
        ["SELECT \\\"x\\\"", "no", "d"]
    );
}
