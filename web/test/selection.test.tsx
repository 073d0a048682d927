import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { useState } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { accessLog } from "../src/access/log";
import type { AccessEvent } from "../src/api/types";
import { cellsOf, tableOfEvents } from "../src/logs/copy";
import { LogContext } from "../src/logs/context";
import { LogTable } from "../src/logs/LogTable";
import { extended, MOST_SELECTED, NOTHING, type Selection, toggled, withAll } from "../src/logs/selection";
import { SelectionBar } from "../src/logs/SelectionBar";
import { useSelecting, useSelection } from "../src/logs/use-selection";
import { copiedTexts } from "./app";
import { stubResizeObserver } from "./layout";

/** Events, the newest first. */
function eventsOf(count: number): AccessEvent[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `e${index}`,
    seq: count - index,
    occurred_at: new Date(Date.UTC(2026, 10, 22, 12) - index * 1000).toISOString(),
    received_at: "2026-11-22T12:00:00Z",
    event_type: "login",
    status: "success",
    user: { type: "user", id: String(index), name: `User | ${index}` },
    username: null,
    on_behalf_of: null,
    ip_address: "198.51.100.4",
    metadata: {},
    masked: [],
  })) as unknown as AccessEvent[];
}

const ids = ({ events }: Selection<{ id: string }>) => events.map(({ id }) => id).join(" ");

describe("a selection", () => {
  const list = eventsOf(6);
  const at = (index: number) => list[index] as AccessEvent;

  it("takes events, and gives them up", () => {
    const two = toggled(toggled(NOTHING, at(1)), at(3));
    expect(ids(two)).toBe("e1 e3");
    expect(ids(toggled(two, at(1)))).toBe("e3");
  });

  it("is extended from the last event that was taken, in either direction", () => {
    const one = toggled(toggled(NOTHING, at(5)), at(2));
    const down = extended(one, list, 4, 0);
    expect(ids(down)).toBe("e5 e2 e3 e4");
    // Another extension takes the place of the one before.
    expect(ids(extended(down, list, 1, 0))).toBe("e5 e2 e1");
    expect(ids(extended(down, list, 99, 0))).toBe("e5 e2 e3 e4");
  });

  it("is extended from where the reader is when nothing was taken", () => {
    expect(ids(extended(NOTHING, list, 2, 1))).toBe("e1 e2");
    expect(ids(extended(NOTHING, list, -5, 1))).toBe("e1 e0");
  });

  it("takes all of a list, and keeps those that have left it", () => {
    const gone = { id: "gone" };
    const all = withAll<{ id: string }>(toggled(toggled(NOTHING, at(4)), gone), list);
    expect(ids(all)).toBe("e0 e1 e2 e3 e4 e5 gone");
    expect(ids(toggled(all, at(2)))).toBe("e0 e1 e3 e4 e5 gone");
    const many = withAll(toggled(NOTHING, gone), eventsOf(MOST_SELECTED + 50));
    expect(many.events).toHaveLength(MOST_SELECTED);
    expect(many.events.at(-1)?.id).toBe(`e${MOST_SELECTED - 1}`);
  });

  it("is bounded", () => {
    const many = eventsOf(MOST_SELECTED + 50);
    const all = extended(NOTHING, many, many.length, 0);
    expect(all.events).toHaveLength(MOST_SELECTED);
    expect(toggled({ ...all, base: all.events }, many.at(-1) as AccessEvent).events).toHaveLength(
      MOST_SELECTED,
    );
    expect(toggled(all, many[0] as AccessEvent).events).toHaveLength(MOST_SELECTED - 1);
  });
});

describe("a copied table of events", () => {
  it("has a line for each, and escapes what would end a cell", () => {
    const rows = eventsOf(2).map((event) => cellsOf(event, accessLog.headline(event)));
    expect(tableOfEvents(rows).split("\n")).toEqual([
      "| Time | Event | Actor | Status | IP address | Event ID |",
      "| --- | --- | --- | --- | --- | --- |",
      "| 2026-11-22T12:00:00.000Z | Login: User \\| 0 | User \\| 0 | success | 198.51.100.4 | e0 |",
      "| 2026-11-22T11:59:59.000Z | Login: User \\| 1 | User \\| 1 | success | 198.51.100.4 | e1 |",
    ]);
  });
});

const opened: string[] = [];

/** A finger. jsdom knows no events of pointers. */
function touch(type: string, clientY = 10): Event {
  const event = new MouseEvent(type, { bubbles: true, clientX: 10, clientY });
  return Object.assign(event, { pointerType: "touch", isPrimary: true });
}

function Explorer({
  events,
  question,
  narrow,
  hasMore,
  settled,
}: {
  events: AccessEvent[];
  question: string;
  narrow: boolean;
  hasMore: boolean;
  settled: boolean;
}) {
  const selection = useSelection(question, { events, hasMore, settled }, useSelecting(question));
  const [cursor, setCursor] = useState(0);
  return (
    <LogContext
      value={{
        workspace: "clinic",
        clock: { zone: "UTC", format: "yyyy-mm-dd" },
        search: {},
        filterLabel: (param) => param,
      }}
    >
      <LogTable
        log={accessLog}
        events={events}
        loading={false}
        stale={false}
        hasMore={false}
        onMore={() => undefined}
        order="desc"
        onOrder={() => undefined}
        openId={undefined}
        onOpen={(id) => opened.push(id)}
        cursor={cursor}
        onCursor={setCursor}
        selection={selection.rows}
        narrow={narrow}
        scroller={document.body}
        footer=""
      />
      <SelectionBar
        events={selection.events}
        cellsOf={(event) => cellsOf(event, accessLog.headline(event))}
        order="desc"
        open={false}
        rows={selection.rows}
      />
    </LogContext>
  );
}

describe("the rows of a log", () => {
  beforeEach(() => {
    opened.length = 0;
    vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(1200);
    vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(800);
    stubResizeObserver();
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  function renderExplorer({ events = eventsOf(6), narrow = false, hasMore = false, settled = true } = {}) {
    const explorer = (question: string, later: { events?: AccessEvent[]; hasMore?: boolean } = {}) => (
      <QueryClientProvider client={new QueryClient()}>
        <Explorer {...{ events, question, narrow, hasMore, settled, ...later }} />
      </QueryClientProvider>
    );
    const { rerender } = render(explorer("one"), { container: document.body });
    return {
      ask: (question: string) => rerender(explorer(question)),
      load: (events: AccessEvent[], hasMore = false) => rerender(explorer("one", { events, hasMore })),
    };
  }
  const row = (index: number) => screen.getAllByRole("row")[index + 1] as HTMLElement;
  const selected = () => screen.queryAllByRole("row", { selected: true }).map((row) => row.dataset.index);
  const bar = () => within(screen.getByRole("region", { name: "Selection" }));

  it("are selected by Space, and more of them by Shift and a move", () => {
    renderExplorer();
    expect(screen.queryByRole("region", { name: "Selection" })).toBeNull();
    expect(screen.getByRole("grid").getAttribute("aria-multiselectable")).toBe("true");
    fireEvent.focus(row(1));
    fireEvent.keyDown(row(1), { key: " " });
    expect(selected()).toEqual(["1"]);
    fireEvent.keyDown(row(1), { key: "J", shiftKey: true });
    fireEvent.keyDown(row(2), { key: "ArrowDown", shiftKey: true });
    expect(selected()).toEqual(["1", "2", "3"]);
    fireEvent.keyDown(row(3), { key: "K", shiftKey: true });
    expect(selected()).toEqual(["1", "2"]);
    expect(bar().getByText("2 selected")).toBeTruthy();
    fireEvent.keyDown(row(2), { key: "Escape" });
    expect(selected()).toEqual([]);
    expect(opened).toEqual([]);
  });

  it("are selected by Shift or Ctrl and a click, and opened by a click alone", () => {
    renderExplorer();
    fireEvent.click(row(1), { ctrlKey: true });
    fireEvent.click(row(4), { shiftKey: true });
    expect(selected()).toEqual(["1", "2", "3", "4"]);
    fireEvent.click(row(2), { metaKey: true });
    expect(selected()).toEqual(["1", "3", "4"]);
    expect(opened).toEqual([]);
    fireEvent.click(row(0));
    expect(opened).toEqual(["e0"]);
    expect(selected()).toEqual(["1", "3", "4"]);
  });

  it("are copied in the order of the list, as a table or as JSON", () => {
    const copied = copiedTexts();
    renderExplorer();
    fireEvent.click(row(3), { ctrlKey: true });
    fireEvent.click(row(0), { ctrlKey: true });
    fireEvent.click(bar().getByRole("button", { name: "Copy as table" }));
    fireEvent.click(bar().getByRole("button", { name: "Copy JSON" }));
    expect(copied[0]?.split("\n").map((line) => line.split(" | ").at(-1))).toEqual([
      "Event ID |",
      "--- |",
      "e0 |",
      "e3 |",
    ]);
    expect((JSON.parse(copied[1] ?? "") as AccessEvent[]).map(({ id }) => id)).toEqual(["e0", "e3"]);
  });

  it("are not selected any more for another question, or when the selection is cleared", () => {
    const { ask } = renderExplorer();
    fireEvent.click(row(3), { ctrlKey: true });
    fireEvent.click(bar().getByRole("button", { name: "Clear the selection" }));
    expect(selected()).toEqual([]);
    fireEvent.click(row(3), { ctrlKey: true });
    ask("another");
    expect(selected()).toEqual([]);
    expect(screen.queryByRole("region", { name: "Selection" })).toBeNull();
  });

  it("are selected by taps until that is done", () => {
    renderExplorer({ narrow: true });
    fireEvent.click(screen.getByRole("button", { name: "Select events" }));
    expect(bar().getByText("0 selected")).toBeTruthy();
    expect(bar().getByRole<HTMLButtonElement>("button", { name: "Copy JSON" }).disabled).toBe(true);
    fireEvent.click(row(1));
    // A screen reader has the checkbox.
    fireEvent.click(within(row(3)).getByRole("checkbox", { name: "Select Login: User | 3" }));
    expect(selected()).toEqual(["1", "3"]);
    fireEvent.click(row(1));
    expect(selected()).toEqual(["3"]);
    fireEvent.click(bar().getByRole("button", { name: "Clear the selection" }));
    expect(bar().getByText("0 selected")).toBeTruthy();
    fireEvent.click(row(2));
    fireEvent.click(screen.getByRole("button", { name: "Done" }));
    expect(selected()).toEqual([]);
    expect(screen.queryByRole("region", { name: "Selection" })).toBeNull();
    expect(screen.queryByRole("checkbox")).toBeNull();
    expect(opened).toEqual([]);
    fireEvent.click(row(2));
    expect(opened).toEqual(["e2"]);
  });

  it("are selected all at once, and it is said how many", () => {
    const { load } = renderExplorer({ narrow: true, hasMore: true });
    fireEvent.click(screen.getByRole("button", { name: "Select events" }));
    fireEvent.click(row(2));
    const all = (name: string) => bar().getByRole("button", { name });
    all("Select all 6 loaded").focus();
    fireEvent.click(all("Select all 6 loaded"));
    expect(selected()).toHaveLength(6);
    expect(bar().getAllByRole("status")[0]?.textContent).toBe("6 selected, all that are loaded");
    // There is nothing more to do, but a reader by key is not thrown out.
    expect(all("Select all 6 loaded").getAttribute("aria-disabled")).toBe("true");
    expect(document.activeElement).toBe(all("Select all 6 loaded"));
    load(eventsOf(9));
    expect(bar().getByText("6 selected")).toBeTruthy();
    fireEvent.click(all("Select all 9"));
    expect(bar().getByText("9 selected")).toBeTruthy();
    load(eventsOf(MOST_SELECTED + 1));
    fireEvent.click(all("Select the first 500"));
    expect(bar().getByText("500 selected, which is the most")).toBeTruthy();
    fireEvent.click(all("Clear the selection"));
    expect(bar().getByText("0 selected")).toBeTruthy();
    expect(all("Clear the selection").getAttribute("aria-disabled")).toBe("true");
    expect(selected()).toEqual([]);
  });

  it("are not selected all at once while they answer the question before", () => {
    renderExplorer({ narrow: true, settled: false });
    fireEvent.click(screen.getByRole("button", { name: "Select events" }));
    fireEvent.click(bar().getByRole("button", { name: "Select all" }));
    expect(bar().getByText("0 selected")).toBeTruthy();
  });

  it("are not selected by taps any more for another question, nor back at the first one", () => {
    const { ask } = renderExplorer({ narrow: true });
    fireEvent.click(screen.getByRole("button", { name: "Select events" }));
    fireEvent.click(row(1));
    ask("another");
    expect(screen.queryByRole("checkbox")).toBeNull();
    ask("one");
    expect(screen.queryByRole("checkbox")).toBeNull();
  });

  it("are selected by a finger that stays, and the click that follows opens none", () => {
    vi.useFakeTimers();
    renderExplorer();
    // It scrolls.
    fireEvent(row(1), touch("pointerdown"));
    fireEvent(row(1), touch("pointermove", 40));
    act(() => void vi.advanceTimersByTime(2_000));
    expect(selected()).toEqual([]);
    fireEvent(row(1), touch("pointerdown"));
    act(() => void vi.advanceTimersByTime(2_000));
    fireEvent(row(1), touch("pointerup"));
    fireEvent.click(row(1));
    expect(selected()).toEqual(["1"]);
    expect(opened).toEqual([]);
    fireEvent.click(row(4));
    expect(selected()).toEqual(["1", "4"]);
  });

  it("are not asked for the note of a selection that is gone", async () => {
    // jsdom has none.
    vi.stubGlobal("CSS", { escape: (text: string) => text, supports: () => false });
    const { ask } = renderExplorer();
    fireEvent.click(row(3), { ctrlKey: true });
    fireEvent.click(bar().getByRole("button", { name: "Add a note" }));
    await screen.findByRole("dialog", { name: "Note on 1 event" });
    ask("another");
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    fireEvent.click(row(1), { ctrlKey: true });
    expect(bar().getByText("1 selected")).toBeTruthy();
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("take a note while they are fifty at most", () => {
    renderExplorer({ events: eventsOf(60) });
    fireEvent.click(row(0), { ctrlKey: true });
    expect(bar().getByRole<HTMLButtonElement>("button", { name: "Add a note" }).disabled).toBe(false);
    fireEvent.keyDown(row(0), { key: "End", shiftKey: true });
    expect(bar().getByText("60 selected")).toBeTruthy();
    expect(bar().getByRole<HTMLButtonElement>("button", { name: "Add a note" }).disabled).toBe(true);
    expect(bar().getByText("A note is about 50 events at most")).toBeTruthy();
  });
});
