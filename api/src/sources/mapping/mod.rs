//! Mappings: how an element of a source becomes an event, as data.
//!
//! A mapping is a TOML file. It has an expression for each field of an event, or several, of which the first that gives
//! something counts. docs/MAPPINGS.md describes it, and `kinds/` has those of the kinds.
//!
//! ```toml
//! log = "'access'"
//! action = "event.type"
//! actor.id = ["event.userId", "event.details.username"]
//! ```
//!
//! The language is CEL (Common Expression Language, cel.dev), which people know from Kubernetes, Envoy and IAM: an expression
//! has no loops and no effects, so it ends. `cel` (MIT) adds some 10 crates and 20 seconds to a build. VRL can do more, and
//! has more than a hundred crates under the MPL; JMESPath has no conditions; jq can loop for ever. What CEL leaves open is
//! bounded here: macros over lists can multiply, so they may not be nested ([`bounds`]).

mod bounds;
mod event;
mod functions;
#[cfg(test)]
mod hostile;
mod path;
#[cfg(test)]
mod tests;
mod values;

use std::{
    cell::OnceCell,
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use cel::{Context, Env, ExecutionError, Program};
use logbook_engine::event::NewEvent;
use serde_json::{Map, Value};

use path::Path;

use super::element::Element;
use crate::{accounts::source_kind::Kind, http::error::FieldError};

/// Longest mapping, in bytes.
const MAX_TEXT: usize = 32 * 1024;
/// Longest element that a mapping reads, in bytes. Its values take up to twenty times as much memory.
const MAX_ELEMENT: usize = 128 * 1024;
/// The stack for compiling, in bytes. It is touched only as far as it is used.
const PARSER_STACK: usize = 64 * 1024 * 1024;
/// Most alternatives of a field.
const MAX_ALTERNATIVES: usize = 16;

/// As the metadata: the element without what other fields have of it, unchanged.
const REST: &str = "rest";

/// The fields of an event, in the words of the feed.
const FIELDS: &[&str] = &[
    "skip",
    "log",
    "occurred_at",
    "action",
    "outcome",
    "outcome_reason",
    "actor.type",
    "actor.id",
    "actor.name",
    "on_behalf_of.type",
    "on_behalf_of.id",
    "on_behalf_of.name",
    "role",
    "purpose",
    "target.type",
    "target.id",
    "target.name",
    "targets",
    "ip_address",
    "user_agent",
    "session_id",
    "correlation_id",
    "epoch",
    "sequence",
    "changes",
    "metadata",
    "dedupe_key",
];

/// A compiled mapping.
pub struct Mapping {
    fields: Vec<(&'static str, Vec<Alternative>)>,
}

enum Alternative {
    /// The name of a member.
    Path(Path),
    /// [`REST`]
    Rest,
    Program {
        program: Program,
        /// It gives nothing where one of them is absent.
        needed: Vec<Path>,
    },
}

/// What an element becomes.
pub enum Mapped {
    Event(Box<NewEvent>),
    /// The mapping says that it is no event.
    Skipped,
}

static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));
/// With all functions.
static ROOT: LazyLock<Context<'static, 'static>> = LazyLock::new(|| {
    let mut root = Context::with_env(ENV.clone());
    functions::add(&mut root);
    root
});

/// What the expressions of a mapping read.
struct Scope<'a> {
    event: &'a Value,
    context: &'a Map<String, Value>,
    /// The same as the language has it. Most elements need no copy.
    variables: OnceCell<Context<'static, 'static>>,
}

impl<'a> Scope<'a> {
    fn new(event: &'a Value, context: &'a Map<String, Value>) -> Self {
        Self { event, context, variables: OnceCell::new() }
    }

    fn variables(&self) -> &Context<'static, 'static> {
        self.variables.get_or_init(|| {
            let mut variables = ROOT.new_inner_scope();
            variables.add_variable_from_value("event", values::to_cel(self.event));
            variables.add_variable_from_value("context", values::object_to_cel(self.context));
            variables
        })
    }

    fn has(&self, path: &Path) -> bool {
        path.find(self.event, self.context).is_some()
    }
}

impl Mapping {
    /// Compiles a mapping.
    ///
    /// # Errors
    /// Everything that is wrong with it, with the field as a pointer.
    pub fn compile(text: &str) -> Result<Self, Vec<FieldError>> {
        // The parser goes as deep as the expression, which is bounded only by its length; what is accepted is flat.
        let compiled = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(PARSER_STACK);
            thread.spawn_scoped(scope, || Self::compile_here(text)).map(|running| running.join())
        });
        match compiled {
            Ok(Ok(compiled)) => compiled,
            _ => Err(vec![FieldError::at("", "invalid", "it could not be compiled")]),
        }
    }

    fn compile_here(text: &str) -> Result<Self, Vec<FieldError>> {
        let refuse = |detail: String| vec![FieldError::at("", "invalid", detail)];
        if text.len() > MAX_TEXT {
            return Err(refuse(format!("the limit is {} KiB", MAX_TEXT / 1024)));
        }
        let table: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| refuse(format!("not TOML: {}", error.message())))?;
        let mut given = BTreeMap::new();
        let mut errors = Vec::new();
        collect(&table, "", &mut given, &mut errors);
        let mut fields = Vec::new();
        for field in FIELDS {
            let Some(expressions) = given.remove(*field) else { continue };
            let mut alternatives = Vec::new();
            for expression in expressions {
                match alternative(field, &expression) {
                    Ok(alternative) => alternatives.push(alternative),
                    Err(detail) => errors.push(FieldError::at(pointer(field), "invalid", detail)),
                }
            }
            fields.push((*field, alternatives));
        }
        for field in given.keys() {
            errors.push(FieldError::at(
                pointer(field),
                "unknown_field",
                "there is no such field of an event",
            ));
        }
        for required in ["log", "action"] {
            if errors.is_empty() && !fields.iter().any(|(field, _)| *field == required) {
                errors.push(FieldError::at(pointer(required), "missing", "every event needs it"));
            }
        }
        if errors.is_empty() { Ok(Self { fields }) } else { Err(errors) }
    }

    /// The mapping of a kind.
    pub fn of(kind: Kind) -> &'static Arc<Self> {
        static ALL: LazyLock<BTreeMap<Kind, Arc<Mapping>>> = LazyLock::new(|| {
            let compiled = |kind: &Kind| {
                let mapping = Mapping::compile(Mapping::text_of(*kind));
                (*kind, Arc::new(mapping.unwrap_or_else(|errors| panic!("{kind:?}: {errors:?}"))))
            };
            Kind::ALL.iter().map(compiled).collect()
        });
        &ALL[&kind]
    }

    /// The mapping of a kind as people read it.
    pub fn text_of(kind: Kind) -> &'static str {
        match kind {
            Kind::Api => include_str!("kinds/api.toml"),
            Kind::Hec => include_str!("kinds/hec.toml"),
            Kind::Otlp => include_str!("kinds/otlp.toml"),
            Kind::Cloudevents => include_str!("kinds/cloudevents.toml"),
            Kind::Kubernetes => include_str!("kinds/kubernetes.toml"),
            Kind::Keycloak => include_str!("kinds/keycloak.toml"),
            Kind::Auth0 => include_str!("kinds/auth0.toml"),
            Kind::Okta => include_str!("kinds/okta.toml"),
            Kind::Github => include_str!("kinds/github.toml"),
            Kind::Retraced => include_str!("kinds/retraced.toml"),
            Kind::Workos => include_str!("kinds/workos.toml"),
        }
    }

    /// What an element becomes.
    ///
    /// # Errors
    /// Why it cannot be an event. The pointers name fields of the mapping.
    pub fn event(&self, element: &Element) -> Result<Mapped, Vec<FieldError>> {
        if element.raw.len() > MAX_ELEMENT {
            let detail = format!("the limit is {} KiB for what a mapping reads", MAX_ELEMENT / 1024);
            return Err(vec![FieldError::at("", "too_long", detail)]);
        }
        let value = element.value().map_err(|error| vec![FieldError::at("", error.code, error.detail)])?;
        let nothing = Map::new();
        let scope = Scope::new(&value, element.context.as_deref().unwrap_or(&nothing));
        let mut found = BTreeMap::new();
        let mut errors = Vec::new();
        // Whether the metadata, which gets the element itself, is the rest of it.
        let mut is_rest = None;
        let mut paths = Vec::new();
        for (field, alternatives) in &self.fields {
            match first(alternatives, &scope) {
                Ok(Some(given)) if *field == "skip" => match given {
                    Given::Value(Value::Bool(true)) | Given::Member(Value::Bool(true), _) => {
                        return Ok(Mapped::Skipped);
                    }
                    Given::Value(Value::Bool(false)) | Given::Member(Value::Bool(false), _) => {}
                    _ => errors.push(FieldError::at(pointer(field), "invalid", "must be true or false")),
                },
                Ok(Some(Given::Value(value))) => drop(found.insert(*field, value)),
                Ok(Some(Given::Member(value, path))) => {
                    found.insert(*field, value);
                    paths.push((*field, path));
                }
                Ok(Some(Given::Rest)) => is_rest = Some(true),
                Ok(Some(Given::Whole)) if *field == "metadata" => is_rest = Some(false),
                Ok(Some(Given::Whole)) => drop(found.insert(*field, value.clone())),
                Ok(None) => {}
                Err(detail) => errors.push(FieldError::at(pointer(field), "mapping_failed", detail)),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let metadata = |as_found: &[&str]| {
            let is_rest = is_rest?;
            let mut metadata = value;
            let taken = paths.iter().filter(|(field, _)| is_rest && as_found.contains(field));
            taken.for_each(|(_, path)| path.take_from(&mut metadata));
            Some(metadata)
        };
        event::build(found, metadata).map(|event| Mapped::Event(Box::new(event)))
    }
}

/// A field as a JSON pointer.
fn pointer(field: &str) -> String {
    format!("/{}", field.replace('.', "/"))
}

/// The expressions of each field, by its name with dots.
fn collect(
    table: &toml::Table,
    prefix: &str,
    given: &mut BTreeMap<String, Vec<String>>,
    errors: &mut Vec<FieldError>,
) {
    for (name, value) in table {
        let field = format!("{prefix}{name}");
        let mut refuse = |detail: &str| errors.push(FieldError::at(pointer(&field), "invalid", detail));
        match value {
            toml::Value::Table(inner) if prefix.is_empty() => {
                collect(inner, &format!("{field}."), given, errors);
            }
            toml::Value::String(text) => {
                given.insert(field, vec![text.clone()]);
            }
            toml::Value::Array(list) if !list.is_empty() && list.len() <= MAX_ALTERNATIVES => {
                let texts = list.iter().map(|text| text.as_str().map(str::to_owned)).collect::<Option<_>>();
                match texts {
                    Some(texts) => {
                        given.insert(field, texts);
                    }
                    None => refuse("must be an expression, or a list of expressions"),
                }
            }
            toml::Value::Array(_) => refuse("must have 1 to 16 alternatives"),
            _ => refuse("must be an expression in quotes, or a list of them"),
        }
    }
}

fn alternative(field: &str, expression: &str) -> Result<Alternative, String> {
    if expression.trim() == REST {
        let is_metadata = field == "metadata";
        return if is_metadata {
            Ok(Alternative::Rest)
        } else {
            Err("only the metadata can be the rest".into())
        };
    }
    bounds::check_length(expression)?;
    let program = ENV.compile(expression).map_err(|error| error.to_string())?;
    bounds::check(program.expression())?;
    Ok(match Path::of(program.expression()) {
        Some(path) if !path.is_context() => Alternative::Path(path),
        _ => Alternative::Program { needed: Path::needed(program.expression()), program },
    })
}

/// What an alternative gives.
enum Given<'a> {
    Value(Value),
    /// What stands at a path.
    Member(Value, &'a Path),
    /// The whole element.
    Whole,
    Rest,
}

/// The first alternative that gives something.
fn first<'a>(alternatives: &'a [Alternative], scope: &Scope<'_>) -> Result<Option<Given<'a>>, String> {
    for alternative in alternatives {
        let (value, path) = match alternative {
            Alternative::Rest => return Ok(Some(Given::Rest)),
            Alternative::Path(path) if path.is_whole() => return Ok(Some(Given::Whole)),
            Alternative::Path(path) => match path.find(scope.event, scope.context) {
                Some(member) => {
                    let value = values::named(member)?;
                    // Not when it was cut.
                    let is_whole = value == *member;
                    (value, is_whole.then_some(path))
                }
                None => continue,
            },
            Alternative::Program { needed, .. } if !needed.iter().all(|path| scope.has(path)) => continue,
            Alternative::Program { program, .. } => match program.execute(scope.variables()) {
                Ok(value) => (values::to_json(&value)?, None),
                Err(error) if is_absent(&error) => continue,
                Err(error) => return Err(values::shortened(&error.to_string())),
            },
        };
        let is_empty = match &value {
            Value::Null => true,
            Value::String(text) => text.trim().is_empty(),
            _ => false,
        };
        if !is_empty {
            return Ok(Some(match path {
                Some(path) => Given::Member(value, path),
                None => Given::Value(value),
            }));
        }
    }
    Ok(None)
}

/// What is not there is no mistake: a member that is missing, an index beyond the end, a member of what is no object.
fn is_absent(error: &ExecutionError) -> bool {
    match error {
        ExecutionError::NoSuchKey(_) | ExecutionError::IndexOutOfBounds(_) => true,
        ExecutionError::NoSuchOverload(error) => ["_._", "_[_]"].contains(&error.function()),
        _ => false,
    }
}
