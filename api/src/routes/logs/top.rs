//! The most frequent values of a field of a log, and the fields that a log offers for it.

use actix_web::HttpResponse;
use logbook_engine as engine;
use logbook_engine::{
    caches::Caches,
    counts::{
        Effort,
        top::{self, By, Top},
    },
    db::{Conn, Db, ReaderId},
    event::{Event, Target},
    filter::{AccessPath, Filter, metadata::MAX_PATH_BYTES},
};
use serde::{Deserialize, Deserializer};
use utoipa::{
    IntoParams,
    openapi::path::{Parameter, ParameterIn},
};
use validator::{Validate, ValidationErrors};

use crate::{
    auth::Reader,
    http::error::{Problem, Result},
    routes::logs::{
        filters::Filters,
        log::{LogKind, count, filter, reader_id},
        params::RangeParams,
    },
};

#[derive(Clone, Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct TopParams {
    /// The field, by the log's own name, or a path in the metadata (`metadata.request.region`).
    #[validate(length(min = 1, max = 264))]
    #[param(min_length = 1, max_length = 264, example = "status")]
    pub field: String,
    /// Maximum number of values.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 10)]
    pub limit: u32,
}

fn default_limit() -> u32 {
    10
}

/// The log's filters. That by changed fields is called `changed_field` here, since `field` is what is counted.
pub struct TopFilters<L>(pub Filters<L>);

/// The name of a filter in a list, and here.
const RENAMED: [(&str, &str); 2] = [("field", "changed_field"), ("not_field", "not_changed_field")];

impl<'de, L: LogKind> Deserialize<'de> for TopFilters<L> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let filters = Filters::deserialize(deserializer)?;
        Ok(Self(RENAMED.iter().fold(filters, |filters, (name, here)| filters.renamed(here, name))))
    }
}

impl<L> Validate for TopFilters<L> {
    /// As those of [`Filters`].
    fn validate(&self) -> Result<(), ValidationErrors> {
        self.0.validate()
    }
}

impl<L: LogKind> IntoParams for TopFilters<L> {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut all = Filters::<L>::into_params(place);
        for parameter in &mut all {
            if let Some((_, here)) = RENAMED.iter().find(|(name, _)| *name == parameter.name) {
                parameter.name = (*here).to_owned();
            }
        }
        all
    }
}

/// What a log's field is counted by: its rollups, where it has them.
pub fn by<L: LogKind>(field: &str) -> Result<By> {
    if let Some(path) = field.strip_prefix("metadata.") {
        let is_path = !path.is_empty() && path.len() <= MAX_PATH_BYTES;
        let refused = || Problem::parameter("field", format!("a path has 1 to {MAX_PATH_BYTES} bytes"));
        return is_path.then(|| By::Metadata(path.into())).ok_or_else(refused);
    }
    let dimension = L::FACETS.iter().find(|(name, _)| *name == field);
    let values = || L::VALUES.iter().find(|(name, ..)| *name == field);
    let by = dimension.map(|(_, dimension)| By::Dimension(*dimension));
    by.or_else(|| values().map(|(_, values, columns)| By::Values(*values, *columns))).ok_or_else(|| {
        let facets = L::FACETS.iter().map(|(name, _)| *name);
        let known: Vec<_> = facets.chain(L::VALUES.iter().map(|(name, ..)| *name)).collect();
        Problem::parameter("field", format!("must be one of {}, or metadata.<path>", known.join(", ")))
    })
}

pub async fn top<L: LogKind>(
    db: &Db,
    caches: &Caches,
    reader: Reader<L>,
    (range, TopFilters(own), params): (RangeParams, TopFilters<L>, TopParams),
) -> Result<HttpResponse> {
    let filter = filter(&reader, &range, own)?;
    let TopParams { field, limit } = params;
    let (by, limit) = (by::<L>(&field)?, limit as usize);
    let has_dimension = matches!(by, By::Dimension(_));
    let top = move |conn: &mut Conn, caches: &Caches, filter: &Filter, effort: Effort| {
        top::top(conn, &caches.counts, &caches.index, filter, (&by, limit), effort)
    };
    let counted: Top = counted(db, caches, reader_id(&reader), filter, (has_dimension, top)).await?;
    Ok(HttpResponse::Ok().json(counted))
}

/// Counts by the kept counts where they have the fields, otherwise among the newest events.
pub async fn counted<T: Send + 'static>(
    db: &Db,
    caches: &Caches,
    id: ReaderId,
    filter: Filter,
    (has_dimensions, work): (
        bool,
        impl Fn(&mut Conn, &Caches, &Filter, Effort) -> engine::Result<T> + Clone + Send + 'static,
    ),
) -> Result<T> {
    if has_dimensions {
        return count(db, caches, id, filter, work).await;
    }
    let (caches, access_path) = (caches.clone(), filter.plan());
    let newest = move |conn: &mut Conn| work(conn, &caches, &filter, Effort::Scan);
    Ok(match access_path {
        AccessPath::Key | AccessPath::Order => db.read(id, newest).await?,
        AccessPath::Index => db.scan(id, newest).await?,
    })
}

/// A function that passes values to this one.
type Visit<'a> = &'a mut dyn FnMut(&str, Option<&str>);

/// The actor's id, with their name.
pub fn actor_id(event: &Event, visit: Visit<'_>) {
    if let Some(actor) = &event.common.actor
        && let Some(id) = &actor.id
    {
        visit(id, actor.name.as_deref());
    }
}

/// The first target as `type:id`, with its name.
pub fn record(event: &Event, visit: Visit<'_>) {
    if let Target { kind: Some(kind), id: Some(id), name } = &event.common.target {
        visit(&format!("{kind}:{id}"), name.as_deref());
    }
}

/// The changed fields, with their labels.
pub fn field(event: &Event, visit: Visit<'_>) {
    for change in event.parse_changes() {
        visit(change.field(), change.labels().label.as_deref());
    }
}

pub fn reason(event: &Event, visit: Visit<'_>) {
    each(event.common.outcome_reason.as_deref(), visit);
}

pub fn ip_address(event: &Event, visit: Visit<'_>) {
    each(event.common.ip_address.as_deref(), visit);
}

pub fn user_agent(event: &Event, visit: Visit<'_>) {
    each(event.common.user_agent.as_deref(), visit);
}

fn each(value: Option<&str>, visit: Visit<'_>) {
    if let Some(value) = value {
        visit(value, None);
    }
}
