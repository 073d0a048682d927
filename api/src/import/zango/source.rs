//! Where the rows come from: a folder of CSV files, or a PostgreSQL database.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    ImportError,
    folder::CsvTable,
    row::{Reason, Row},
    tables::{OBJECTS, TableSpec},
};
use crate::import::postgres::{Join, SourceDb, Table};

/// The joined column of the audit log's rows; see [`Source::read_with_uuids`].
pub(super) const OBJECT_UUID: &str = "object_uuid";
/// The audit log's column that leads to it.
pub(super) const OBJECT_REF: &str = "object_ref_id";

/// Rows that are fetched from a database at a time.
const PAGE: usize = 1000;

/// A row, or the rest of one and the reason why it cannot be read.
#[derive(Debug)]
pub(super) enum Read {
    Row(Row),
    Bad { row: Row, reason: Reason },
}

/// A source of tables.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Folder { path: PathBuf, schema: String },
    Postgres { url: String, schema: String },
}

impl Source {
    /// # Errors
    /// When the folder, server or schema does not exist.
    pub(super) fn open(from: &str, schema: &str) -> Result<Self, ImportError> {
        let schema = schema.to_owned();
        if from.starts_with("postgres://") || from.starts_with("postgresql://") {
            let source = Self::Postgres { url: from.to_owned(), schema };
            let found =
                source.connect()?.has_schema(source.schema()).map_err(|error| source.broken(&error))?;
            return if found {
                Ok(source)
            } else {
                Err(ImportError::Source {
                    location: source.to_string(),
                    reason: "there is no such schema".into(),
                })
            };
        }
        let path = PathBuf::from(from);
        match std::fs::read_dir(&path) {
            Ok(_) => Ok(Self::Folder { path, schema }),
            Err(error) => Err(ImportError::Source {
                location: path.display().to_string(),
                reason: format!("the folder cannot be read: {error}"),
            }),
        }
    }

    fn schema(&self) -> &str {
        match self {
            Self::Folder { schema, .. } | Self::Postgres { schema, .. } => schema,
        }
    }

    fn schema_of(&self, table: &TableSpec) -> &str {
        if table.public { "public" } else { self.schema() }
    }

    fn connect(&self) -> Result<SourceDb, ImportError> {
        match self {
            Self::Postgres { url, .. } => SourceDb::open(url).map_err(|error| self.broken(&error)),
            Self::Folder { .. } => Err(self.broken(&"a folder is not a database")),
        }
    }

    fn broken(&self, reason: &dyn std::fmt::Display) -> ImportError {
        ImportError::Source { location: self.to_string(), reason: reason.to_string() }
    }

    /// # Errors
    /// When the table or one of its columns does not exist.
    pub(super) fn require(&self, table: &TableSpec) -> Result<(), ImportError> {
        let found = match self {
            Self::Folder { path, .. } => {
                self.file(path, table).map(|file| CsvTable::open_header(&file, table)).transpose()?.map(drop)
            }
            Self::Postgres { .. } => self.columns(&mut self.connect()?, table)?.map(drop),
        };
        found.ok_or_else(|| self.no_table(table))
    }

    /// The table as a stream of its rows after an id, in order of id. None when the source has no such table.
    pub(super) fn find(&self, table: &TableSpec, after: i64) -> Result<Option<Stream>, ImportError> {
        self.stream(table, after, None, false)
    }

    /// Like [`Source::find`], for a table that must exist.
    pub(super) fn read(&self, table: &TableSpec, after: i64) -> Result<Stream, ImportError> {
        self.find(table, after)?.ok_or_else(|| self.no_table(table))
    }

    /// Only the rows that have a value in `column`.
    pub(super) fn read_where_set(
        &self,
        table: &TableSpec,
        column: &'static str,
    ) -> Result<Stream, ImportError> {
        self.stream(table, 0, Some(column), false)?.ok_or_else(|| self.no_table(table))
    }

    /// With the column [`OBJECT_UUID`] beside the table's own where the source can look it up itself: a database
    /// joins it in, so that nobody holds all objects of an app in memory.
    pub(super) fn read_with_uuids(&self, table: &TableSpec, after: i64) -> Result<Stream, ImportError> {
        self.stream(table, after, None, true)?.ok_or_else(|| self.no_table(table))
    }

    /// Whether [`Source::open`] checked that the schema exists.
    pub(super) fn has_schemas(&self) -> bool {
        matches!(self, Self::Postgres { .. })
    }

    /// Whether [`Source::read_with_uuids`] gives them.
    pub(super) fn joins_uuids(&self) -> bool {
        matches!(self, Self::Postgres { .. })
    }

    fn no_table(&self, table: &TableSpec) -> ImportError {
        let what = match self {
            Self::Folder { .. } => format!("there is no file {}.csv", table.name),
            Self::Postgres { .. } => format!("there is no table {}.{}", self.schema_of(table), table.name),
        };
        self.broken(&what)
    }

    fn stream(
        &self,
        table: &TableSpec,
        after: i64,
        not_null: Option<&'static str>,
        with_uuids: bool,
    ) -> Result<Option<Stream>, ImportError> {
        match self {
            Self::Folder { path, .. } => {
                let Some(file) = self.file(path, table) else { return Ok(None) };
                let csv = CsvTable::open(&file, table, after, not_null)?;
                Ok(Some(Stream { table: table.name, total: csv.total, rows: Rows::Csv(Box::new(csv)) }))
            }
            Self::Postgres { .. } => {
                let mut conn = self.connect()?;
                let Some(columns) = self.columns(&mut conn, table)? else { return Ok(None) };
                // A missing optional column has no values.
                let no_values = not_null.is_some_and(|column| !columns.iter().any(|name| name == column));
                let join = if with_uuids && columns.iter().any(|name| name == OBJECT_REF) {
                    self.columns(&mut conn, &OBJECTS)?.map(|_| Join {
                        table: OBJECTS.name.into(),
                        key: OBJECT_REF.into(),
                        column: OBJECT_UUID.into(),
                    })
                } else {
                    None
                };
                let names: Vec<String> =
                    columns.iter().cloned().chain(join.as_ref().map(|join| join.column.clone())).collect();
                let table_of_source = Table {
                    schema: self.schema_of(table).to_owned(),
                    name: table.name.to_owned(),
                    columns,
                    not_null: not_null.filter(|_| !no_values).map(str::to_owned),
                    join,
                };
                let total = if no_values {
                    0
                } else {
                    conn.count(&table_of_source, after).map_err(|error| self.broken(&error))?
                };
                let rows = PgRows {
                    conn,
                    table: table_of_source,
                    columns: names.into(),
                    after,
                    page: VecDeque::new(),
                    done: no_values,
                    location: self.to_string(),
                };
                Ok(Some(Stream { table: table.name, total, rows: Rows::Pg(Box::new(rows)) }))
            }
        }
    }

    /// `<schema>/<table>.csv`, or `<table>.csv` in the folder itself.
    fn file(&self, folder: &Path, table: &TableSpec) -> Option<PathBuf> {
        let name = format!("{}.csv", table.name);
        let paths = [folder.join(self.schema_of(table)).join(&name), folder.join(&name)];
        paths.into_iter().find(|path| path.is_file())
    }

    fn columns(&self, conn: &mut SourceDb, table: &TableSpec) -> Result<Option<Vec<String>>, ImportError> {
        let found = conn.columns(self.schema_of(table), table.name).map_err(|error| self.broken(&error))?;
        if found.is_empty() {
            return Ok(None);
        }
        let location = format!("table {} of {self}", table.name);
        Ok(Some(wanted(&found, table, &location)?))
    }
}

impl std::fmt::Display for Source {
    /// The source, without its password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder { path, .. } => path.display().fmt(f),
            Self::Postgres { url, schema } => match url::Url::parse(url) {
                Ok(url) => {
                    let host = url.host_str().filter(|host| !host.is_empty()).unwrap_or("localhost");
                    write!(
                        f,
                        "schema {schema} of the database {} at {host}",
                        url.path().trim_start_matches('/')
                    )?;
                    url.port().map_or(Ok(()), |port| write!(f, ":{port}"))
                }
                Err(_) => write!(f, "schema {schema} of the PostgreSQL database"),
            },
        }
    }
}

/// The columns that exist and are used.
pub(super) fn wanted(
    found: &[String],
    table: &TableSpec,
    location: &str,
) -> Result<Vec<String>, ImportError> {
    let missing = |column: &&&str| !found.iter().any(|name| name == **column);
    if let Some(column) = ["id"].iter().chain(table.required).find(missing) {
        return Err(ImportError::Source {
            location: location.to_owned(),
            reason: format!("there is no column {column}"),
        });
    }
    let used = |name: &&String| {
        *name == "id" || table.required.contains(&name.as_str()) || table.optional.contains(&name.as_str())
    };
    Ok(found.iter().filter(used).cloned().collect())
}

/// The rows of a table, one by one.
pub(super) struct Stream {
    pub table: &'static str,
    /// How many there are.
    pub total: u64,
    rows: Rows,
}

enum Rows {
    Csv(Box<CsvTable>),
    Pg(Box<PgRows>),
}

impl Iterator for Stream {
    type Item = Result<Read, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.rows {
            Rows::Csv(csv) => csv.next(),
            Rows::Pg(rows) => rows.next(),
        }
    }
}

struct PgRows {
    conn: SourceDb,
    table: Table,
    columns: Arc<[String]>,
    after: i64,
    page: VecDeque<Row>,
    done: bool,
    location: String,
}

impl PgRows {
    fn next(&mut self) -> Option<Result<Read, ImportError>> {
        if self.page.is_empty()
            && !self.done
            && let Err(error) = self.fetch()
        {
            self.done = true;
            return Some(Err(error));
        }
        self.page.pop_front().map(|row| Ok(Read::Row(row)))
    }

    fn fetch(&mut self) -> Result<(), ImportError> {
        let broken = |reason: String| ImportError::Source { location: self.location.clone(), reason };
        let rows = self
            .conn
            .page(&self.table, self.after, PAGE as i64)
            .map_err(|error| broken(error.to_string()))?;
        self.done = rows.len() < PAGE;
        let id_column = self.columns.iter().position(|column| column == "id");
        for values in rows {
            let id = id_column.and_then(|index| values.get(index)?.as_deref()?.parse().ok());
            let id = id.ok_or_else(|| broken(format!("a row of {} has no id", self.table.name)))?;
            self.after = id;
            self.page.push_back(Row::new(id, None, Arc::clone(&self.columns), values));
        }
        Ok(())
    }
}
