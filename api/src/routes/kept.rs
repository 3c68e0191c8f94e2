//! `reference` and `metadata[key]`: what callers keep with things, to find them by.

use std::collections::BTreeMap;

use daybook_domain::{Metadata, MetadataKey, MetadataValue, Reference};
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::{IntoParams, PartialSchema as _};

use crate::http::Problem;
use crate::http::query::{self, Pairs, ParameterSet, invalid};
use crate::schema;

/// What a caller keeps with what is looked for.
pub(crate) struct KeptParams {
    pub(crate) reference: Option<Reference>,
    /// All of these pairs.
    pub(crate) metadata: Metadata,
}

const METADATA: &str = "metadata";

impl ParameterSet for KeptParams {
    fn take(pairs: &mut Pairs) -> Result<Self, Problem> {
        let reference = pairs.take("reference")?;
        let bare: Option<String> = pairs.take(METADATA)?;
        if bare.is_some() {
            return Err(invalid(METADATA, "it is given as metadata[key]=value"));
        }
        let mut metadata = BTreeMap::new();
        for (key, value) in pairs.take_keyed(METADATA) {
            let name = format!("{METADATA}[{key}]");
            let key = MetadataKey::new(&key).map_err(|error| invalid(&name, error))?;
            let value = MetadataValue::new(&value).map_err(|error| invalid(&name, error))?;
            if metadata.insert(key, value).is_some() {
                return Err(invalid(&name, "given more than once"));
            }
        }
        let metadata = Metadata::try_from(metadata).map_err(|error| invalid(METADATA, error))?;
        Ok(Self { reference, metadata })
    }
}

impl IntoParams for KeptParams {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let doc = ["What your own system calls it, letter for letter."];
        let mut all = query::describe::<Option<Reference>>("reference", &doc);
        let metadata = ParameterBuilder::new()
            .name(METADATA)
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(Some(
                "What you keep with it: `metadata[key]=value`, each of the pairs that are given.",
            ))
            .style(Some(ParameterStyle::DeepObject))
            .explode(Some(true))
            .schema(Some(schema::Pairs::schema()));
        all.push(metadata.build());
        all
    }
}
