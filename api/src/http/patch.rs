//! `PATCH`: a JSON merge patch (RFC 7396) of some members of a thing. Which members there are is the domain's to say
//! ([`Patch::MEMBERS`]); how they are described is taken from the body that makes such a thing.

use std::collections::HashMap;

use axum::extract::{FromRequest, Request};
use daybook_domain::patch::Patch;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use utoipa::openapi::schema::{AdditionalProperties, OneOfBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{ObjectBuilder, RefOr};

use super::{Caller, CommandRequest, Ordered, Problem, body};
use crate::App;

/// A command that changes some members.
pub(crate) struct PatchRequest<P>(CommandRequest<P>);

impl<P> PatchRequest<P> {
    /// The command's context, and what changes.
    pub(crate) fn by<S>(self, caller: Caller<S>) -> (Ordered, P) {
        self.0.by(caller)
    }

    /// The same, of a caller of whom more is asked when it is known what changes.
    pub(crate) fn of<S>(self, caller: &Caller<S>) -> (Ordered, P) {
        (self.0.context(caller), self.0.body)
    }
}

impl<P: Patch + DeserializeOwned> FromRequest<App> for PatchRequest<P> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self, Problem> {
        // Of a patch, a `null` is not the same as nothing.
        let meaning = |patch: &P| serde_json::to_value(patch);
        let request = CommandRequest::<P>::read(request, body::MERGE_PATCH, meaning).await?;
        if request.body.is_empty() {
            let names: Vec<_> = P::MEMBERS.iter().map(|(name, _)| format!("`{name}`")).collect();
            let detail = format!("a patch changes at least one of {}", names.join(", "));
            return Err(Problem::bad_body(detail));
        }
        Ok(Self(request))
    }
}

/// Declares how a patch is described: by those members of a body that it can change.
macro_rules! patch_form {
    ($(#[doc = $doc:literal])+ $form:ident: $patch:ident of $body:ident) => {
        $(#[doc = $doc])+
        pub(crate) struct $form;

        impl utoipa::PartialSchema for $form {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                let doc = [$($doc),+].map(str::trim).join("\n");
                $crate::http::patch::form::<$body, $patch>(doc)
            }
        }

        impl utoipa::ToSchema for $form {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($form).into()
            }

            fn schemas(
                schemas: &mut Vec<(
                    String,
                    utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>,
                )>,
            ) {
                <$body as utoipa::ToSchema>::schemas(schemas);
            }
        }
    };
}
pub(crate) use patch_form;

/// The members of a body `B` that a patch `P` can change, none of which has to be there.
pub(crate) fn form<B: ToSchema, P: Patch>(doc: String) -> RefOr<Schema> {
    let mut named = Vec::new();
    B::schemas(&mut named);
    let named: HashMap<String, RefOr<Schema>> = named.into_iter().collect();
    let RefOr::T(Schema::Object(body)) = B::schema() else { return B::schema() };
    let properties = P::MEMBERS.iter().filter_map(|(name, removes)| {
        let mut property = body.properties.get(*name)?.clone();
        relax(&mut property, &named);
        Some((*name, if *removes { nullable(property) } else { not_nullable(property) }))
    });
    let object = ObjectBuilder::new().description(Some(doc)).min_properties(Some(1));
    properties.fold(object, |object, (name, property)| object.property(name, property)).into()
}

/// A member that is an object is patched member by member: none of these has to be there either. And what holds where
/// nothing is said is not what a patch leaves.
fn relax(property: &mut RefOr<Schema>, named: &HashMap<String, RefOr<Schema>>) {
    match property {
        RefOr::Ref(reference) => {
            let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
            let Some(RefOr::T(Schema::Object(object))) = named.get(name) else { return };
            let mut object = object.clone();
            // Of pairs, each can be removed, and so can a member that need not be there.
            let pairs = object.additional_properties.take();
            if object.properties.is_empty() && pairs.is_none() {
                return;
            }
            let required = std::mem::take(&mut object.required);
            for (name, member) in &mut object.properties {
                if !required.contains(name) {
                    *member = nullable(member.clone());
                }
            }
            let others = match pairs.map(|pairs| *pairs) {
                Some(AdditionalProperties::RefOr(of)) => AdditionalProperties::RefOr(nullable(of)),
                _ => AdditionalProperties::FreeForm(false),
            };
            object.additional_properties = Some(Box::new(others));
            *property = RefOr::T(object.into());
        }
        RefOr::T(Schema::OneOf(one)) => one.items.iter_mut().for_each(|item| relax(item, named)),
        RefOr::T(Schema::Object(object)) => object.default = None,
        RefOr::T(Schema::Array(array)) => array.default = None,
        RefOr::T(_) => {}
    }
}

fn null() -> Schema {
    ObjectBuilder::new().schema_type(Type::Null).into()
}

fn nullable(property: RefOr<Schema>) -> RefOr<Schema> {
    let or_null = |schema_type: &mut SchemaType| match schema_type {
        SchemaType::Type(one) => *schema_type = SchemaType::Array(vec![one.clone(), Type::Null]),
        SchemaType::Array(several) if !several.contains(&Type::Null) => several.push(Type::Null),
        SchemaType::Array(_) | SchemaType::AnyValue => {}
    };
    match property {
        RefOr::T(Schema::Object(mut object)) => {
            or_null(&mut object.schema_type);
            object.into()
        }
        RefOr::T(Schema::Array(mut array)) => {
            or_null(&mut array.schema_type);
            RefOr::T(Schema::Array(array))
        }
        RefOr::T(Schema::OneOf(one)) => RefOr::T(Schema::OneOf(one)),
        other => OneOfBuilder::new().item(null()).item(other).into(),
    }
}

fn not_nullable(mut property: RefOr<Schema>) -> RefOr<Schema> {
    if let RefOr::T(Schema::Object(object)) = &mut property
        && let SchemaType::Array(types) = &mut object.schema_type
    {
        types.retain(|one| *one != Type::Null);
        if let [one] = types.as_slice() {
            object.schema_type = SchemaType::Type(one.clone());
        }
    }
    property
}
