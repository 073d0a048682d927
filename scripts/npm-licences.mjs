// Fails when a locked node package has a licence that is not on the list. A choice ("A OR B") needs one of them.
import { readFileSync } from "node:fs";

const fine = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "CC-BY-4.0", // caniuse-lite: data
  "CC0-1.0",
  "ISC",
  "MIT",
  "MIT-0",
  "MPL-2.0", // axe-core, lightningcss: tools, unchanged
  "Python-2.0",
  "Unlicense",
  "Zlib",
]);
const allowed = (licence) =>
  licence.replace(/[()]/g, "").split(" OR ").some((one) => one.split(" AND ").every((name) => fine.has(name.trim())));

let bad = 0;
for (const folder of process.argv.slice(2)) {
  const { packages } = JSON.parse(readFileSync(`${folder}/package-lock.json`, "utf8"));
  for (const [path, { license, link }] of Object.entries(packages)) {
    if (path === "" || link) continue;
    if (typeof license === "string" && allowed(license)) continue;
    console.error(`${folder}: ${path.replace(/^.*node_modules\//, "")}: ${license ?? "no licence told"}`);
    bad += 1;
  }
}
process.exit(bad ? 1 : 0);
