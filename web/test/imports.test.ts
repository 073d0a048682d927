import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";

const SRC = join(import.meta.dirname, "../src");

/** What each folder may import: routes → access, application, framework, activity → logs → api and ui, never sideways. */
const ALLOWED: Record<string, readonly string[]> = {
  api: ["api"],
  ui: ["ui"],
  logs: ["logs", "api", "ui"],
  access: ["access", "logs", "api", "ui"],
  application: ["application", "logs", "api", "ui"],
  framework: ["framework", "logs", "api", "ui"],
  activity: ["activity", "logs", "api", "ui"],
  routes: ["routes", "access", "application", "framework", "activity", "logs", "api", "ui"],
  "main.tsx": ["routes", "api", "ui"],
};

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) => /\.tsx?$/.test(file));

function importsOf(file: string): string[] {
  const text = readFileSync(join(SRC, file), "utf8");
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1] ?? "");
}

function folder(path: string): string {
  return path.split("/")[0] ?? "";
}

describe("the source code", () => {
  it("imports only from allowed folders", () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => target.startsWith("."))
        .map((target) => normalize(join(dirname(file), target)))
        .filter((target) => !ALLOWED[folder(file)]?.includes(folder(target)))
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
    expect(files.length).toBeGreaterThan(40);
  });

  it("uses neither the router, React Query nor openapi-fetch in ui", () => {
    const components = files.filter((file) => folder(file) === "ui");
    const wrong = components.filter((file) =>
      importsOf(file).some((target) => /react-router|react-query|openapi-fetch/.test(target)),
    );
    expect(wrong).toEqual([]);
  });

  it("uses the generated schema only in client.ts and types.ts", () => {
    const users = files.filter((file) => importsOf(file).some((target) => target.endsWith("/schema")));
    expect(users.sort()).toEqual(["api/client.ts", "api/types.ts"]);
  });

  it("takes every query key from api/query-keys.ts", () => {
    const wrong = files.filter((file) => /queryKey: \[/.test(readFileSync(join(SRC, file), "utf8")));
    expect(wrong).toEqual([]);
  });

  it("has no barrel files and no file of more than 400 lines", () => {
    expect(files.filter((file) => /(^|\/)index\.tsx?$/.test(file))).toEqual([]);
    const long = files
      .filter((file) => file !== join("api", "schema.ts"))
      .filter((file) => readFileSync(join(SRC, file), "utf8").split("\n").length > 400);
    expect(long).toEqual([]);
  });
});
