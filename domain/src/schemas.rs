//! What events say, as JSON Schema.
//!
//! It is derived from their types, but by a test: that compares it with the file that the program has of it, so nothing of
//! this is compiled into the program.

/// For each event by its name its `version`, and the `schema` (draft 7) of what it says beside its type, with stored examples;
/// and the `schemas` that those refer to, as `#/components/schemas/...`.
pub const EVENT_SCHEMAS: &str = include_str!("../events.json");

/// How the name of a time zone is written, whose type is not ours.
#[cfg(test)]
pub(crate) enum ZoneName {}

#[cfg(test)]
impl schemars::JsonSchema for ZoneName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ZoneName".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "format": "time-zone"})
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::{env, fs};

    use cqrs_es::Aggregate;
    use schemars::generate::SchemaSettings;
    use schemars::{JsonSchema, SchemaGenerator};
    use serde_json::{Map, Value, json};

    use crate::AggregateEvent;
    use crate::aggregates;
    use crate::personal::PERSONAL_MEMBERS;
    use crate::testing::stored;

    /// An event, and the name of the schema of its type.
    struct Form {
        aggregate: &'static str,
        name: &'static str,
        version: &'static str,
        of: String,
    }

    struct Forms {
        generator: SchemaGenerator,
        all: Vec<Form>,
    }

    macro_rules! describe_each {
        ($($name:ident: $aggregate:ty, $id:ty, $refusal:ty;)+) => {
            fn describe_all(forms: &mut Forms) {
                $(forms.describe::<<$aggregate as Aggregate>::Event>(<$aggregate as Aggregate>::TYPE);)+
            }
        };
    }
    aggregates!(describe_each);

    impl Forms {
        fn new() -> Self {
            let settings = SchemaSettings::draft07().for_serialize();
            let settings =
                settings.with(|settings| settings.definitions_path = "/components/schemas".into());
            let mut forms = Self { generator: settings.into_generator(), all: Vec::new() };
            describe_all(&mut forms);
            forms
        }

        /// The events of an aggregate: each variant refers to its type.
        fn describe<E: AggregateEvent + JsonSchema>(&mut self, aggregate: &'static str) {
            let events = E::json_schema(&mut self.generator).to_value();
            for (&name, &version) in E::NAMES.iter().zip(E::VERSIONS) {
                let mut variants = events["oneOf"].as_array().unwrap().iter();
                let is = |it: &&Value| it["properties"]["type"]["const"] == *name;
                let of = variants.find(is).unwrap()["$ref"].as_str().unwrap();
                let of = of.rsplit('/').next().unwrap().to_owned();
                self.all.push(Form { aggregate, name, version, of });
            }
        }

        /// The members that are personal, by the type of aggregate.
        fn personal(mut self) -> BTreeMap<&'static str, BTreeSet<String>> {
            let schemas = self.generator.take_definitions(true);
            let mut personal: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
            for Form { aggregate, of, .. } in self.all {
                let places = personal.entry(aggregate).or_default();
                personal_places(&schemas[&of], &schemas, ("", &[]), places);
            }
            personal.retain(|_, members| !members.is_empty());
            personal
        }

        fn described(mut self) -> Value {
            let mut schemas = self.generator.take_definitions(true);
            schemas.values_mut().for_each(told);
            // Events of several aggregates may say the same.
            let events = self.all.iter().map(|Form { name, version, of, .. }| {
                let mut schema = schemas[of].clone();
                schema["examples"] = stored::told(name).into();
                ((*name).to_owned(), json!({"version": version, "schema": schema}))
            });
            let events: Map<String, Value> = events.collect();
            schemas.retain(|name, _| self.all.iter().all(|form| form.of != *name));
            json!({"events": events, "schemas": schemas})
        }
    }

    /// As it is told: what is absent is left out, what is personal may be, what is new may come to it, and the words are not
    /// those of a compiler.
    fn told(schema: &mut Value) {
        let Value::Object(members) = schema else { return };
        members.remove("additionalProperties");
        if let Some(Value::String(said)) = members.get_mut("description") {
            *said = in_plain_words(said);
            if said.starts_with("See `") {
                members.remove("description");
            }
        }
        let personal = personal_members(&Value::Object(members.clone()));
        if let Some(Value::Array(required)) = members.get_mut("required") {
            required.retain(|name| !personal.iter().any(|personal| name == personal));
            if required.is_empty() {
                members.remove("required");
            }
        }
        if let Some(Value::Array(types)) = members.get_mut("type") {
            types.retain(|one| one != "null");
            if let [one] = types.as_slice() {
                members["type"] = one.clone();
            }
        }
        if let Some(Value::Array(all)) = members.get_mut("anyOf") {
            all.retain(|one| one["type"] != "null");
            if all.len() == 1
                && let Value::Object(one) = all.remove(0)
            {
                members.remove("anyOf");
                // Beside a reference, nothing counts.
                if members.is_empty() || !one.contains_key("$ref") {
                    members.extend(one);
                } else {
                    members.insert("allOf".to_owned(), json!([one]));
                }
            }
        }
        for (keyword, value) in members {
            match value {
                Value::Object(all) if keyword == "properties" => all.values_mut().for_each(told),
                Value::Array(all) if ["allOf", "anyOf", "oneOf"].contains(&&**keyword) => {
                    all.iter_mut().for_each(told);
                }
                items if keyword == "items" => told(items),
                _ => {}
            }
        }
    }

    /// Without links into the code.
    fn in_plain_words(doc: &str) -> String {
        let doc = doc.replace("`None`", "Left out").replace("[`", "`");
        let mut parts = doc.split("`]");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |said, part| {
            let target = part.starts_with('(').then(|| part.find(')')).flatten();
            said + "`" + target.map_or(part, |end| &part[end + 1..])
        })
    }

    fn personal_members(schema: &Value) -> Vec<String> {
        let members = schema["properties"].as_object().into_iter().flatten();
        let personal = members.filter(|(_, member)| is_personal(member));
        personal.map(|(name, _)| name.clone()).collect()
    }

    /// Where what is personal stands in what a schema describes, which stands there and is of these. A schema can refer to itself.
    fn personal_places(
        schema: &Value,
        schemas: &Map<String, Value>,
        (before, of): (&str, &[&str]),
        places: &mut BTreeSet<String>,
    ) {
        let named = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
        if let Some(name) = named.filter(|name| !of.contains(name)) {
            let of = [of, &[name]].concat();
            personal_places(&schemas[name], schemas, (before, &of), places);
        }
        if schema["items"].is_object() {
            let each = format!("{before}*.");
            personal_places(&schema["items"], schemas, (&each, of), places);
        }
        for how in ["allOf", "anyOf", "oneOf"] {
            for part in schema[how].as_array().into_iter().flatten() {
                personal_places(part, schemas, (before, of), places);
            }
        }
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            if is_personal(member) {
                places.insert(format!("{before}{name}"));
            } else {
                let within = format!("{before}{name}.");
                personal_places(member, schemas, (&within, of), places);
            }
        }
    }

    fn is_personal(schema: &Value) -> bool {
        let parts = ["allOf", "anyOf"].into_iter().filter_map(|how| schema[how].as_array());
        schema["x-personal"] == true || parts.flatten().any(is_personal)
    }

    #[test]
    fn what_events_say_is_described_as_their_types_are() {
        let described = Forms::new().described();
        if env::var("DAYBOOK_EVENTS").is_ok_and(|what| what == "write") {
            let file = concat!(env!("CARGO_MANIFEST_DIR"), "/events.json");
            fs::write(file, serde_json::to_string_pretty(&described).unwrap() + "\n").unwrap();
            return;
        }
        let written: Value = serde_json::from_str(super::EVENT_SCHEMAS).unwrap();
        for part in ["events", "schemas"] {
            let names =
                |all: &Value| all[part].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            let anew = "`cargo xtask events` writes domain/events.json anew";
            assert_eq!(names(&described), names(&written), "{anew}");
            for name in names(&written) {
                assert_eq!(described[part][&name], written[part][&name], "{name}: {anew}");
            }
        }
    }

    #[test]
    fn what_is_withheld_is_what_is_personal() {
        let listed = PERSONAL_MEMBERS.iter().map(|(aggregate, members)| {
            (
                *aggregate,
                members.iter().map(|(place, _)| (*place).to_owned()).collect::<BTreeSet<_>>(),
            )
        });
        assert_eq!(Forms::new().personal(), listed.collect());
    }
}
