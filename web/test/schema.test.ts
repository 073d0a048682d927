// @vitest-environment node
import { readFile } from "node:fs/promises";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";
import { format, resolveConfig } from "prettier";
import { expect, it } from "vitest";

const file = new URL("../src/api/schema.ts", import.meta.url);

it("matches the types generated from openapi.yaml (if not, run `npm run generate`)", async () => {
  const ast = await openapiTS(new URL("../../openapi.yaml", import.meta.url));
  const options = await resolveConfig(file);
  const fresh = await format(COMMENT_HEADER + astToString(ast), { ...options, parser: "typescript" });
  expect(await readFile(file, "utf8")).toBe(fresh);
});
