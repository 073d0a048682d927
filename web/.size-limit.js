import { readFileSync } from "node:fs";

// Chunk names change with every build. The manifest of the build says which chunks a route loads.
const manifest = JSON.parse(readFileSync(new URL("dist/.vite/manifest.json", import.meta.url), "utf8"));

/** The files of a chunk and of all its static imports. */
function load(key, files = new Set()) {
  const chunk = manifest[key];
  if (files.has(chunk.file)) return files;
  files.add(chunk.file);
  for (const next of chunk.imports ?? []) load(next, files);
  return files;
}

const path = (file) => `dist/${file}`;
const entry = load("index.html");
// Every page with a chart loads this right after the page itself.
const chart = load("src/logs/HistogramPlot.tsx");

function route(name) {
  const files = [...entry, ...load(`src/routes/${name}.tsx`), ...chart];
  return { name, path: [...new Set(files)].map(path), limit: "320 kB", gzip: true };
}

const styles = Object.values(manifest).flatMap((chunk) => [
  ...(chunk.css ?? []),
  ...(chunk.file.endsWith(".css") ? [chunk.file] : []),
]);

export default [
  { name: "entry", path: [...entry].map(path), limit: "210 kB", gzip: true },
  ...[
    "Overview",
    "AccessPage",
    "ApplicationPage",
    "FrameworkPage",
    "records/RecordPage",
    "timeline/TimelinePage",
    "sessions/SessionsPage",
    "exports/ExportsPage",
    "NewWorkspace",
    "settings/Members",
    "settings/Keys",
    "settings/Activity",
    "settings/sources/SourcesPage",
    "settings/sources/SourcePage",
    "settings/sources/MappingPage",
    "account/Sessions",
    "account/SecondFactor",
    "users/Users",
  ].map(route),
  { name: "all CSS", path: [...new Set(styles)].map(path), limit: "25 kB", gzip: true },
];
