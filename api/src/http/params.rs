//! Query parameters: parsed, checked, and refused when unknown.

use std::{collections::BTreeSet, future::Future, pin::Pin};

use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev::Payload};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use utoipa::{
    IntoParams,
    openapi::{
        RefOr,
        path::Parameter,
        schema::{Schema, SchemaType, Type},
    },
};
use validator::{Validate, ValidationErrorsKind};

use crate::http::{
    error::{Code, FieldError, Problem, Result},
    validation::detail,
};

/// Holds back errors about a request's content until its sender is authorized. Extractors run side by side, and the first
/// error becomes the response: without this gate, a 400 in place of a 404 would reveal whether a workspace exists.
#[derive(Clone)]
pub struct AuthGate(watch::Receiver<bool>);

impl AuthGate {
    /// Closes the gate of a request. Its other extractors wait until `true` is sent.
    pub fn close(request: &HttpRequest) -> watch::Sender<bool> {
        let (sender, receiver) = watch::channel(false);
        request.extensions_mut().insert(Self(receiver));
        sender
    }

    /// The request's gate, if it has one.
    pub fn from_request(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }

    /// Waits until the gate is open.
    pub async fn wait(gate: Option<Self>) {
        if let Some(Self(mut receiver)) = gate {
            // If the sender was dropped, the request has its response.
            let _ = receiver.wait_for(|open| *open).await;
        }
    }
}

/// The query string, parsed into one or several structs. A parameter that none of them has is refused.
pub struct Params<T>(pub T);

/// One struct of parameters. Its names come from its documentation, so the two cannot differ.
pub trait ParamSet: DeserializeOwned + IntoParams + Validate {}
impl<T: DeserializeOwned + IntoParams + Validate> ParamSet for T {}

/// For endpoints without parameters: any parameter is refused.
#[derive(serde::Deserialize)]
pub struct NoParams {}

impl IntoParams for NoParams {
    fn into_params(_: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>) -> Vec<Parameter> {
        Vec::new()
    }
}

impl Validate for NoParams {
    fn validate(&self) -> Result<(), validator::ValidationErrors> {
        Ok(())
    }
}

/// The names and values of a query string.
type Pairs = Vec<(String, String)>;

/// The names of a struct's parameters. An object stands for any parameters that begin with its name: `metadata.*`.
fn names<T: IntoParams>() -> BTreeSet<String> {
    let name = |parameter: Parameter| match parameter.schema {
        Some(RefOr::T(Schema::Object(object))) if object.schema_type == SchemaType::Type(Type::Object) => {
            format!("{}.*", parameter.name)
        }
        _ => parameter.name,
    };
    T::into_params(|| None).into_iter().map(name).collect()
}

fn is_known(known: &BTreeSet<String>, name: &str) -> bool {
    known.contains(name)
        || name.split_once('.').is_some_and(|(object, path)| {
            let object = object.strip_prefix("not_").unwrap_or(object);
            !path.is_empty() && known.contains(&format!("{object}.*"))
        })
}

fn parse<T: ParamSet>(pairs: &Pairs, known: &BTreeSet<String>) -> Result<T> {
    // Each struct sees its own parameters only.
    let mut own = url::form_urlencoded::Serializer::new(String::new());
    own.extend_pairs(pairs.iter().filter(|(name, _)| is_known(known, name)));
    let own = own.finish();
    let deserializer = serde_html_form::Deserializer::new(url::form_urlencoded::parse(own.as_bytes()));
    let parsed: T = serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        let name = path.split(['[', '.']).next().unwrap_or_default();
        let message = error.inner().to_string();
        // serde names a parameter that must not be repeated, or is missing, only in its message.
        let named =
            ["duplicate field `", "missing field `"].iter().find_map(|what| message.strip_prefix(what));
        let name = named.and_then(|rest| rest.split('`').next()).unwrap_or(name);
        Problem::parameter(name, message.clone())
    })?;
    parsed.validate().map_err(|errors| {
        let found = errors.errors().iter().filter_map(|(name, kind)| match kind {
            ValidationErrorsKind::Field(errors) => {
                Some(errors.iter().map(move |e| FieldError::parameter(name.as_ref(), "invalid", detail(e))))
            }
            _ => None,
        });
        Problem::with_errors(Code::InvalidParameter, found.flatten().collect())
    })?;
    Ok(parsed)
}

fn refuse_unknown(pairs: &Pairs, known: &[&BTreeSet<String>]) -> Result<()> {
    let unknown: Vec<_> = pairs
        .iter()
        .filter(|(name, _)| !known.iter().any(|known| is_known(known, name)))
        .map(|(name, _)| {
            let all: BTreeSet<_> = known.iter().copied().flatten().map(String::as_str).collect();
            let list = all.into_iter().collect::<Vec<_>>().join(", ");
            FieldError::parameter(name, "unknown", format!("unknown parameter; known parameters: {list}"))
        })
        .collect();
    if unknown.is_empty() { Ok(()) } else { Err(Problem::with_errors(Code::UnknownParameter, unknown)) }
}

/// Refuses U+0000: no stored text contains it, and PostgreSQL refuses to compare with it.
fn refuse_nul(pairs: &Pairs) -> Result<()> {
    match pairs.iter().find(|(_, value)| value.contains('\0')) {
        Some((name, _)) => Err(Problem::parameter(name, "must not contain the character U+0000")),
        None => Ok(()),
    }
}

macro_rules! params_of {
    ($($set:ident $known:ident),+) => {
        impl<$($set: ParamSet),+> Params<($($set,)+)> {
            /// Parses a query string.
            ///
            /// # Errors
            /// `unknown_parameter`, `invalid_parameter`
            pub fn from_query(query: &str) -> Result<Self> {
                let pairs: Pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
                $(let $known = names::<$set>();)+
                refuse_unknown(&pairs, &[$(&$known),+])?;
                refuse_nul(&pairs)?;
                Ok(Self(($(parse::<$set>(&pairs, &$known)?,)+)))
            }
        }

        impl<$($set: ParamSet + 'static),+> FromRequest for Params<($($set,)+)> {
            type Error = Problem;
            type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                let gate = AuthGate::from_request(request);
                let parsed = Self::from_query(request.query_string());
                Box::pin(async move {
                    AuthGate::wait(gate).await;
                    parsed
                })
            }
        }
    };
}

params_of!(A a);
params_of!(A a, B b);
params_of!(A a, B b, C c);
