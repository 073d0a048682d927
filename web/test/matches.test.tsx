import { render } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { LogEvent } from "../src/api/types";
import { LogContext } from "../src/logs/context";
import { FoundIn, Marked } from "../src/logs/matches";

function renderFor(q: string, children: React.ReactNode) {
  const context = {
    workspace: "clinic",
    clock: { zone: "UTC", format: "yyyy-mm-dd" as const },
    search: { q },
    filterLabel: (param: string) => param,
  };
  return render(<LogContext value={context}>{children}</LogContext>).container;
}

const event = {
  id: "01",
  actor: { type: "user", id: "17", name: "Asha Rao" },
  record_name: "Li Lei",
  changes: [{ field: "status", old: "open", new: "closed" }],
  metadata: { request: { region: "eu-central" }, attempt: 3 },
} as unknown as LogEvent;

describe("what a search found", () => {
  it.each([
    ["rao", "Asha <mark>Rao</mark>"],
    ["ｒａｏ", "Asha <mark>Rao</mark>"],
    ["x", "Asha Rao"],
  ])("%s is marked in the text", (q, html) => {
    const marked = renderFor(q, <Marked text="Asha Rao" />);
    expect(marked.innerHTML.replace(/ class="[^"]*"/, "")).toBe(html);
  });

  it.each([
    ["closed", "status: closed"],
    ["central", "request.region: eu-central"],
    ["region", "request.region: request.region"],
    ["3", "attempt: 3"],
    ["lei", "Record name: Li Lei"],
    ["asha", "Actor: Asha Rao"],
    ["nowhere", ""],
  ])("%s is told where it is", (q, text) => {
    expect(renderFor(q, <FoundIn event={event} />).textContent).toBe(text);
  });

  it("is cut to what is around it", () => {
    const long = { ...event, metadata: { note: `${"a".repeat(200)} needle` } } as unknown as LogEvent;
    expect(renderFor("needle", <FoundIn event={long} />).textContent).toMatch(/^note: …a{15} needle$/);
  });
});
