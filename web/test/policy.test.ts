// @vitest-environment node
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";

const here = (path: string) => readFile(new URL(`../${path}`, import.meta.url), "utf8");
const library = "node_modules/react-aria/dist/private/";

/** The style rules that a file of react-aria adds to the page, as the page has them. */
async function rules(path: string): Promise<string[]> {
  const source = await here(library + path);
  const attribute = /PRESSABLE_ATTRIBUTE = '([\w-]+)'/.exec(source)?.[1] ?? "";
  const written = [...source.matchAll(/style\.textContent = `([^`]*)`\.trim\(\)/g)];
  return written.map(([, text]) =>
    (text ?? "").replaceAll(/\$\{[^}]*PRESSABLE_ATTRIBUTE\}/g, attribute).trim(),
  );
}

it("names in the pages' policy just those styles that are not in a file", async () => {
  const all = [
    ...(await rules("interactions/usePress.mjs")),
    ...(await rules("overlays/usePreventScroll.mjs")),
  ];
  const wanted = all.map((rule) => `'sha256-${createHash("sha256").update(rule).digest("base64")}'`);
  expect(wanted).toHaveLength(2);
  for (const file of ["../api/src/app.rs", "../docker/nginx.conf"]) {
    const found = /style-src 'self' ('sha256-[^;]*);/.exec(await here(file))?.[1];
    expect(found?.split(" "), file).toEqual(wanted);
  }
});
