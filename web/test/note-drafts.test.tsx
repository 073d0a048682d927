import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { endSession, startSession } from "../src/api/session";
import type { AccessEvent, Session } from "../src/api/types";
import { LogContext } from "../src/logs/context";
import { NoteForm } from "../src/logs/NoteForm";
import { SelectionBar } from "../src/logs/SelectionBar";

function signIn(id: string) {
  startSession({ access_token: "t", expires_in: 900, user: { id, name: id } } as Session);
}

function show(workspace: string, children: React.ReactNode) {
  cleanup();
  render(
    <QueryClientProvider client={new QueryClient()}>
      <LogContext
        value={{
          workspace,
          clock: { zone: "UTC", format: "yyyy-mm-dd" },
          search: {},
          filterLabel: (param) => param,
        }}
      >
        {children}
      </LogContext>
    </QueryClientProvider>,
  );
}

const field = () => screen.getByRole<HTMLTextAreaElement>("textbox", { name: "New note" });
const type = (text: string) => fireEvent.change(field(), { target: { value: text } });

function openNote(workspace: string, ...ids: string[]) {
  show(workspace, <NoteForm events={ids} onAdded={() => undefined} />);
}

/** As the bar of a selection opens it, of events that were picked in this order. */
function openSelection(workspace: string, ...ids: string[]) {
  const events = ids.map((id) => ({ id, seq: 1, occurred_at: `2026-11-22T12:00:0${id.at(-1)}Z` }));
  show(
    workspace,
    <SelectionBar
      events={events as unknown as AccessEvent[]}
      cellsOf={() => ({})}
      order="desc"
      open={false}
      rows={{
        selecting: false,
        setSelecting: () => undefined,
        selectAll: () => undefined,
        all: { count: 1, loaded: 1, hasMore: false, done: true },
        clear: () => undefined,
      }}
    />,
  );
  fireEvent.click(screen.getByRole("button", { name: "Add a note" }));
}

describe("a note that was begun", () => {
  beforeEach(() => {
    // jsdom has none.
    vi.stubGlobal("CSS", { escape: (text: string) => text, supports: () => false });
    endSession("user");
    signIn("asha");
  });

  it("is there again for the same events, in whatever order they were picked", () => {
    openSelection("clinic", "e1", "e2");
    type("Both from the ward.");
    openSelection("clinic", "e2", "e1");
    expect(field().value).toBe("Both from the ward.");
  });

  it("is not there for other events", () => {
    openSelection("clinic", "e1", "e2");
    type("About patient A.");
    for (const others of [["e1"], ["e3"], ["e1", "e2", "e3"]]) {
      openSelection("clinic", ...others);
      expect(field().value).toBe("");
    }
  });

  it("is not there in another workspace", () => {
    openSelection("clinic", "e1", "e2");
    type("About patient A.");
    openSelection("ward", "e1", "e2");
    expect(field().value).toBe("");
    openNote("clinic", "e7");
    type("About patient B.");
    openNote("ward", "e7");
    expect(field().value).toBe("");
  });

  it("is gone once its author signs out, even where it is shown", () => {
    openNote("clinic", "e1");
    type("About patient A.");
    act(() => endSession("user"));
    expect(field().value).toBe("");
    act(() => signIn("asha"));
    openNote("clinic", "e1");
    expect(field().value).toBe("");
  });

  it("outlives an expired session for its author alone", () => {
    openNote("clinic", "e1");
    type("About patient A.");
    act(() => endSession("expired"));
    act(() => signIn("asha"));
    openNote("clinic", "e1");
    expect(field().value).toBe("About patient A.");
    act(() => endSession("expired"));
    act(() => signIn("ravi"));
    openNote("clinic", "e1");
    expect(field().value).toBe("");
  });
});
