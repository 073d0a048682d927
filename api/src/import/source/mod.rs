//! Where the rows come from: a PostgreSQL database, a SQLite file, or a folder of CSV files.

mod database;
mod folder;
mod postgres;
mod sqlite;
mod stream;
mod table;

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use logbook_engine::db;

use super::{
    ImportError,
    ids::IdSet,
    row::{Reason, Row},
};
use database::{Database, FoundLookup, RowsQuery, Values};
use folder::CsvTable;
pub(super) use stream::Stream;
pub(super) use table::{Lookup, TableSpec};

/// A row, or the rest of one and the reason why it cannot be read.
#[derive(Debug)]
pub(super) enum Read {
    Row(Row),
    Bad { row: Row, reason: Reason },
}

#[derive(Debug)]
enum Place {
    Folder(PathBuf),
    Postgres(String),
    Sqlite(PathBuf),
}

/// A source of tables. Its database has one connection, which is opened when it is needed and closed after an error.
pub(super) struct Source {
    place: Place,
    schema: String,
    open: RefCell<Option<Open>>,
    /// The time that its database has spent on looking for what is new.
    searched: Cell<Duration>,
}

struct Open {
    database: Box<dyn Database>,
    /// Of the tables that were asked for.
    columns: HashMap<(String, String), Vec<String>>,
}

impl Source {
    /// # Errors
    /// When the folder, file, server or schema does not exist.
    pub(super) fn open(from: &str, schema: &str) -> Result<Self, ImportError> {
        let place = if from.starts_with("postgres://") || from.starts_with("postgresql://") {
            Place::Postgres(from.to_owned())
        } else {
            let path = Path::new(from.strip_prefix("sqlite://").unwrap_or(from));
            if path.is_file() { Place::Sqlite(path.to_owned()) } else { Place::Folder(path.to_owned()) }
        };
        let (open, searched) = (RefCell::default(), Cell::default());
        let source = Self { place, schema: schema.to_owned(), open, searched };
        if let Place::Folder(path) = &source.place {
            std::fs::read_dir(path)
                .map_err(|error| source.broken(&format!("the folder cannot be read: {error}")))?;
        } else if !source.ask(|database| database.has_schema(schema))? {
            return Err(source.broken(&"there is no such schema"));
        }
        Ok(source)
    }

    /// A folder has no schemas, and nothing is looked up in it.
    pub(super) fn is_folder(&self) -> bool {
        matches!(self.place, Place::Folder(_))
    }

    pub(super) fn is_postgres(&self) -> bool {
        matches!(self.place, Place::Postgres(_))
    }

    /// The name of the database, file or folder.
    pub(super) fn name(&self) -> String {
        let stem = |path: &Path| path.file_stem().map(|name| name.to_string_lossy().into_owned());
        match &self.place {
            Place::Folder(path) => path.canonicalize().ok().and_then(|path| stem(&path)),
            Place::Sqlite(path) => stem(path),
            Place::Postgres(url) => {
                url::Url::parse(url).ok().map(|url| url.path().trim_start_matches('/').to_owned())
            }
        }
        .unwrap_or_default()
    }

    /// Asks the database whether it is there. A connection that broke while it was idle is replaced, and one to a file that
    /// another has replaced.
    pub(super) fn wake(&self) -> Result<(), ImportError> {
        if self.is_folder() {
            return Ok(());
        }
        self.open.borrow_mut().take_if(|open| !open.database.is_current());
        let ask = || self.ask(|database| database.has_schema(&self.schema)).map(drop);
        ask().or_else(|_| ask())
    }

    /// Looks up the columns of its tables again: an app that is upgraded adds some.
    pub(super) fn forget_columns(&self) {
        if let Some(open) = &mut *self.open.borrow_mut() {
            open.columns.clear();
        }
    }

    /// How long its database has looked for what is new since this was last called.
    pub(super) fn take_searched(&self) -> Duration {
        self.searched.take()
    }

    /// # Errors
    /// When the table or one of its columns does not exist.
    pub(super) fn require(&self, table: &TableSpec) -> Result<(), ImportError> {
        if self.has(table)? { Ok(()) } else { Err(self.no_table(table)) }
    }

    /// # Errors
    /// When one of its columns does not exist.
    pub(super) fn has(&self, table: &TableSpec) -> Result<bool, ImportError> {
        Ok(match &self.place {
            Place::Folder(path) => {
                self.file(path, table).map(|file| CsvTable::open_header(&file, table)).transpose()?.is_some()
            }
            _ => self.columns(table)?.is_some(),
        })
    }

    /// Whether the table is there and has the column.
    pub(super) fn has_column(&self, table: &TableSpec, column: &str) -> Result<bool, ImportError> {
        Ok(match &self.place {
            Place::Folder(path) => match self.file(path, table) {
                Some(file) => CsvTable::open_header(&file, table)?.1.iter().any(|name| name == column),
                None => false,
            },
            _ => self.all_columns(table)?.iter().any(|name| name == column),
        })
    }

    /// All rows of the table, in order of id if it is numbered. None when the source has no such table.
    pub(super) fn find(&self, table: &TableSpec) -> Result<Option<Stream>, ImportError> {
        self.find_ids(table, &[], vec![1..=i64::MAX])
    }

    /// Rows of the table whose ids are in these ranges, in order of id. A folder returns all rows. None when the source has no
    /// such table.
    pub(super) fn find_ids(
        &self,
        table: &TableSpec,
        lookups: &[Lookup],
        ids: Vec<std::ops::RangeInclusive<i64>>,
    ) -> Result<Option<Stream>, ImportError> {
        if let Place::Folder(path) = &self.place {
            let Some(file) = self.file(path, table) else { return Ok(None) };
            return Ok(Some(Stream::csv(table, CsvTable::open(&file, table, None)?)));
        }
        let Some(columns) = self.columns(table)? else { return Ok(None) };
        let mut names = columns.clone();
        let mut found = Vec::new();
        for Lookup { table: other, key, by, columns: wanted } in lookups {
            if !columns.iter().any(|name| name == key) {
                continue;
            }
            let all = self.all_columns(other)?;
            if !all.iter().any(|name| name == by) {
                continue;
            }
            let there: Vec<_> =
                wanted.iter().filter(|(column, _)| all.iter().any(|name| name == column)).collect();
            names.extend(there.iter().map(|(_, name)| (*name).to_owned()));
            let columns: Vec<String> = there.iter().map(|(column, _)| (*column).to_owned()).collect();
            if !columns.is_empty() {
                let (key, by) = ((*key).to_owned(), (*by).to_owned());
                found.push(FoundLookup { table: other.name.clone().into_owned(), key, by, columns });
            }
        }
        let query = RowsQuery {
            schema: self.schema_of(table).to_owned(),
            table: table.name.clone().into_owned(),
            columns,
            lookups: found,
        };
        Ok(Some(Stream::rows(query, names, ids)))
    }

    /// The rows of a folder's table that have a value in the column.
    pub(super) fn find_with_value(
        &self,
        table: &TableSpec,
        column: &'static str,
    ) -> Result<Option<Stream>, ImportError> {
        let Place::Folder(path) = &self.place else { return Ok(None) };
        let Some(file) = self.file(path, table) else { return Ok(None) };
        Ok(Some(Stream::csv(table, CsvTable::open(&file, table, Some(column))?)))
    }

    /// How many rows of a database's table have an id above `after`.
    pub(super) fn count(&self, table: &TableSpec, after: i64) -> Result<u64, ImportError> {
        if self.columns(table)?.is_none() {
            return Ok(0);
        }
        self.ask(|database| database.count(self.schema_of(table), &table.name, after))
    }

    /// The rows of a database's table whose number in the column is larger than `known` says, or which have any value there.
    /// `all` is every row that has a value.
    pub(super) fn grown(
        &self,
        table: &TableSpec,
        column: &str,
        number: bool,
        known: impl Fn(i64) -> i64,
    ) -> Result<Grown, ImportError> {
        let mut grown = Grown::default();
        let columns = self.columns(table)?.unwrap_or_default();
        // A missing optional column has no values.
        if !columns.iter().any(|name| name == column) {
            return Ok(grown);
        }
        let mut take = |id: i64, value: i64| {
            if value > known(id) {
                grown.new.insert(id);
            }
            if number {
                grown.all.insert(id);
            }
        };
        let schema = self.schema_of(table);
        self.search(|database| database.each_with_value(schema, &table.name, column, number, &mut take))?;
        Ok(grown)
    }

    fn schema_of(&self, table: &TableSpec) -> &str {
        if table.public { "public" } else { &self.schema }
    }

    fn no_table(&self, table: &TableSpec) -> ImportError {
        let what = match &self.place {
            Place::Folder(_) => format!("there is no file {}.csv", table.name),
            Place::Sqlite(_) => format!("there is no table {}", table.name),
            Place::Postgres(_) => format!("there is no table {}.{}", self.schema_of(table), table.name),
        };
        self.broken(&what)
    }

    fn broken(&self, reason: &dyn std::fmt::Display) -> ImportError {
        ImportError::Source { location: self.to_string(), reason: reason.to_string() }
    }

    /// `<schema>/<table>.csv`, or `<table>.csv` in the folder itself.
    fn file(&self, folder: &Path, table: &TableSpec) -> Option<PathBuf> {
        let name = format!("{}.csv", table.name);
        let paths = [folder.join(self.schema_of(table)).join(&name), folder.join(&name)];
        paths.into_iter().find(|path| path.is_file())
    }

    /// The columns that are used; None when there is no such table.
    fn columns(&self, table: &TableSpec) -> Result<Option<Vec<String>>, ImportError> {
        let found = self.all_columns(table)?;
        if found.is_empty() {
            return Ok(None);
        }
        let location = format!("table {} of {self}", table.name);
        Ok(Some(table.used(&found, &location)?))
    }

    fn all_columns(&self, table: &TableSpec) -> Result<Vec<String>, ImportError> {
        let key = (self.schema_of(table).to_owned(), table.name.clone().into_owned());
        if let Some(columns) = self.open.borrow().as_ref().and_then(|open| open.columns.get(&key)) {
            return Ok(columns.clone());
        }
        let columns = self.ask(|database| database.columns(&key.0, &key.1))?;
        // A table that is not there may come, as the log of failures does when an app is upgraded.
        if let Some(open) = &mut *self.open.borrow_mut()
            && !columns.is_empty()
        {
            open.columns.insert(key, columns.clone());
        }
        Ok(columns)
    }

    /// As [`Source::ask`], counted as search.
    fn search<T>(&self, work: impl FnOnce(&mut dyn Database) -> db::Result<T>) -> Result<T, ImportError> {
        let start = Instant::now();
        let done = self.ask(work);
        self.searched.set(self.searched.get() + start.elapsed());
        done
    }

    fn ask<T>(&self, work: impl FnOnce(&mut dyn Database) -> db::Result<T>) -> Result<T, ImportError> {
        let mut open = self.open.borrow_mut();
        let connect = || -> db::Result<Open> {
            let database: Box<dyn Database> = match &self.place {
                Place::Postgres(url) => Box::new(postgres::Postgres::open(url)?),
                Place::Sqlite(path) => Box::new(sqlite::Sqlite::open(path)?),
                Place::Folder(_) => return Err(db::Error::Setup("a folder is not a database".into())),
            };
            Ok(Open { database, columns: HashMap::new() })
        };
        if open.is_none() {
            *open = Some(connect().map_err(|error| self.broken(&error))?);
        }
        let Some(now) = open.as_mut() else { return Err(self.broken(&"there is no connection")) };
        let done = work(&mut *now.database);
        done.map_err(|error| {
            // Another one may work; and the columns may be others.
            *open = None;
            self.broken(&error)
        })
    }
}

/// What [`Source::grown`] found.
#[derive(Default)]
pub(super) struct Grown {
    pub new: IdSet,
    /// Only of numbers.
    pub all: IdSet,
}

/// A row of a database as its JSON array of texts.
fn parse_values(text: &str) -> db::Result<Values> {
    serde_json::from_str(text).map_err(|error| db::Error::Setup(format!("a row is not JSON: {error}")))
}

impl std::fmt::Display for Source {
    /// The source, without its password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let schema = &self.schema;
        match &self.place {
            Place::Folder(path) | Place::Sqlite(path) => path.display().fmt(f),
            Place::Postgres(url) => match url::Url::parse(url) {
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
