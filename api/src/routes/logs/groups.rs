//! Events grouped by the values of one or two fields of a log.

use actix_web::HttpResponse;
use logbook_engine::{
    caches::Caches,
    counts::{
        Effort,
        groups::{self, Grouping, Groups, MOST_FIELDS},
    },
    db::{Conn, Db},
    filter::Filter,
};
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use crate::{
    auth::Reader,
    http::error::{Problem, Result},
    routes::logs::{
        log::{LogKind, filter, reader_id},
        params::RangeParams,
        top::{self, TopFilters, counted},
    },
};

#[derive(Clone, Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct GroupParams {
    /// One or two fields, by the log's own names; the same as of `top`.
    #[serde(default)]
    #[param(min_items = 1, max_items = 2, example = json!(["user_id", "ip_address"]), nullable = false)]
    pub field: Vec<String>,
    /// Maximum number of groups.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 20)]
    pub limit: u32,
    /// Maximum number of points of a group's series.
    #[serde(default = "default_points")]
    #[validate(range(min = 1, max = 60))]
    #[param(minimum = 1, maximum = 60, default = 30)]
    pub points: u32,
}

fn default_limit() -> u32 {
    20
}

fn default_points() -> u32 {
    30
}

pub async fn groups<L: LogKind>(
    db: &Db,
    caches: &Caches,
    reader: Reader<L>,
    (range, TopFilters(own), params): (RangeParams, TopFilters<L>, GroupParams),
) -> Result<HttpResponse> {
    let filter = filter(&reader, &range, own)?;
    let GroupParams { field, limit, points } = params;
    if !(1..=MOST_FIELDS).contains(&field.len()) {
        return Err(Problem::parameter("field", "must be given once or twice"));
    }
    if field.len() > 1 && field[0] == field[1] {
        return Err(Problem::parameter("field", "must be two different fields"));
    }
    let by = field.iter().map(|field| top::by::<L>(field)).collect::<Result<Vec<_>>>()?;
    let has_dimensions = groups::dimensions(&by).is_some();
    let grouping = Grouping { by, limit: limit as usize, points: points as usize };
    let group = move |conn: &mut Conn, caches: &Caches, filter: &Filter, effort: Effort| {
        groups::groups(conn, &caches.counts, &caches.index, filter, &grouping, effort)
    };
    let counted: Groups = counted(db, caches, reader_id(&reader), filter, (has_dimensions, group)).await?;
    Ok(HttpResponse::Ok().json(counted))
}
