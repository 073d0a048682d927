//! Looks up events of which seq and about the time are known, on PostgreSQL.
//!
//! The seqs alone would be looked up in each partition of the whole range: those of a year, in thirteen. Each with its own
//! times is looked up in one partition, or in two. It costs six times as much there, so that it is worth it only for a long range.

use diesel::{
    QueryResult, RunQueryDsl, Selectable,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Integer},
    sqlite::Sqlite,
};

use super::{
    Backend, Conn,
    timestamp::{Timestamp, TimestampSql},
};

/// From this long a range on, in microseconds: about six partitions.
const LONG: i64 = 160 * 86_400 * 1_000_000;

/// An event that is looked up: its seq, and two times that it is not outside of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Near {
    pub seq: i64,
    pub from: Timestamp,
    pub to: Timestamp,
}

/// Whether events are better looked up each with its own times.
pub fn is_better(conn: &Conn, events: &[Near]) -> bool {
    let from = events.iter().map(|near| near.from.0).min();
    let to = events.iter().map(|near| near.to.0).max();
    matches!(conn, Conn::Pg(_)) && from.zip(to).is_some_and(|(from, to)| to.saturating_sub(from) >= LONG)
}

/// The events, as rows of a [`Selectable`] type.
#[derive(Debug, Clone)]
pub struct NearQuery<S> {
    selection: S,
    workspace_id: i32,
    seqs: Vec<i64>,
    from: Vec<Timestamp>,
    to: Vec<Timestamp>,
}

impl<S> NearQuery<S> {
    pub fn new<R: Selectable<Backend, SelectExpression = S>>(workspace_id: i32, events: &[Near]) -> Self {
        Self {
            selection: R::construct_selection(),
            workspace_id,
            seqs: events.iter().map(|near| near.seq).collect(),
            from: events.iter().map(|near| near.from).collect(),
            to: events.iter().map(|near| near.to).collect(),
        }
    }
}

impl<S: QueryId> QueryId for NearQuery<S> {
    type QueryId = NearQuery<S::QueryId>;
    const HAS_STATIC_QUERY_ID: bool = S::HAS_STATIC_QUERY_ID;
}

impl<S: diesel::Expression> Query for NearQuery<S> {
    type SqlType = S::SqlType;
}

impl<S> RunQueryDsl<Conn> for NearQuery<S> {}

impl<S: QueryFragment<Pg>> QueryFragment<Pg> for NearQuery<S> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        self.selection.walk_ast(out.reborrow())?;
        out.push_sql(" FROM unnest(");
        out.push_bind_param::<Array<BigInt>, _>(&self.seqs)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<TimestampSql>, _>(&self.from)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<TimestampSql>, _>(&self.to)?;
        out.push_sql(") AS near (seq, earliest, latest) JOIN events ON events.workspace_id = ");
        out.push_bind_param::<Integer, _>(&self.workspace_id)?;
        out.push_sql(
            " AND events.seq = near.seq AND events.occurred_at BETWEEN near.earliest AND near.latest",
        );
        Ok(())
    }
}

/// SQLite has no partitions, and no arrays.
impl<S> QueryFragment<Sqlite> for NearQuery<S> {
    fn walk_ast<'b>(&'b self, _: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        Err(diesel::result::Error::QueryBuilderError("only for PostgreSQL".into()))
    }
}

impl<S> QueryFragment<Backend> for NearQuery<S>
where
    Self: QueryFragment<Pg> + QueryFragment<Sqlite>,
{
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        Backend::walk_variant_ast(self, pass)
    }
}
