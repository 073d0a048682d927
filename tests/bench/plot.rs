//! The plot of docs/PERFORMANCE.md: how each group of cases grows with the number of events, both axes logarithmic.

use std::fmt::Write as _;

use crate::{
    cases::Group,
    report::{CaseFigures, Report, Run},
};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 500.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 396.0;
/// Left and right end of each database's panel.
const PANELS: [(f64, f64); 2] = [(64.0, 464.0), (544.0, 944.0)];
/// Milliseconds at the axis' ends.
const LEAST_MS: f64 = 0.1;
const MOST_MS: f64 = 100_000.0;
/// Okabe and Ito's colours, which colour-blind readers can tell apart, on white and on black.
const COLOURS: [&str; 6] = ["#0072b2", "#009e73", "#e69f00", "#d55e00", "#cc79a7", "#56b4e9"];

/// The plot of reports with different numbers of events, the smallest first.
pub fn svg(reports: &[Report]) -> String {
    let mut text = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="system-ui, sans-serif" font-size="12">
<title>Worst p95 of each group of cases against the number of events, beside the usual way</title>
<style>
  .ground {{ fill: #ffffff }} .grid {{ stroke: #e2e2e2 }} .frame {{ stroke: #8a8a8a; fill: none }} text {{ fill: #3a3a3a }}
  .budget {{ stroke: #8a8a8a; stroke-dasharray: 2 3 }} .ours {{ fill: none; stroke-width: 2.2 }}
  .usual {{ fill: none; stroke-width: 1.4; stroke-dasharray: 6 4; opacity: 0.75 }}
  @media (prefers-color-scheme: dark) {{
    .ground {{ fill: #0d1117 }} .grid {{ stroke: #2a2f37 }} .frame, .budget {{ stroke: #7d8590 }} text {{ fill: #c9d1d9 }}
  }}
</style>
<rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>
"##
    );
    for (database, ends) in ["sqlite", "postgres"].into_iter().zip(PANELS) {
        panel(&mut text, reports, database, ends);
    }
    legend(&mut text);
    text.push_str("</svg>\n");
    text
}

/// Maps a number of events and a number of milliseconds to a point in a panel.
struct Scale {
    left: f64,
    right: f64,
    least: f64,
    most: f64,
}

impl Scale {
    fn x(&self, events: f64) -> f64 {
        let part = (events.log10() - self.least.log10()) / (self.most.log10() - self.least.log10());
        self.left + part * (self.right - self.left)
    }

    fn y(ms: f64) -> f64 {
        let part =
            (ms.clamp(LEAST_MS, MOST_MS).log10() - LEAST_MS.log10()) / (MOST_MS.log10() - LEAST_MS.log10());
        BOTTOM - part * (BOTTOM - TOP)
    }
}

fn panel(text: &mut String, reports: &[Report], database: &str, (left, right): (f64, f64)) {
    let runs: Vec<(f64, &Run)> = reports
        .iter()
        .filter_map(|report| {
            let run = report.runs.iter().find(|run| run.database == database)?;
            Some((report.events as f64, run))
        })
        .collect();
    let (first, last) = (runs.first().map_or(1e5, |(n, _)| *n), runs.last().map_or(1e7, |(n, _)| *n));
    let scale = Scale { left, right, least: first / 2.0, most: last * 2.0 };

    let title = runs.first().map_or(database, |(_, run)| run.version.as_str());
    let _ = writeln!(
        text,
        r#"<text x="{left}" y="{:.1}" font-size="14" font-weight="600">{title}</text>"#,
        TOP - 16.0
    );
    let mut ms = LEAST_MS;
    while ms <= MOST_MS * 1.01 {
        let y = Scale::y(ms);
        let _ = writeln!(text, r#"<line class="grid" x1="{left}" x2="{right}" y1="{y:.1}" y2="{y:.1}"/>"#);
        let _ = writeln!(
            text,
            r#"<text x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"#,
            left - 6.0,
            y + 4.0,
            time(ms)
        );
        ms *= 10.0;
    }
    let mut events = 10_f64.powf(scale.least.log10().ceil());
    while events <= scale.most {
        let x = scale.x(events);
        let _ = writeln!(text, r#"<line class="grid" x1="{x:.1}" x2="{x:.1}" y1="{TOP}" y2="{BOTTOM}"/>"#);
        let _ = writeln!(
            text,
            r#"<text x="{x:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
            BOTTOM + 18.0,
            count(events)
        );
        events *= 10.0;
    }
    let _ = writeln!(
        text,
        r#"<rect class="frame" x="{left}" y="{TOP}" width="{}" height="{}"/>"#,
        right - left,
        BOTTOM - TOP
    );
    for budget in [10.0, 25.0] {
        let y = Scale::y(budget);
        let _ = writeln!(text, r#"<line class="budget" x1="{left}" x2="{right}" y1="{y:.1}" y2="{y:.1}"/>"#);
    }
    for (group, colour) in Group::DRAWN.into_iter().zip(COLOURS) {
        let line = |worst: fn(&CaseFigures) -> Option<f64>| -> Vec<(f64, f64)> {
            let points = runs
                .iter()
                .filter_map(|(events, run)| Some((scale.x(*events), Scale::y(worst_of(run, group, worst)?))));
            points.collect()
        };
        draw(text, &line(|case| case.usual_p50_ms), "usual", colour);
        draw(text, &line(|case| Some(case.p95_ms)), "ours", colour);
    }
}

/// The largest figure of a group's cases.
pub fn worst_of(run: &Run, group: Group, figure: impl Fn(&CaseFigures) -> Option<f64>) -> Option<f64> {
    run.cases.iter().filter(|case| case.group == group.name()).filter_map(figure).reduce(f64::max)
}

fn draw(text: &mut String, points: &[(f64, f64)], class: &str, colour: &str) {
    let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(text, r#"<polyline class="{class}" stroke="{colour}" points="{}"/>"#, path.join(" "));
    for (x, y) in points {
        let radius = if class == "ours" { 3.6 } else { 2.2 };
        let _ = writeln!(text, r#"<circle cx="{x:.1}" cy="{y:.1}" r="{radius}" fill="{colour}"/>"#);
    }
}

fn legend(text: &mut String) {
    for (n, (group, colour)) in Group::DRAWN.into_iter().zip(COLOURS).enumerate() {
        let (x, y) = (64.0 + (n % 3) as f64 * 180.0, 440.0 + (n / 3) as f64 * 22.0);
        let _ = writeln!(
            text,
            r#"<line x1="{x}" x2="{:.1}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="2.2"/>"#,
            x + 24.0
        );
        let _ = writeln!(text, r#"<text x="{:.1}" y="{:.1}">{}</text>"#, x + 32.0, y + 4.0, group.name());
    }
    let words = [
        "solid: Logbook, worst p95 of the group",
        "dashed: the usual way, worst p50",
        "dotted: the budgets, 10 and 25 ms",
    ];
    for (n, word) in words.into_iter().enumerate() {
        let _ = writeln!(
            text,
            r#"<text x="944" y="{:.1}" text-anchor="end">{word}</text>"#,
            440.0 + n as f64 * 18.0
        );
    }
}

fn time(ms: f64) -> String {
    if ms < 999.0 { format!("{} ms", (ms * 10.0).round() / 10.0) } else { format!("{:.0} s", ms / 1000.0) }
}

/// 100,000 as `100 k`.
pub fn count(events: f64) -> String {
    let short = |number: f64| ((number * 10.0).round() / 10.0).to_string();
    if events >= 999_999.0 {
        format!("{} M", short(events / 1e6))
    } else {
        format!("{} k", short(events / 1e3))
    }
}
