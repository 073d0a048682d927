import { fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AccessEvent } from "../src/api/types";
import { accessLog } from "../src/access/log";
import { LogContext } from "../src/logs/context";
import { LogTable } from "../src/logs/LogTable";
import { stubResizeObserver } from "./layout";

const event = {
  id: "01",
  seq: 1,
  occurred_at: "2026-11-22T20:48:59Z",
  received_at: "2026-11-22T20:49:00Z",
  event_type: "login",
  status: "success",
  user: { type: "user", id: "17", name: "Asha Rao" },
  username: null,
  on_behalf_of: null,
  role: "Nurse",
  ip_address: "198.51.100.4",
  metadata: {},
  masked: [],
} as unknown as AccessEvent;

const context = {
  workspace: "clinic",
  clock: { zone: "Asia/Kolkata", format: "dd/mm/yyyy" as const },
  search: {},
  filterLabel: (param: string) => param,
};

/** Gives every element a size, because jsdom has no layout. */
function setWidth(width: number) {
  vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(width);
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(800);
}

function renderTable(
  events: readonly AccessEvent[],
  loading = false,
  filterBy: (param: string, value: string) => void = () => undefined,
) {
  const scroller = document.createElement("div");
  render(
    <LogContext value={{ ...context, filterBy }}>
      <LogTable
        log={accessLog}
        events={events}
        loading={loading}
        stale={false}
        hasMore={false}
        onMore={() => undefined}
        order="desc"
        onOrder={() => undefined}
        openId={undefined}
        onOpen={() => undefined}
        cursor={0}
        onCursor={() => undefined}
        narrow={false}
        scroller={scroller}
        footer="1 event"
      />
    </LogContext>,
    { container: document.body.appendChild(scroller) },
  );
}

const headers = () => screen.getAllByRole("columnheader").map((header) => header.textContent);

describe("the table of a log", () => {
  beforeEach(() => {
    stubResizeObserver();
  });
  afterEach(() => {
    document.body.replaceChildren();
  });

  it("shows a cell for each column", () => {
    setWidth(1200);
    renderTable([event]);
    expect(headers()).toEqual([
      "Time, newest first",
      "User",
      "Event",
      "Status",
      "Role",
      "IP address",
      "User agent",
    ]);
    const [, row] = screen.getAllByRole("row");
    const cells = within(row as HTMLElement).getAllByRole("gridcell");
    expect(cells).toHaveLength(7);
    expect(cells[0]?.textContent).toBe("23/11/2026 02:18:59");
    expect(screen.getByText("Monday 23/11/2026")).toBeTruthy();
    expect(cells[1]?.textContent).toContain("Asha Rao");
  });

  it("hides the columns that do not fit", () => {
    setWidth(700);
    renderTable([event]);
    expect(headers()).toEqual(["Time, newest first", "User", "Event", "Status", "IP address"]);
    expect(screen.getAllByRole("gridcell")).toHaveLength(5);
  });

  it("shows for whom an agent acted, and the status denied with its word", () => {
    setWidth(1200);
    const agent = {
      ...event,
      status: "denied",
      user: { type: "agent", id: "bot-1", name: "Support Bot" },
      on_behalf_of: { type: "user", id: "17", name: "Asha Rao" },
    };
    renderTable([agent]);
    const cells = screen.getAllByRole("gridcell");
    expect(cells[1]?.textContent).toMatch(/^Support BotAgent.*for.*Asha Rao/);
    expect(within(cells[3] as HTMLElement).getByRole("button", { name: /^Denied/ })).toBeTruthy();
  });

  it("includes a value by a click, and excludes it by Alt and a click or by its button", () => {
    setWidth(1200);
    const calls: string[][] = [];
    renderTable([event], false, (param, value) => calls.push([param, value]));
    const value = screen.getByRole("button", { name: "Nurse, filter by role" });
    fireEvent.click(value);
    fireEvent.click(value, { altKey: true });
    fireEvent.click(screen.getByRole("button", { name: "Exclude role Nurse" }));
    expect(calls).toEqual([
      ["role", "Nurse"],
      ["not_role", "Nurse"],
      ["not_role", "Nurse"],
    ]);
  });

  it("shows no rows while it is loading", () => {
    setWidth(1200);
    renderTable([event], true);
    expect(screen.queryAllByRole("gridcell")).toEqual([]);
    expect(screen.queryByText("1 event")).toBeNull();
  });
});
