//! Suggestions: who and what was seen in the logs, for somebody who types a part of a name.

use actix_web::{HttpResponse, web};
use logbook_engine::{
    caches::Caches,
    db::{Conn, Db},
    event::Log,
    timeline::suggest::{self, Field, Suggestion},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    auth::{Read, Reader, readable_logs},
    http::{
        error::{Problem, ReadProblems, Result},
        params::Params,
        path::WorkspacePath,
    },
    routes::logs::log::reader_id,
};

/// Names and ids in the logs, as what a handler reads.
pub struct Suggestions;

impl Read for Suggestions {
    fn name() -> &'static str {
        "suggest"
    }
}

#[derive(Serialize, ToSchema)]
pub struct SuggestionList {
    pub data: Vec<Suggestion>,
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SuggestField {
    Actor,
    Record,
    Component,
    Target,
    Metadata,
}

#[derive(Clone, Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct SuggestParams {
    /// What is wanted: an `actor` (also those on whose behalf somebody acted), a `record`, a `component`, any `target`,
    /// or a path in the `metadata`, whose newest value is its name.
    #[param(inline, example = "actor")]
    pub field: SuggestField,
    /// A part of its name or id, or of the path, in any case. Without it: what was seen last.
    #[serde(default)]
    #[validate(length(max = 200))]
    #[param(max_length = 200, nullable = false, example = "asha")]
    pub q: Option<String>,
    /// The log. Default: `application` for records, `framework` for components, else these and `access`.
    #[serde(default)]
    #[validate(length(max = 32))]
    #[param(max_length = 32, nullable = false, example = "access")]
    pub log: Option<String>,
    /// Maximum number of suggestions.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 20))]
    #[param(minimum = 1, maximum = 20, default = 10)]
    pub limit: u32,
}

fn default_limit() -> u32 {
    10
}

impl SuggestParams {
    /// The logs to look in, of those that the caller may read.
    fn logs(&self, readable: &'static [Log]) -> Result<&'static [Log]> {
        let Some(name) = &self.log else {
            return Ok(match self.field {
                SuggestField::Record => &[Log::Application],
                SuggestField::Component => &[Log::Framework],
                SuggestField::Actor | SuggestField::Target | SuggestField::Metadata => &Log::OF_PRODUCERS,
            });
        };
        readable.iter().position(|log| log.as_str() == name).map(|n| &readable[n..=n]).ok_or_else(|| {
            let names: Vec<_> = readable.iter().map(|log| log.as_str()).collect();
            Problem::parameter("log", format!("must be one of {}", names.join(", ")))
        })
    }
}

/// Suggests actors, records, components or targets that were seen in the logs and have a text in their name or id.
///
/// They come from the 120 newest events that the text is found in: first what begins with it, then what was seen last.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/suggest", operation_id = "suggest", tag = "Timeline",
    params(WorkspacePath, SuggestParams),
    responses((status = 200, description = "The suggestions", body = SuggestionList), ReadProblems)
)]
pub async fn suggest(
    db: web::Data<Db>,
    caches: web::Data<Caches>,
    mut reader: Reader<Suggestions>,
    params: Params<(SuggestParams,)>,
) -> Result<HttpResponse> {
    let (params,) = params.0;
    let readable = readable_logs(reader.role);
    let logs = params.logs(readable)?;
    let field = match params.field {
        SuggestField::Actor => Field::Actor,
        SuggestField::Record => Field::Record,
        SuggestField::Component => Field::Component,
        SuggestField::Target => Field::Target,
        SuggestField::Metadata => Field::Metadata,
    };
    let (index, workspace_id) = (caches.index.clone(), reader.workspace.id);
    let (text, limit) = (params.q.unwrap_or_default(), params.limit as usize);
    let searches = !text.is_empty();
    let suggest =
        move |conn: &mut Conn| suggest::suggest(conn, &index, (workspace_id, logs), field, &text, limit);
    let id = reader_id(&reader);
    let data = if searches { db.scan(id, suggest).await? } else { db.read(id, suggest).await? };
    reader.read.returns(data.len());
    Ok(HttpResponse::Ok().json(SuggestionList { data }))
}
