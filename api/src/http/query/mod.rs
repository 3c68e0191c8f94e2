//! Query parameters: a set of them is declared once, as the type that they are parsed into, and from
//! that declaration comes what the document says of them.
//!
//! * [`query_params`] declares a set; [`Query`] takes it out of a request.
//! * `value`: what one parameter can be. A type parses and describes itself, each error with the type of
//!   problem that is its own; serde's errors are text, and it cannot tell a date from an id.

mod value;

use std::fmt::Display;
use std::ops::Deref;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::schema::{ArrayBuilder, Schema};
use utoipa::openapi::{RefOr, Required};

use super::Problem;
use crate::App;
pub(crate) use value::{Value, Within, invalid_date, invalid_range, of_our_format, one_of, string};

/// The query of a request: these parameters and no others. A misspelt filter must not silently show
/// everything, nor a misspelt `dry_run` be the real thing.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: ParameterSet> FromRequestParts<App> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        parts.extensions.insert(Taken);
        read(&parts.uri, &parts.headers).map(Self)
    }
}

/// The same of a whole request: the parameters of a command, which has no others.
pub(super) fn take<T: ParameterSet>(request: &mut Request) -> Result<T, Problem> {
    request.extensions_mut().insert(Taken);
    read(request.uri(), request.headers())
}

pub(crate) fn read<T: ParameterSet>(uri: &Uri, headers: &HeaderMap) -> Result<T, Problem> {
    let mut pairs = Pairs::parse(uri.query().unwrap_or_default())?;
    pairs.add_headers(headers)?;
    let set = T::take(&mut pairs)?;
    pairs.finish().map(|()| set)
}

/// The query of a route that has no parameters.
pub(crate) struct NoQuery;

impl<S: Sync> FromRequestParts<S> for NoQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Pairs::parse(parts.uri.query().unwrap_or_default())?.finish().map(|()| Self)
    }
}

/// That a route has parameters, as an extension of its requests: a command's query is empty unless the
/// route says otherwise.
#[derive(Clone, Copy)]
pub(super) struct Taken;

/// Parameters that belong together. See [`query_params`].
pub(crate) trait ParameterSet: IntoParams + Sized {
    /// Takes them out of a query.
    fn take(pairs: &mut Pairs) -> Result<Self, Problem>;
}

/// Declares a set of query parameters: a struct whose fields are [`Field`]s, with the text of the
/// document, and after them the sets that it includes (`..days: Days`).
macro_rules! query_params {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $($(#[doc = $doc:literal])+ $field:ident: $type:ty,)*
            $(..$set:ident: $set_type:ty,)*
        }
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $($(#[doc = $doc])+ pub(crate) $field: $type,)*
            $(pub(crate) $set: $set_type,)*
        }

        impl $crate::http::query::ParameterSet for $name {
            fn take(
                pairs: &mut $crate::http::query::Pairs,
            ) -> Result<Self, $crate::http::Problem> {
                Ok(Self {
                    $($field: pairs.take(stringify!($field))?,)*
                    $($set: $crate::http::query::ParameterSet::take(pairs)?,)*
                })
            }
        }

        impl utoipa::IntoParams for $name {
            fn into_params(
                place: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
            ) -> Vec<utoipa::openapi::path::Parameter> {
                let all = [
                    $($crate::http::query::describe::<$type>(
                        stringify!($field),
                        &[$($doc),+],
                    ),)*
                    $(<$set_type>::into_params(&place),)*
                ];
                let _ = place;
                all.concat()
            }
        }
    };
}
pub(crate) use query_params;

/// What a parameter is in a set: it must be given, may be given, or may be given more than once.
pub(crate) trait Field: Sized {
    const REQUIRED: bool = false;
    const REPEATS: bool = false;

    /// Reads it from all that was given under its name, none of which is empty.
    fn read(name: &'static str, given: Vec<String>) -> Result<Self, Problem>;

    fn schema() -> Schema;
}

impl<T: Value> Field for T {
    const REQUIRED: bool = true;

    fn read(name: &'static str, given: Vec<String>) -> Result<Self, Problem> {
        Option::read(name, given)?.ok_or_else(|| invalid(name, "it must be given"))
    }

    fn schema() -> Schema {
        T::schema()
    }
}

impl<T: Value> Field for Option<T> {
    fn read(name: &'static str, given: Vec<String>) -> Result<Self, Problem> {
        match given.as_slice() {
            [] => Ok(None),
            [text] => T::read(name, text).map(Some),
            _ => Err(invalid(name, "given more than once")),
        }
    }

    fn schema() -> Schema {
        T::schema()
    }
}

/// Several: the parameter is given several times. A comma is a character like any other.
impl<T: Value> Field for Vec<T> {
    const REPEATS: bool = true;

    fn read(name: &'static str, given: Vec<String>) -> Result<Self, Problem> {
        given.iter().map(|text| T::read(name, text)).collect()
    }

    fn schema() -> Schema {
        ArrayBuilder::new().items(RefOr::T(T::schema())).build().into()
    }
}

/// The values of a filter, of which any will do; none where it is not asked for.
pub(crate) struct Several<T>(Vec<T>);

impl<T> Several<T> {
    /// Each is looked for by itself.
    pub(crate) const MAX: usize = 50;
}

impl<T> From<Vec<T>> for Several<T> {
    fn from(values: Vec<T>) -> Self {
        Self(values)
    }
}

impl<T> Deref for Several<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> IntoIterator for Several<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<T: Value> Field for Several<T> {
    const REPEATS: bool = true;

    fn read(name: &'static str, given: Vec<String>) -> Result<Self, Problem> {
        if given.len() > Self::MAX {
            let why = format!("it has at most {} values, got {}", Self::MAX, given.len());
            return Err(invalid(name, why));
        }
        Field::read(name, given).map(Self)
    }

    fn schema() -> Schema {
        let items = RefOr::T(T::schema());
        ArrayBuilder::new().items(items).max_items(Some(Self::MAX)).build().into()
    }
}

/// The header that can be sent instead of a parameter, by its name: what is sent with every request, whatever its
/// route, is easier to add as a header. The parameter goes before it.
const HEADER_FORMS: [(&str, &str); 1] = [("min_position", "Daybook-Min-Position")];

/// What the document says of a parameter, and of the header that can be sent instead.
pub(crate) fn describe<T: Field>(name: &str, doc: &[&str]) -> Vec<Parameter> {
    let doc: Vec<&str> = doc.iter().map(|line| line.trim()).collect();
    let required = if T::REQUIRED { Required::True } else { Required::False };
    let described = |name: &str, place, required, doc: String| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(required)
            .description(Some(doc))
            .schema(Some(RefOr::T(T::schema())))
            // `name=a&name=b`.
            .style(T::REPEATS.then_some(ParameterStyle::Form))
            .explode(T::REPEATS.then_some(true))
            .build()
    };
    let header = HEADER_FORMS.iter().find(|(parameter, _)| *parameter == name);
    let header = header.map(|(_, header)| {
        let doc = format!("The same as `{name}`, which goes before it.");
        described(header, ParameterIn::Header, Required::False, doc)
    });
    let parameter = described(name, ParameterIn::Query, required, doc.join("\n"));
    std::iter::once(parameter).chain(header).collect()
}

/// How many parameters a query has at most: who asks for 200 resources names each.
pub(crate) const MAX_PARAMETERS: usize = 256;

/// The names and values of a query that have not been taken.
pub(crate) struct Pairs {
    given: Vec<(String, String)>,
    /// What is taken where nothing is given: what headers say.
    otherwise: Vec<(&'static str, String)>,
}

impl Pairs {
    /// The longest value of a parameter, in bytes.
    pub(crate) const MAX_VALUE_BYTES: usize = 2_000;

    fn parse(query: &str) -> Result<Self, Problem> {
        let parameters = query.bytes().filter(|byte| *byte == b'&').count() + 1;
        if parameters > MAX_PARAMETERS {
            let why = format!("it has at most {MAX_PARAMETERS} parameters");
            return Err(invalid("the query", why));
        }
        if let Some(pair) = query.split('&').find(|pair| !is_utf_8(pair)) {
            let name = pair.split('=').next().unwrap_or_default();
            return Err(invalid(name, "what is percent-encoded is UTF-8"));
        }
        let given: Vec<(String, String)> =
            serde_urlencoded::from_str(query).map_err(|error| invalid("the query", error))?;
        for (name, value) in &given {
            if value.len() > Self::MAX_VALUE_BYTES || value.contains(char::is_control) {
                return Err(invalid(name, "too long, or with control characters"));
            }
        }
        Ok(Self { given, otherwise: Vec::new() })
    }

    fn add_headers(&mut self, headers: &HeaderMap) -> Result<(), Problem> {
        for (name, header) in HEADER_FORMS {
            if let Some(value) = headers.get(header) {
                let value = value.to_str().map_err(|error| invalid(header, error))?;
                self.otherwise.push((name, value.to_owned()));
            }
        }
        Ok(())
    }

    /// Takes a parameter. One that is empty is a mistake: were it left out, a filter whose value somebody forgot would
    /// show everything, and `?dry_run=` be the real thing.
    pub(crate) fn take<T: Field>(&mut self, name: &'static str) -> Result<T, Problem> {
        let given = self.given.extract_if(.., |(given, _)| given == name);
        let given: Vec<String> = given.map(|(_, value)| value).collect();
        let otherwise = self.otherwise.iter().filter(|(other, _)| *other == name);
        let otherwise: Vec<String> = otherwise.map(|(_, value)| value.clone()).collect();
        if given.iter().chain(&otherwise).any(String::is_empty) {
            return Err(invalid(name, EMPTY));
        }
        if otherwise.is_empty() {
            return T::read(name, given);
        }
        // What goes before it does not make it right.
        let said_otherwise = T::read(name, otherwise)?;
        if given.is_empty() { Ok(said_otherwise) } else { T::read(name, given) }
    }

    /// Takes what was given as `name[key]=value`: keys and values.
    pub(crate) fn take_keyed(&mut self, name: &str) -> Vec<(String, String)> {
        let key = |given: &str| {
            let keyed = given.strip_prefix(name)?.strip_prefix('[')?.strip_suffix(']')?;
            Some(keyed.to_owned())
        };
        let taken = self.given.extract_if(.., |(given, _)| key(given).is_some());
        taken.filter_map(|(given, value)| Some((key(&given)?, value))).collect()
    }

    /// Refuses whatever has not been taken.
    fn finish(self) -> Result<(), Problem> {
        match self.given.first() {
            None => Ok(()),
            Some((name, _)) => Err(invalid(name, "this route has no such parameter")),
        }
    }

    /// Refuses the parameters of a request whose route has none.
    pub(super) fn none_in(query: Option<&str>) -> Result<(), Problem> {
        query.map_or(Ok(()), |query| Self::parse(query)?.finish())
    }
}

/// Whether what is percent-encoded is UTF-8. Whoever decodes it all the same reads another text than was sent.
fn is_utf_8(pair: &str) -> bool {
    let raw = pair.as_bytes();
    let digit = |at: usize| raw.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let (mut bytes, mut at) = (Vec::with_capacity(raw.len()), 0);
    while let Some(byte) = raw.get(at) {
        let encoded = digit(at + 1).zip(digit(at + 2)).filter(|_| *byte == b'%');
        let encoded = encoded.and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        bytes.push(encoded.unwrap_or(*byte));
        at += if encoded.is_some() { 3 } else { 1 };
    }
    std::str::from_utf8(&bytes).is_ok()
}

/// Why a parameter that says nothing is refused.
const EMPTY: &str = "it is empty: give it a value, or leave it out";

/// A parameter that is not understood.
pub(crate) fn invalid(name: &str, why: impl Display) -> Problem {
    let name: String = name.chars().take(64).collect();
    let problem = Problem::bad_query(
        "invalid-query",
        "The query is not understood",
        format!("{name}: {why}"),
    );
    problem.with("parameter", name)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use serde_json::json;

    use super::*;

    query_params! {
        /// A page.
        struct Page {
            /// The most items.
            limit: Option<u32>,
        }
    }

    query_params! {
        /// Filters.
        struct Filters {
            /// From this day on.
            from: NaiveDate,
            /// One tag
            /// or several.
            tags: Vec<String>,
            ..page: Page,
        }
    }

    fn read(query: &str) -> Result<Filters, Problem> {
        let mut pairs = Pairs::parse(query)?;
        let filters = Filters::take(&mut pairs)?;
        pairs.finish().map(|()| filters)
    }

    #[test]
    fn a_set_is_read_from_a_query_with_the_sets_that_it_includes() {
        let Filters { from, tags, page } =
            read("tags=a,+b&limit=3&from=2028-02-29&tags=c").ok().unwrap();
        assert_eq!((from.to_string().as_str(), page.limit), ("2028-02-29", Some(3)));
        assert_eq!(tags, ["a, b", "c"]);
    }

    #[test]
    fn what_is_missing_empty_unknown_or_given_twice_is_refused_by_its_name() {
        for (query, name, why) in [
            ("limit=3", "from", "it must be given"),
            ("from=2028-02-29&form=x", "form", "this route has no such parameter"),
            ("from=2028-02-29&limit=1&limit=2", "limit", "given more than once"),
            ("from=2028-02-29&limit=", "limit", EMPTY),
            ("from=2028-02-29&tags=a&tags=", "tags", EMPTY),
            ("from=", "from", EMPTY),
        ] {
            let problem = serde_json::to_value(read(query).err().unwrap()).unwrap();
            assert_eq!(problem["parameter"], name, "{query}");
            assert_eq!(problem["detail"], format!("{name}: {why}"));
        }
    }

    query_params! {
        /// How fresh.
        struct Fresh {
            /// At least this.
            min_position: Option<u32>,
        }
    }

    #[test]
    fn a_header_beside_the_parameter_that_it_stands_for_is_read_too() {
        let read = |header: &'static str| {
            let headers = [(HEADER_FORMS[0].1.parse().unwrap(), header.parse().unwrap())];
            let uri = "/v1/things?min_position=1".parse().unwrap();
            super::read::<Fresh>(&uri, &HeaderMap::from_iter(headers))
        };
        assert_eq!(read("7").ok().unwrap().min_position, Some(1));
        assert!(read("seven").is_err());
    }

    #[test]
    fn a_query_has_a_bounded_number_of_parameters() {
        let many = |count: usize| format!("from=2028-02-29{}", "&tags=a".repeat(count - 1));
        assert!(read(&many(MAX_PARAMETERS)).is_ok());
        assert!(read(&many(MAX_PARAMETERS + 1)).is_err());
    }

    #[test]
    fn a_query_is_in_utf_8() {
        for good in ["caf%C3%A9", "caf%c3%a9", "café", "50%", "%zz", "100%+", ""] {
            let query = format!("from=2028-02-29&tags=x{good}");
            assert!(read(&query).is_ok(), "{good}");
        }
        for bad in ["caf%e9", "%C3", "%C3&tags=%A9", "%ff%fe"] {
            let problem = read(&format!("from=2028-02-29&tags={bad}")).err().unwrap();
            assert_eq!(serde_json::to_value(problem).unwrap()["parameter"], "tags", "{bad}");
        }
    }

    #[test]
    fn a_filter_has_a_bounded_number_of_values() {
        type Kinds = Several<u32>;
        let read = |count| Kinds::read("kind", vec!["7".to_owned(); count]);
        assert_eq!(read(Kinds::MAX).ok().unwrap().to_vec(), [7; Kinds::MAX]);
        let problem = read(Kinds::MAX + 1).err().unwrap();
        assert_eq!(serde_json::to_value(problem).unwrap()["parameter"], "kind");
        let schema = serde_json::to_value(Kinds::schema()).unwrap();
        assert_eq!(schema["maxItems"], Kinds::MAX);
    }

    #[test]
    fn a_set_is_described_as_it_is_read() {
        let described = Filters::into_params(|| None);
        let described = serde_json::to_value(described).unwrap();
        let of = |n: usize, member: &str| described[n][member].clone();
        assert_eq!([of(0, "name"), of(1, "name"), of(2, "name")], ["from", "tags", "limit"]);
        assert_eq!([of(0, "required"), of(1, "required")], [true, false]);
        assert_eq!(of(1, "description"), "One tag\nor several.");
        let tag = json!({"type": "string", "minLength": 1, "maxLength": Pairs::MAX_VALUE_BYTES});
        assert_eq!(of(1, "schema"), json!({"type": "array", "items": tag}));
        assert_eq!([of(1, "style"), of(1, "explode")], [json!("form"), json!(true)]);
    }
}
