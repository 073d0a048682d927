//! Writes the figures of all measured sizes into docs/PERFORMANCE.md, between its two marks, and the plot beside it.

use std::{fmt::Write as _, fs, path::Path};

use crate::{
    cases::Group,
    plot::{self, count, worst_of},
    report::{CaseFigures, Report, Run, milliseconds},
};

const PAGE: &str = "docs/PERFORMANCE.md";
const PLOT: &str = "docs/performance.svg";
const BEGIN: &str = "<!-- figures: written by `make bench PUBLISH=1` -->";
/// The budget of growth from one size to the next, and the smallest size from which it is told: smaller ones fit into
/// the caches.
const MOST_GROWTH: f64 = 2.0;
const GROWTH_FROM: u64 = 1_000_000;
const END: &str = "<!-- end of figures -->";

/// Reads the results of each size from the target folder and writes the page.
///
/// # Errors
/// A text for the terminal.
pub(crate) fn publish(target: &Path) -> Result<(), String> {
    let reports = read(target)?;
    if reports.is_empty() {
        return Err(format!("no results in {}: run make bench first", target.display()));
    }
    let page = fs::read_to_string(PAGE).map_err(|error| format!("{PAGE}: {error}"))?;
    let (before, rest) = page.split_once(BEGIN).ok_or(format!("{PAGE} lacks the line {BEGIN}"))?;
    let (_, after) = rest.split_once(END).ok_or(format!("{PAGE} lacks the line {END}"))?;
    let page = format!("{before}{BEGIN}\n\n{}\n{END}{after}", figures(&reports));
    let write = |path: &str, text: &str| fs::write(path, text).map_err(|error| format!("{path}: {error}"));
    write(PLOT, &plot::svg(&reports))?;
    write(PAGE, &page)
}

/// The smallest first.
fn read(target: &Path) -> Result<Vec<Report>, String> {
    let mut reports = Vec::new();
    for entry in fs::read_dir(target).map_err(|error| error.to_string())?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let size = name.strip_prefix("bench-").and_then(|name| name.strip_suffix(".json"));
        if size.is_some_and(|size| size.parse::<u64>().is_ok()) {
            let text = fs::read_to_string(entry.path()).map_err(|error| error.to_string())?;
            let report: Report = serde_json::from_str(&text).map_err(|error| format!("{name}: {error}"))?;
            reports.push(report);
        }
    }
    reports.sort_by_key(|report| report.events);
    Ok(reports)
}

/// The generated part of the page, as Markdown.
pub(crate) fn figures(reports: &[Report]) -> String {
    let mut text = String::new();
    if let Some(Report { machine, .. }) = reports.last() {
        let _ = writeln!(
            text,
            "On {}, {} processors, {:.0} GB of memory, {}; the server, the database and the load generator share them.\n",
            machine.processor, machine.processors, machine.memory_gb, machine.system
        );
    }
    text.push_str("![How each group of cases grows](performance.svg)\n");
    for database in ["sqlite", "postgres"] {
        let runs: Vec<(u64, &Run)> = reports
            .iter()
            .filter_map(|report| {
                Some((report.events, report.runs.iter().find(|run| run.database == database)?))
            })
            .collect();
        if let Some((_, last)) = runs.last() {
            let _ = writeln!(text, "\n### {}\n", last.version);
            let measured = runs.iter().map(|(events, run)| {
                format!("{} events on {} (`{}`)", count(*events as f64), &run.measured_at[..10], run.commit)
            });
            let _ = writeln!(text, "Measured with {}.", measured.collect::<Vec<_>>().join(", "));
            if !last.settings.is_empty() {
                let _ = writeln!(text, "Settings: `{}`; all else as it comes.", last.settings.join("`, `"));
            }
            groups(&mut text, &runs);
            others(&mut text, &runs);
            storage(&mut text, &runs);
            every_case(&mut text, &runs, last);
            growth(&mut text, &runs);
        }
    }
    text
}

fn header(text: &mut String, first: &str, runs: &[(u64, &Run)], each: &str, last: &str) {
    let sizes: Vec<String> =
        runs.iter().map(|(events, _)| format!("{}{each}", count(*events as f64))).collect();
    let _ = writeln!(text, "\n| {first} | {}{last} |", sizes.join(" | "));
    let columns = 1 + runs.len() + last.matches('|').count();
    let _ = writeln!(text, "|{}", " --- |".repeat(columns));
}

fn groups(text: &mut String, runs: &[(u64, &Run)]) {
    header(text, "worst p95 of the group, ms (the usual way's worst p50)", runs, " events", "");
    for group in Group::DRAWN {
        let cells = runs.iter().map(|(_, run)| {
            let ours = worst_of(run, group, |case| Some(case.p95_ms)).map_or("-".into(), milliseconds);
            let usual = worst_of(run, group, |case| case.usual_p50_ms).map_or("-".into(), milliseconds);
            let stopped = run.cases.iter().any(|case| case.group == group.name() && case.usual_is_longer);
            format!("{ours} ({}{usual})", if stopped { "> " } else { "" })
        });
        let _ = writeln!(text, "| {} | {} |", group.name(), cells.collect::<Vec<_>>().join(" | "));
    }
}

fn others(text: &mut String, runs: &[(u64, &Run)]) {
    header(text, "", runs, " events", "");
    let Some((_, last)) = runs.last() else { return };
    for (what, ..) in last.others() {
        let cells = runs.iter().map(|(_, run)| {
            let others = run.others();
            let same = others.iter().find(|(other, ..)| *other == what);
            same.map_or_else(|| "-".into(), |(_, figure, met)| format!("{figure}{}", mark(*met)))
        });
        let _ = writeln!(text, "| {what} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
}

fn storage(text: &mut String, runs: &[(u64, &Run)]) {
    header(text, "bytes per event", runs, " events", "");
    let Some((_, last)) = runs.last() else { return };
    let mut names: Vec<(&String, f64)> =
        last.bytes_per_event.iter().map(|(name, bytes)| (name, *bytes)).collect();
    names.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (name, _) in names {
        let cells = runs.iter().map(|(_, run)| {
            run.bytes_per_event.get(name).map_or_else(|| "-".into(), |bytes| format!("{bytes:.1}"))
        });
        let _ = writeln!(text, "| `{name}` | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
}

/// Each case: p50 and p95 at each size, and the usual way at the largest.
fn every_case(text: &mut String, runs: &[(u64, &Run)], last: &Run) {
    text.push_str("\n<details><summary>Every case</summary>\n");
    header(text, "p50 / p95, ms", runs, "", " | budget | usual way | times slower");
    for case in &last.cases {
        let cells = runs.iter().map(|(_, run)| {
            let same = run.cases.iter().find(|other| other.name == case.name);
            same.map_or_else(|| "-".into(), |case| format!("{}{}", times(case), mark(case.is_met())))
        });
        let budget = case.budget_p95_ms.map_or_else(|| "-".into(), |budget| format!("{budget:.0}"));
        let factor = case.factor().map_or_else(|| "-".into(), |factor| format!("{factor:.1}"));
        let cells = cells.collect::<Vec<_>>().join(" | ");
        let _ = writeln!(text, "| {} | {cells} | {budget} | {} | {factor} |", case.name, case.usual());
    }
    text.push_str("\n</details>\n");
}

/// How much longer the p95 of each case is at a size than at the one before.
fn growth(text: &mut String, runs: &[(u64, &Run)]) {
    let from = runs.iter().position(|(events, _)| *events >= GROWTH_FROM).unwrap_or(0);
    let pairs: Vec<_> = runs[from..].windows(2).collect();
    let Some((_, last)) = runs.last().filter(|_| !pairs.is_empty()) else { return };
    let ratio = |name: &str, pair: &[(u64, &Run)]| {
        let p95 = |run: &Run| Some(run.cases.iter().find(|case| case.name == name)?.p95_ms);
        let (smaller, larger) = (p95(pair[0].1)?, p95(pair[1].1)?);
        (smaller > 0.0).then_some(larger / smaller)
    };
    let cells = |name: &str| -> Vec<Option<f64>> { pairs.iter().map(|pair| ratio(name, pair)).collect() };
    let rows: Vec<_> = last.cases.iter().map(|case| (&case.name, cells(&case.name))).collect();
    let over = rows.iter().filter(|(_, cells)| cells.iter().flatten().any(|ratio| *ratio > MOST_GROWTH));
    let _ = writeln!(
        text,
        "\n<details><summary>Growth: p95 over the p95 of the size before, more than {MOST_GROWTH:.0} in {} of {} cases</summary>",
        over.count(),
        rows.len()
    );
    let sizes: Vec<String> = pairs
        .iter()
        .map(|pair| format!("{} / {}", count(pair[1].0 as f64), count(pair[0].0 as f64)))
        .collect();
    let _ =
        writeln!(text, "\n| p95 over p95 | {} |\n|{}", sizes.join(" | "), " --- |".repeat(1 + sizes.len()));
    for (name, cells) in rows {
        let cells = cells.into_iter().map(|ratio| match ratio {
            Some(ratio) => format!("{ratio:.1}{}", mark(Some(ratio <= MOST_GROWTH))),
            None => "-".into(),
        });
        let _ = writeln!(text, "| {name} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
    text.push_str("\n</details>\n");
}

fn times(case: &CaseFigures) -> String {
    format!("{} / {}", milliseconds(case.p50_ms), milliseconds(case.p95_ms))
}

/// Only missed budgets are marked, so that a reader finds what is wrong.
fn mark(met: Option<bool>) -> &'static str {
    if met == Some(false) { " **over**" } else { "" }
}
