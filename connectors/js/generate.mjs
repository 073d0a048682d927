// Writes src/events.ts, the types of the events, from openapi.yaml. With --check it writes nothing and exits with 1 when
// the file is stale.
import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";
import { parse } from "yaml";

const out = new URL("src/events.ts", import.meta.url);
const roots = {
  access: "NewAccessEvent",
  application: "NewApplicationEvent",
  framework: "NewFrameworkEvent",
};
// The package fills these in.
const own = new Set(["log", "dedupe_key", "epoch", "sequence"]);

const contract = parse(readFileSync(new URL("../../openapi.yaml", import.meta.url), "utf8"));
const all = contract.components.schemas;
const schemas = {};
function add(name) {
  if (name in schemas) return;
  schemas[name] = all[name];
  for (const [, inner] of JSON.stringify(all[name]).matchAll(/#\/components\/schemas\/(\w+)/g)) add(inner);
}
for (const name of Object.values(roots)) {
  add(name);
  const properties = Object.entries(all[name].properties).filter(([field]) => !own.has(field));
  schemas[name] = { ...all[name], properties: Object.fromEntries(properties) };
}

const ast = await openapiTS(
  { openapi: contract.openapi, info: contract.info, paths: {}, components: { schemas } },
  { emptyObjectsUnknown: true, rootTypes: true, rootTypesNoSchemaPrefix: true },
);
// A Date becomes its ISO text.
const types = astToString(ast).replaceAll(
  "occurred_at?: string | null",
  "occurred_at?: Date | string | null",
);
const fields = Object.entries(roots).map(([log, name]) => {
  const { required, properties } = schemas[name];
  return `  ${log}: {\n    required: ${JSON.stringify(required)},\n    known: ${JSON.stringify(Object.keys(properties))},\n  },\n`;
});
const text = `/** The events as Logbook takes them. Made from openapi.yaml by generate.mjs. */
${types}
/** The fields that an event must have, and all that it may have. */
export const FIELDS = {
${fields.join("")}} as const;
`;

if (!process.argv.includes("--check")) {
  writeFileSync(out, text);
} else if (readFileSync(out, "utf8") !== text) {
  console.error("src/events.ts is stale: npm run generate");
  process.exit(1);
}
