// @vitest-environment node
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";

const url = (path: string) => new URL(`../${path}`, import.meta.url);
const read = (path: string) => readFile(url(path), "utf8");
const library = "node_modules/react-aria/dist/private/";
const POLICY = /style-src 'self' ('sha256-[^;]*);/;

/** The inline style rules that a file of react-aria adds to the page. */
async function inlineStyles(path: string): Promise<string[]> {
  const source = await read(library + path);
  const attribute = /PRESSABLE_ATTRIBUTE = '([\w-]+)'/.exec(source)?.[1] ?? "";
  const rules = [...source.matchAll(/style\.textContent = `([^`]*)`\.trim\(\)/g)];
  return rules.map(([, text]) =>
    (text ?? "").replaceAll(/\$\{[^}]*PRESSABLE_ATTRIBUTE\}/g, attribute).trim(),
  );
}

/** The source files of the server that contain the policy. */
async function serverPolicies(): Promise<string[]> {
  const sources = readdirSync(url("../api/src"), { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".rs"),
  );
  const texts = await Promise.all(sources.map((path) => read(`../api/src/${path}`)));
  return texts.filter((text) => POLICY.test(text));
}

it("allows exactly the inline styles of react-aria in the content security policies", async () => {
  const styles = [
    ...(await inlineStyles("interactions/usePress.mjs")),
    ...(await inlineStyles("overlays/usePreventScroll.mjs")),
  ];
  const hashes = styles.map((rule) => `'sha256-${createHash("sha256").update(rule).digest("base64")}'`);
  expect(hashes).toHaveLength(2);
  const server = await serverPolicies();
  expect(server).toHaveLength(1);
  for (const text of [...server, await read("../docker/nginx.conf")]) {
    expect(POLICY.exec(text)?.[1]?.split(" ")).toEqual(hashes);
  }
});
