//! The filters of the logs: a table for each log, and what the table makes of a query string.
//!
//! Each filter has a twin that excludes: `role=Nurse` and `not_role=Nurse`. `metadata.<path>` filters by a value inside the
//! metadata.

use std::{collections::BTreeMap, marker::PhantomData};

use logbook_engine::{
    event::{ActorType, Outcome},
    filter::{Accepted, Filter, MetadataFilter, Network, TypeAndId, changed, metadata::MAX_PATH_BYTES},
};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use utoipa::{
    IntoParams,
    openapi::{
        Required,
        path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle},
        schema::{AdditionalProperties, ArrayBuilder, ObjectBuilder, Type},
    },
};
use validator::{Validate, ValidationErrors};

use crate::{
    http::error::{Problem, Result},
    routes::logs::log::LogKind,
};

/// Most values of one filter.
const MAX_VALUES: usize = 100;
/// Most paths into the metadata in one request.
const MAX_PATHS: usize = 20;
/// Before the name of a filter, for its twin.
const NOT: &str = "not_";
/// Before a path into the metadata.
const METADATA: &str = "metadata.";

/// Where a filter's values go.
#[derive(Clone, Copy)]
pub enum Place {
    Text(fn(&mut Filter) -> &mut Accepted<String>),
    Outcome,
    ActorType,
    /// The first target by its type.
    TargetType,
    /// The first target by its type, or by its type and id.
    Target,
    /// The first target by its type and id.
    Record,
    Network,
    /// Changed fields, each with its new value.
    Changed,
}

/// A filter as a log offers it.
#[derive(Clone, Copy)]
pub struct FilterParam {
    pub name: &'static str,
    /// What its values are, for "matches any of these …".
    pub what: &'static str,
    pub example: &'static str,
    pub place: Place,
}

impl FilterParam {
    pub const fn text(
        name: &'static str,
        what: &'static str,
        example: &'static str,
        place: fn(&mut Filter) -> &mut Accepted<String>,
    ) -> Self {
        Self { name, what, example, place: Place::Text(place) }
    }

    pub const STATUS: Self = Self {
        name: "status",
        what: "statuses: `success`, `failure`, `denied`",
        example: "failure",
        place: Place::Outcome,
    };
    pub const ROLE: Self = Self::text("role", "roles", "Nurse", |filter| &mut filter.roles);
    pub const ACTION: Self = Self::text("action", "actions", "update", |filter| &mut filter.actions);
    pub const ACTOR_TYPE: Self = Self {
        name: "actor_type",
        what: "actor types: `user`, `admin`, `service`, `system`, `agent`",
        example: "agent",
        place: Place::ActorType,
    };
    pub const ACTOR_ID: Self = Self::text("actor_id", "actor ids", "17", |filter| &mut filter.actor_ids);
    pub const TARGET_TYPE: Self = Self {
        name: "target_type",
        what: "types of the first target",
        example: "api_key",
        place: Place::TargetType,
    };
    pub const FIELD: Self = Self::text("field", "changed fields", "status", |filter| &mut filter.fields);
    pub const CHANGED: Self = Self {
        name: "changed",
        what: "changes: a field, a colon and its new value or that value's label. Strings are compared as they are, numbers, \
            booleans and null as JSON writes them; a set has each value that was added",
        example: "status:closed",
        place: Place::Changed,
    };
    const ON_BEHALF_OF: Self =
        Self::text("on_behalf_of", "ids of the person for whom the actor acted", "17", |filter| {
            &mut filter.on_behalf_of
        });
    const SOURCE: Self = Self::text(
        "source",
        "sources: the name of the key, user or import that sent the event",
        "clinic producer",
        |filter| &mut filter.sources,
    );
    const TARGET: Self = Self::text(
        "target",
        "targets, the first or a further one: a type (`group`), or a type and an id (`group:7`)",
        "group:7",
        |filter| &mut filter.any_targets,
    );
    const IP_ADDRESS: Self = Self {
        name: "ip_address",
        what: "IP addresses or networks (CIDR)",
        example: "10.0.0.0/8",
        place: Place::Network,
    };
    const SESSION_ID: Self =
        Self::text("session_id", "session ids", "s-4711", |filter| &mut filter.session_ids);
    const CORRELATION_ID: Self =
        Self::text("correlation_id", "correlation ids", "req-4711", |filter| &mut filter.correlation_ids);

    /// The filters that every log has.
    const SHARED: &[Self] = &[
        Self::ON_BEHALF_OF,
        Self::TARGET,
        Self::IP_ADDRESS,
        Self::SESSION_ID,
        Self::CORRELATION_ID,
        Self::SOURCE,
    ];

    fn add(&self, filter: &mut Filter, name: &str, excludes: bool, values: Vec<String>) -> Result<()> {
        match self.place {
            Place::Text(place) => put(place(filter), excludes, values),
            Place::Outcome => put(
                &mut filter.outcomes,
                excludes,
                known(name, &values, Outcome::ALL, |outcome| outcome.as_str())?,
            ),
            Place::ActorType => put(
                &mut filter.actor_types,
                excludes,
                known(name, &values, ActorType::ALL, |kind| kind.as_str())?,
            ),
            Place::TargetType => {
                put(&mut filter.targets, excludes, values.into_iter().map(|kind| (kind, None)).collect());
            }
            Place::Target => {
                let targets = values.into_iter().map(|value| type_and_id(name, value));
                put(&mut filter.targets, excludes, targets.collect::<Result<_>>()?);
            }
            Place::Record => {
                // Each is a condition of its own in the statement.
                if values.iter().map(|value| value.matches(':').count()).sum::<usize>() > MAX_VALUES {
                    let detail = format!("must have at most {MAX_VALUES} colons");
                    return Err(Problem::parameter(name, detail));
                }
                let records = values.iter().map(|value| types_and_ids(name, value));
                put(&mut filter.records, excludes, records.collect::<Result<Vec<_>>>()?.concat());
            }
            Place::Network => {
                let networks = values.iter().map(|value| network(name, value));
                put(&mut filter.ip_addresses, excludes, networks.collect::<Result<_>>()?);
            }
            Place::Changed => {
                if !values.iter().all(|value| changed::fields(value).next().is_some()) {
                    let detail = "must be a field, a colon and its new value (status:closed)";
                    return Err(Problem::parameter(name, detail));
                }
                put(&mut filter.changed, excludes, values);
            }
        }
        Ok(())
    }

    fn parameter(&self, excludes: bool) -> Parameter {
        let item = ObjectBuilder::new().schema_type(Type::String);
        let item = match self.place {
            Place::Outcome => item.enum_values(Some(Outcome::ALL.iter().map(|outcome| outcome.as_str()))),
            Place::ActorType => item.enum_values(Some(ActorType::ALL.iter().map(|kind| kind.as_str()))),
            _ => item,
        };
        let values = ArrayBuilder::new().items(item).max_items(Some(MAX_VALUES));
        let (before, verb) = if excludes { (NOT, "Leaves out") } else { ("", "Matches") };
        ParameterBuilder::new()
            .name(format!("{before}{}", self.name))
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(Some(format!("{verb} any of these {}.", self.what)))
            .schema(Some(values))
            .example(Some(json!([self.example])))
            .build()
    }
}

fn put<T>(accepted: &mut Accepted<T>, excludes: bool, values: Vec<T>) {
    if excludes {
        accepted.not = values;
    } else {
        accepted.only = values;
    }
}

fn known<T: Copy>(
    name: &str,
    values: &[String],
    all: &[T],
    text: impl Fn(T) -> &'static str,
) -> Result<Vec<T>> {
    let find = |value: &String| {
        all.iter().copied().find(|known| text(*known) == value).ok_or_else(|| {
            let all: Vec<_> = all.iter().map(|known| text(*known)).collect();
            Problem::parameter(name, format!("must be one of {}", all.join(", ")))
        })
    };
    values.iter().map(find).collect()
}

fn type_and_id(name: &str, value: String) -> Result<TypeAndId> {
    match value.split_once(':') {
        Some(("", _)) => {
            Err(Problem::parameter(name, "must be a type (policy), or a type and an id (policy:2)"))
        }
        Some((kind, id)) => Ok((kind.to_owned(), Some(id.to_owned()))),
        None => Ok((value, None)),
    }
}

/// The address or network that a parameter names.
pub fn network(name: &str, text: &str) -> Result<Network> {
    let detail = "must be an IP address or a network such as 10.0.0.0/8";
    Network::parse(text).ok_or_else(|| Problem::parameter(name, detail))
}

/// The type and id of a record. Both may have colons: then it is any of the records that are written like this.
fn types_and_ids(name: &str, value: &str) -> Result<Vec<TypeAndId>> {
    let colons = value.match_indices(':').filter(|(at, _)| *at > 0);
    let all: Vec<_> =
        colons.map(|(at, _)| (value[..at].to_owned(), Some(value[at + 1..].to_owned()))).collect();
    if all.is_empty() {
        return Err(Problem::parameter(name, "must be a model and an id (patient:92)"));
    }
    Ok(all)
}

/// The filters of a log in a request: values by name.
#[derive(Clone, Debug)]
pub struct Filters<L> {
    values: BTreeMap<String, Vec<String>>,
    of: PhantomData<fn() -> L>,
}

impl<L: LogKind> Filters<L> {
    /// The same filters, where the request calls one of them by another name.
    pub fn renamed(mut self, from: &str, to: &str) -> Self {
        if let Some(values) = self.values.remove(from) {
            self.values.insert(to.to_owned(), values);
        }
        self
    }

    /// Adds the filters of the request.
    ///
    /// # Errors
    /// `invalid_parameter`
    pub fn add_to(self, filter: &mut Filter) -> Result<()> {
        for (name, values) in self.values {
            if values.len() > MAX_VALUES {
                return Err(Problem::parameter(&name, format!("must have at most {MAX_VALUES} values")));
            }
            let (own, excludes) = match name.strip_prefix(NOT) {
                Some(own) => (own, true),
                None => (name.as_str(), false),
            };
            if let Some(path) = own.strip_prefix(METADATA) {
                if path.len() > MAX_PATH_BYTES {
                    let detail = format!("a path must have at most {MAX_PATH_BYTES} bytes");
                    return Err(Problem::parameter(&name, detail));
                }
                put(at_path(&mut filter.metadata, path), excludes, values);
            } else if let Some(param) = params::<L>().find(|param| param.name == own) {
                param.add(filter, &name, excludes, values)?;
            }
        }
        if filter.metadata.len() > MAX_PATHS {
            let detail = format!("must have at most {MAX_PATHS} different paths");
            return Err(Problem::parameter("metadata", detail));
        }
        Ok(())
    }
}

fn at_path<'a>(metadata: &'a mut Vec<MetadataFilter>, path: &str) -> &'a mut Accepted<String> {
    let found = metadata.iter().position(|filter| filter.path == path).unwrap_or_else(|| {
        metadata.push(MetadataFilter { path: path.to_owned(), values: Accepted::default() });
        metadata.len() - 1
    });
    &mut metadata[found].values
}

/// The log's own filters, then the shared ones.
fn params<L: LogKind>() -> impl Iterator<Item = &'static FilterParam> {
    L::FILTERS.iter().chain(FilterParam::SHARED)
}

impl<'de, L> Deserialize<'de> for Filters<L> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { values: Deserialize::deserialize(deserializer)?, of: PhantomData })
    }
}

impl<L> Validate for Filters<L> {
    /// [`Filters::add_to`] checks them.
    fn validate(&self) -> Result<(), ValidationErrors> {
        Ok(())
    }
}

impl<L: LogKind> IntoParams for Filters<L> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut all: Vec<Parameter> =
            params::<L>().flat_map(|param| [param.parameter(false), param.parameter(true)]).collect();
        let values = ArrayBuilder::new().items(ObjectBuilder::new().schema_type(Type::String));
        let metadata = ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(AdditionalProperties::RefOr(values.into())));
        all.push(
            ParameterBuilder::new()
                .name("metadata")
                .parameter_in(ParameterIn::Query)
                .required(Required::False)
                .description(Some(
                    "Filters by values inside the metadata: `metadata.<path>` matches any of its values, \
                     `not_metadata.<path>` leaves them out. A path is the keys joined by dots: \
                     `metadata.request.region=eu`. Strings are compared as they are, numbers and booleans as JSON writes \
                     them; an array matches by any of its items. At most 20 paths.",
                ))
                .style(Some(ParameterStyle::Form))
                .explode(Some(true))
                .schema(Some(metadata))
                .example(Some(json!({"metadata.request.region": ["eu"]})))
                .build(),
        );
        all
    }
}
