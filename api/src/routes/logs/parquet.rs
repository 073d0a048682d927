//! Parquet: the columns of a CSV file, each with its type.
//!
//! Events are collected until they fill a row group. A group that is written is sent; only what the footer says of it stays
//! in memory.

use std::{
    borrow::Cow,
    marker::PhantomData,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use actix_web::rt;
use logbook_engine::event::Event;
use parquet::{
    basic::{Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical},
    data_type::{ByteArray, ByteArrayType, Int64Type},
    errors::{ParquetError, Result},
    file::{
        properties::{EnabledStatistics, WriterProperties},
        writer::{SerializedColumnWriter, SerializedFileWriter},
    },
    schema::types::{ColumnPath, Type, TypePtr},
};

use super::{
    columns::{Cell, Column, columns},
    streamed::Words,
};

/// Bytes of the events of a row group, more or less.
const GROUP_BYTES: usize = 8 * 1024 * 1024;

/// A file while it is written.
pub struct ParquetFile<W> {
    writer: Arc<Mutex<SerializedFileWriter<Vec<u8>>>>,
    /// Those of the next group.
    events: Vec<Event>,
    bytes: usize,
    of: PhantomData<fn() -> W>,
}

impl<W: Words> ParquetFile<W> {
    pub fn new() -> Result<Self> {
        let writer = SerializedFileWriter::new(Vec::new(), schema::<W>()?, Arc::new(properties::<W>()))?;
        let writer = Arc::new(Mutex::new(writer));
        Ok(Self { writer, events: Vec::new(), bytes: 0, of: PhantomData })
    }

    /// Adds events. Returns a group when they fill one.
    pub async fn add(&mut self, events: Vec<Event>) -> Result<Vec<u8>> {
        self.bytes += events.iter().map(Event::bytes).sum::<usize>();
        self.events.extend(events);
        if self.bytes < GROUP_BYTES {
            return Ok(Vec::new());
        }
        self.bytes = 0;
        let events = mem::take(&mut self.events);
        self.write(move |writer| write_group::<W>(writer, &events)).await
    }

    /// The last group and the footer.
    pub async fn end(&mut self) -> Result<Vec<u8>> {
        let events = mem::take(&mut self.events);
        let write = move |writer: &mut SerializedFileWriter<_>| {
            if !events.is_empty() {
                write_group::<W>(writer, &events)?;
            }
            writer.finish().map(drop)
        };
        self.write(write).await
    }

    /// Writes on another thread, since it takes a while. Returns what was written.
    async fn write(
        &self,
        write: impl FnOnce(&mut SerializedFileWriter<Vec<u8>>) -> Result<()> + Send + 'static,
    ) -> Result<Vec<u8>> {
        let writer = self.writer.clone();
        let write = move || {
            let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
            write(&mut writer)?;
            writer.flush()?;
            Ok(mem::take(writer.inner_mut()))
        };
        rt::task::spawn_blocking(write).await.map_err(|error| ParquetError::External(error.into()))?
    }
}

fn schema<W: Words>() -> Result<TypePtr> {
    let field = |Column { name, is_required, cell }: Column| {
        let repetition = if is_required { Repetition::REQUIRED } else { Repetition::OPTIONAL };
        let (physical, logical) = match cell {
            Cell::Text(_) => (Physical::BYTE_ARRAY, LogicalType::String),
            Cell::Json(_) => (Physical::BYTE_ARRAY, LogicalType::Json),
            Cell::Number(_) => (Physical::INT64, LogicalType::integer(64, true)),
            Cell::Time(_) => (Physical::INT64, LogicalType::timestamp(true, TimeUnit::MICROS)),
        };
        let builder = Type::primitive_type_builder(name, physical);
        builder.with_repetition(repetition).with_logical_type(Some(logical)).build().map(Arc::new)
    };
    let fields = columns::<W>().map(field).collect::<Result<_>>()?;
    Type::group_type_builder("event").with_fields(fields).build().map(Arc::new)
}

fn properties<W: Words>() -> WriterProperties {
    let all = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        // They are kept until the end, and a group has few pages.
        .set_offset_index_disabled(true);
    let all = columns::<W>().fold(all, |all, Column { name, cell, .. }| {
        let path = ColumnPath::from(name);
        match cell {
            Cell::Text(_) => all,
            // Nobody looks for the least JSON.
            Cell::Json(_) => all.set_column_statistics_enabled(path, EnabledStatistics::None),
            Cell::Number(_) | Cell::Time(_) => all
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED),
        }
    });
    // Each event has another one.
    all.set_column_dictionary_enabled("id".into(), false).build()
}

fn write_group<W: Words>(writer: &mut SerializedFileWriter<Vec<u8>>, events: &[Event]) -> Result<()> {
    let mut group = writer.next_row_group()?;
    for Column { is_required, cell, .. } in columns::<W>() {
        let Some(mut column) = group.next_column()? else { break };
        match cell {
            Cell::Text(cell) | Cell::Json(cell) => {
                let bytes = |text: Cow<'_, str>| ByteArray::from(text.into_owned().into_bytes());
                let cells: Vec<_> = events.iter().map(|event| cell(event).map(bytes)).collect();
                write_cells::<ByteArrayType>(&mut column, is_required, cells)?;
            }
            Cell::Number(cell) => {
                let cells = events.iter().map(cell).collect();
                write_cells::<Int64Type>(&mut column, is_required, cells)?;
            }
            Cell::Time(cell) => {
                let cells = events.iter().map(|event| cell(event).map(|at| at.0)).collect();
                write_cells::<Int64Type>(&mut column, is_required, cells)?;
            }
        }
        column.close()?;
    }
    group.close().map(drop)
}

fn write_cells<T: parquet::data_type::DataType>(
    column: &mut SerializedColumnWriter<'_>,
    is_required: bool,
    cells: Vec<Option<T::T>>,
) -> Result<()> {
    // 1 where there is a value.
    let levels: Option<Vec<i16>> =
        (!is_required).then(|| cells.iter().map(|cell| i16::from(cell.is_some())).collect());
    let values: Vec<T::T> = cells.into_iter().flatten().collect();
    column.typed::<T>().write_batch(&values, levels.as_deref(), None).map(drop)
}
