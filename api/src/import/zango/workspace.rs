//! The workspace of an app's events, created with the app's own name, time zone and date format.

use super::tables::TENANTS;
use crate::{
    accounts::workspaces::{DATE_FORMATS, NewWorkspace},
    import::{
        ImportError,
        source::{Read, Source},
    },
};

/// # Errors
/// When a folder names its tenants and this is not one of them.
pub(super) fn of_tenant(source: &Source, schema: &str, slug: &str) -> Result<NewWorkspace, ImportError> {
    let Tenant { name, timezone, date_format } = tenant(source, schema)?.unwrap_or_default();
    Ok(NewWorkspace {
        slug: slug.to_owned(),
        name: name.map_or_else(|| slug.to_owned(), |name| name.chars().take(200).collect()),
        timezone: timezone
            .filter(|zone| zone.parse::<chrono_tz::Tz>().is_ok())
            .unwrap_or_else(|| "UTC".into()),
        date_format: date_format.as_deref().map_or(DATE_FORMATS[0], ours).to_owned(),
    })
}

#[derive(Default)]
struct Tenant {
    name: Option<String>,
    timezone: Option<String>,
    date_format: Option<String>,
}

fn tenant(source: &Source, schema: &str) -> Result<Option<Tenant>, ImportError> {
    let Some(mut stream) = source.find(&TENANTS)? else { return Ok(None) };
    let mut schemas = Vec::new();
    while let Some(read) = stream.next(source)? {
        let Read::Row(row) = read else { continue };
        let Some(name) = row.text("schema_name") else { continue };
        if name == schema {
            return Ok(Some(Tenant {
                name: row.owned("name"),
                timezone: row.owned("timezone"),
                date_format: row.owned("date_format"),
            }));
        }
        schemas.push(name.to_owned());
    }
    // A folder does not say whose tables it holds: a typing mistake would import everything a second time, under
    // another name. In a database the schema itself was checked, and an empty table says nothing.
    if !source.is_folder() || schemas.is_empty() {
        return Ok(None);
    }
    Err(ImportError::Source {
        location: source.to_string(),
        reason: format!(
            "there is no tenant with the schema {schema} in {}; it has {}",
            TENANTS.name,
            schemas.join(", ")
        ),
    })
}

/// Zango's choices of a date format, in Django's notation, as the nearest of ours.
fn ours(format: &str) -> &'static str {
    match format {
        "%m/%d/%Y" | "%m/%d/%y" => "mm/dd/yyyy",
        "%Y-%m-%d" => "yyyy-mm-dd",
        "%d %b %Y" | "%d %B %Y" => "dd mmm yyyy",
        _ => "dd/mm/yyyy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_formats() {
        for (format, expected) in [
            ("%d/%m/%Y", "dd/mm/yyyy"),
            ("%d/%m/%y", "dd/mm/yyyy"),
            ("%m/%d/%y", "mm/dd/yyyy"),
            ("%m/%d/%Y", "mm/dd/yyyy"),
            ("%Y-%m-%d", "yyyy-mm-dd"),
            ("%d %b %Y", "dd mmm yyyy"),
            ("%d %B %Y", "dd mmm yyyy"),
            ("whatever", "dd/mm/yyyy"),
        ] {
            assert_eq!(ours(format), expected, "{format}");
            assert!(DATE_FORMATS.contains(&ours(format)));
        }
    }
}
