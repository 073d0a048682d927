import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { describe, expect, it } from "vitest";
import { queryKeys } from "../src/api/query-keys";
import type { Source } from "../src/api/types";
import { queryClient } from "../src/routes/router";
import { copiedTexts, openPage, problem, savedFiles, server, sourceOf, startServer, withSource } from "./app";

startServer();

const PATH = "/w/clinic/settings/sources/vector";
const base64 = (sent: string | Uint8Array) => Buffer.from(sent).toString("base64");

function recordOf(id: number, sent: string | Uint8Array) {
  return {
    id,
    received_at: "2026-11-23T08:00:00Z",
    code: "no_action",
    reason: "the mapping finds no action",
    pointer: "/action",
    record: base64(sent),
    size: sent.length,
    context: null,
  };
}

async function openQuarantine(records: object[], role = "admin") {
  const own = withSource(sourceOf({ rejected: records.length, problems: ["rejected"] }));
  server.use(
    http.get(`${own}/rejected`, () =>
      HttpResponse.json({ data: records, next_cursor: null, has_more: false }),
    ),
  );
  const page = await openPage(PATH, role);
  await screen.findByRole("heading", { name: "Quarantine" });
  return { ...page, own };
}

/** Answers a replay, after which the source has so many records. */
function withReplay(own: string, outcome: object, left: number) {
  const none = { replayed: 0, duplicates: 0, skipped: 0, rejected: 0, has_more: false, last_id: 1 };
  server.use(
    http.post(`${own}/rejected/replay`, () => {
      server.use(http.get(own, () => HttpResponse.json(sourceOf({ rejected: left }))));
      return HttpResponse.json({ ...none, ...outcome });
    }),
  );
}

/** The page looks at the source again. */
async function look(changes: Partial<Source>) {
  withSource(sourceOf(changes));
  await queryClient.invalidateQueries({ queryKey: queryKeys.source("clinic", "vector") });
}

async function unfold() {
  fireEvent.click(await screen.findByText("What was sent"));
  return screen.findByRole("region", { name: "record 1" });
}

const SENT = '{"id":12345678901234567890,"id":1.10,"note":"\\u00e9 { [ ,"}';

describe("the quarantine of a source", () => {
  it("says why a record could not be read, and shows it as it was sent", async () => {
    await openQuarantine([recordOf(1, SENT)]);
    expect(await screen.findByText("the mapping finds no action", { exact: false })).toBeTruthy();
    const shown = await unfold();
    expect(shown.textContent).toBe(
      '{\n  "id": 12345678901234567890,\n  "id": 1.10,\n  "note": "\\u00e9 { [ ,"\n}',
    );
    fireEvent.click(screen.getByRole("button", { name: "Indented" }));
    expect(shown.textContent).toBe(SENT);
  });

  it("copies and saves the bytes as they were sent", async () => {
    const copied = copiedTexts();
    const saved = savedFiles();
    await openQuarantine([recordOf(1, SENT)]);
    await unfold();
    fireEvent.click(screen.getByRole("button", { name: "Copy record 1" }));
    expect(copied).toEqual([SENT]);
    fireEvent.click(screen.getByRole("button", { name: "Download" }));
    expect(saved[0]?.size).toBe(SENT.length);
  });

  it("prints nothing of a folded record, and a part of a large one", async () => {
    const deep = "[".repeat(100_000);
    const { container } = await openQuarantine([recordOf(1, deep)]);
    await screen.findByText("What was sent");
    expect(container.textContent).not.toContain("[[");
    const shown = await unfold();
    expect(shown.textContent?.length).toBeLessThanOrEqual(10_000);
    expect(container.querySelectorAll("*").length).toBeLessThan(1_000);
    fireEvent.click(screen.getByRole("button", { name: "Show more" }));
    await waitFor(() => expect(shown.textContent?.length).toBeGreaterThan(100_000));
    // The indentation is bounded: it does not multiply what was sent.
    expect(shown.textContent?.length).toBeLessThan(101_000);
    expect(shown.textContent?.replace(/\s/g, "")).toBe(deep);
    expect(screen.queryByText(/The first .* characters/)).toBeNull();
  });

  it("leaves to the download what is too large for a page", async () => {
    await openQuarantine([recordOf(1, "x".repeat(400_000))]);
    const shown = await unfold();
    fireEvent.click(screen.getByRole("button", { name: "Show more" }));
    expect(await screen.findByText(/The first 300,000 characters.*The download has the rest/)).toBeTruthy();
    expect(shown.textContent?.length).toBe(300_000);
  });

  it("shows bytes that are no text in hexadecimal", async () => {
    await openQuarantine([recordOf(1, Uint8Array.from([0xff, 0xfe, 0x00]))]);
    expect((await unfold()).textContent).toBe("ff fe 00");
    expect(screen.getByText("It is no UTF-8 text: these are its bytes.")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Indented" })).toBeNull();
  });

  it("exports all records, part by part", async () => {
    const parts = ['{"id":1}\n{"id":2}\n', '{"id":7}\n', ""];
    const asked: (string | null)[] = [];
    const saved = savedFiles();
    const { own } = await openQuarantine([recordOf(1, SENT)], "auditor");
    server.use(
      http.get(`${own}/rejected.ndjson`, ({ request }) => {
        asked.push(new URL(request.url).searchParams.get("after"));
        return HttpResponse.text(parts[asked.length - 1]);
      }),
    );
    fireEvent.click(await screen.findByRole("button", { name: "Export all" }));
    await waitFor(() => expect(saved).toHaveLength(1));
    expect(asked).toEqual(["0", "2", "7"]);
    expect(saved[0]?.size).toBe(parts.join("").length);
  });

  it("says why an export fails", async () => {
    const { own } = await openQuarantine([recordOf(1, SENT)], "auditor");
    server.use(http.get(`${own}/rejected.ndjson`, () => problem(403, "forbidden", "not for you")));
    fireEvent.click(await screen.findByRole("button", { name: "Export all" }));
    expect(await screen.findByText("not for you")).toBeTruthy();
  });

  it("replays all records, or those that are chosen", async () => {
    const bodies: unknown[] = [];
    const { own } = await openQuarantine([recordOf(1, "a"), recordOf(2, "b")]);
    server.use(
      http.post(`${own}/rejected/replay`, async ({ request }) => {
        bodies.push(await request.json());
        return HttpResponse.json({
          replayed: 1,
          duplicates: 0,
          skipped: 2,
          rejected: 3,
          has_more: true,
          last_id: 2,
        });
      }),
    );
    fireEvent.click(await screen.findByRole("button", { name: "Replay all" }));
    expect(
      await screen.findByText(
        "1 replayed, 2 skipped, 3 still cannot be read, more are waiting: replay again",
      ),
    ).toBeTruthy();
    fireEvent.click(screen.getByRole("checkbox", { name: "Choose record 2" }));
    fireEvent.click(screen.getByRole("button", { name: "Replay 1" }));
    await waitFor(() => expect(bodies).toEqual([{}, { ids: [2] }]));
  });

  it("says what was replayed when nothing is left", async () => {
    const { own } = await openQuarantine([recordOf(1, "a")]);
    withReplay(own, { replayed: 1 }, 0);
    fireEvent.click(await screen.findByRole("button", { name: "Replay all" }));
    expect(await screen.findByText("The quarantine is empty: 1 replayed")).toBeTruthy();
    expect(screen.queryByRole("heading", { name: "Quarantine" })).toBeNull();
  });

  it("says why a replay fails, and nothing of the one before", async () => {
    const { own } = await openQuarantine([recordOf(1, "a")]);
    withReplay(own, { rejected: 1 }, 1);
    fireEvent.click(await screen.findByRole("button", { name: "Replay all" }));
    await screen.findByText("0 replayed, 1 still cannot be read");
    server.use(http.post(`${own}/rejected/replay`, () => problem(409, "conflict", "not now")));
    fireEvent.click(screen.getByRole("button", { name: "Replay all" }));
    expect(await screen.findByText("not now")).toBeTruthy();
  });

  it("says nothing of an earlier replay when records that came since are discarded", async () => {
    const { own } = await openQuarantine([recordOf(1, "a")]);
    withReplay(own, { replayed: 1 }, 0);
    fireEvent.click(await screen.findByRole("button", { name: "Replay all" }));
    await screen.findByText("The quarantine is empty: 1 replayed");
    // Others came, and another admin discarded them.
    await look({ rejected: 3 });
    await screen.findByRole("heading", { name: "Quarantine" });
    expect(screen.queryByText(/1 replayed/)).toBeNull();
    await look({ rejected: 0 });
    await waitFor(() => expect(screen.queryByRole("heading", { name: "Quarantine" })).toBeNull());
    expect(screen.queryByText(/The quarantine is empty/)).toBeNull();
  });

  it("says no more what could not be read when that is discarded", async () => {
    const { own } = await openQuarantine([recordOf(1, "a"), recordOf(2, "b")]);
    withReplay(own, { replayed: 1, rejected: 1 }, 1);
    server.use(
      http.post(`${own}/rejected/discard`, () => {
        withSource(sourceOf());
        return HttpResponse.json({ discarded: 1 });
      }),
    );
    fireEvent.click(await screen.findByRole("button", { name: "Replay all" }));
    await screen.findByText("1 replayed, 1 still cannot be read");
    fireEvent.click(screen.getByRole("checkbox", { name: "Choose record 2" }));
    fireEvent.click(screen.getByRole("button", { name: "Discard 1" }));
    const dialog = await screen.findByRole("dialog", { name: "Discard records" });
    fireEvent.click(within(dialog).getByRole("button", { name: "Discard 1" }));
    await waitFor(() => expect(screen.queryByRole("heading", { name: "Quarantine" })).toBeNull());
    expect(screen.queryByText(/still cannot be read/)).toBeNull();
  });

  it("discards what is chosen, after a question", async () => {
    const bodies: unknown[] = [];
    const { own } = await openQuarantine([recordOf(1, "a"), recordOf(2, "b")]);
    server.use(
      http.post(`${own}/rejected/discard`, async ({ request }) => {
        bodies.push(await request.json());
        return HttpResponse.json({ discarded: 1 });
      }),
    );
    fireEvent.click(await screen.findByRole("checkbox", { name: "Choose record 1" }));
    fireEvent.click(screen.getByRole("button", { name: "Discard 1" }));
    expect(bodies).toEqual([]);
    const dialog = await screen.findByRole("dialog", { name: "Discard records" });
    fireEvent.click(within(dialog).getByRole("button", { name: "Discard 1" }));
    await waitFor(() => expect(bodies).toEqual([{ ids: [1] }]));
  });

  it("shows the records to auditors, who cannot change them", async () => {
    await openQuarantine([recordOf(1, "a")], "auditor");
    await screen.findByText("What was sent");
    expect(screen.queryByRole("button", { name: "Replay all" })).toBeNull();
    expect(screen.queryByRole("checkbox")).toBeNull();
    expect(screen.queryByRole("link", { name: "Try it in the mapping" })).toBeNull();
  });

  it("keeps the records from viewers", async () => {
    await openQuarantine([recordOf(1, "a")], "viewer");
    expect(screen.getByText(/Auditors and admins see the records/)).toBeTruthy();
    expect(screen.queryByText("What was sent")).toBeNull();
  });
});
