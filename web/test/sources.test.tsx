import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { describe, expect, it } from "vitest";
import type { Source } from "../src/api/types";
import { missingFields, problemTexts } from "../src/routes/settings/sources/problems";
import { courseOf, dayOf } from "../src/routes/settings/sources/course";
import { mostOf, OTHER, secondsOf, silenceOf } from "../src/routes/settings/sources/silence";
import { queryClient } from "../src/routes/router";
import { API, openPage, problem, server, sourceOf, startServer, withSource } from "./app";

startServer();

const LIST = "/w/clinic/settings/sources";
const withSources = (...sources: Source[]) =>
  server.use(http.get(`${API}/sources`, () => HttpResponse.json({ data: sources })));

/** Takes what is sent to a source as its changes. */
function takeChanges(source: Source) {
  const bodies: unknown[] = [];
  server.use(
    http.patch(withSource(source), async ({ request }) => {
      bodies.push(await request.json());
      return HttpResponse.json(source);
    }),
  );
  return bodies;
}

/** The change that was sent is saved, and the source was read again. */
const saved = () => waitFor(() => expect(queryClient.isMutating() + queryClient.isFetching()).toBe(0));

describe("the list of sources", () => {
  it("says of each what sends, how much came, and how it is", async () => {
    withSources(
      sourceOf({ days: [{ day: dayOf(Date.now()), events: 17, bytes: 1, rejected: 0 }] as Source["days"] }),
      sourceOf({ name: "kc", kind: "keycloak", last_received_at: null, events: 0 }),
      sourceOf({ name: "ill", problems: ["silent", "rejected"], rejected: 3 }),
    );
    await openPage(LIST);
    const [well, waiting, ill] = await screen.findAllByRole("listitem");
    expect(well?.textContent).toMatch(/vector.*Splunk HEC.*1,200 events, 17 today.*Healthy/);
    expect(waiting?.textContent).toMatch(/kc.*Keycloak.*No events yet.*Sent nothing yet.*Waiting/);
    expect(ill?.textContent).toMatch(/3 in quarantine.*Silent \+1/);
    expect(screen.getByRole("link", { name: "kc" }).getAttribute("href")).toBe(`${LIST}/kc`);
  });

  it("offers a new source to admins alone", async () => {
    withSources();
    await openPage(LIST, "auditor");
    expect(await screen.findByText("An admin of the workspace can make one.")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "New source" })).toBeNull();
  });

  it("says what went wrong", async () => {
    server.use(http.get(`${API}/sources`, () => problem(404, "not_found", "there is no such workspace")));
    await openPage(LIST);
    expect(await screen.findByText("there is no such workspace")).toBeTruthy();
  });

  it("makes a source whose silence is reported after any time, and shows its key once", async () => {
    withSources();
    const bodies: unknown[] = [];
    server.use(
      http.post(`${API}/sources`, async ({ request }) => {
        bodies.push(await request.json());
        const created = { ...sourceOf({ kind: "keycloak", has_secret: true }), key: "lbk_new" };
        return HttpResponse.json(created, { status: 201 });
      }),
    );
    await openPage(LIST);
    fireEvent.click(await screen.findByRole("button", { name: "New source" }));
    const dialog = within(await screen.findByRole("dialog", { name: "New source" }));
    fireEvent.change(dialog.getByLabelText("What sends"), { target: { value: "keycloak" } });
    fireEvent.change(dialog.getByLabelText("Name"), { target: { value: "kc" } });
    fireEvent.change(dialog.getByLabelText("Secret, if it signs"), { target: { value: "a long secret" } });
    fireEvent.change(dialog.getByLabelText("Report silence after"), { target: { value: OTHER } });
    fireEvent.change(dialog.getByLabelText("How many"), { target: { value: "45" } });
    fireEvent.click(dialog.getByRole("button", { name: "Create source" }));
    const key = await dialog.findByRole("region", { name: "key" });
    expect(key.textContent).toBe("lbk_new");
    expect(bodies).toEqual([
      { kind: "keycloak", name: "kc", silence_seconds: 2700, secret: "a long secret" },
    ]);
    expect(dialog.getByText(/a key is not needed/)).toBeTruthy();
  });

  it("shows what is wrong with a name beside it", async () => {
    withSources();
    const wrong = [{ pointer: "/name", code: "taken", detail: "another source has this name" }];
    server.use(http.post(`${API}/sources`, () => problem(409, "conflict", "no", wrong as never)));
    await openPage(LIST);
    fireEvent.click(await screen.findByRole("button", { name: "New source" }));
    const dialog = within(await screen.findByRole("dialog", { name: "New source" }));
    fireEvent.change(dialog.getByLabelText("Name"), { target: { value: "vector" } });
    fireEvent.click(dialog.getByRole("button", { name: "Create source" }));
    expect(await dialog.findByText("another source has this name")).toBeTruthy();
    expect(dialog.getByLabelText("Name").getAttribute("aria-invalid")).toBe("true");
  });
});

describe("the page of a source", () => {
  it("says how it is, in figures and sentences", async () => {
    withSource(
      sourceOf({
        problems: ["gap", "rejected"],
        rejected: 1,
        gaps: [{ epoch: "a1", from: 4, to: 6, noticed_at: "2026-11-23T08:00:00Z" }] as Source["gaps"],
        lag_seconds: 130,
        skipped: 12,
      }),
    );
    await openPage(`${LIST}/vector`, "viewer");
    const wrong = await screen.findByRole("list", { name: "What is wrong" });
    expect(wrong.textContent).toContain("3 events have not come (a1: 4 to 6)");
    expect(wrong.textContent).toContain("1 record could not be read and is in quarantine.");
    const fact = (name: string) => screen.getByText(name).nextElementSibling?.textContent;
    expect(fact("Events")).toBe("1,200");
    expect(fact("Lag")).toBe("2 min");
    expect(fact("Skipped by the mapping")).toBe("12");
    // A viewer changes nothing.
    expect(screen.queryByRole("button", { name: "Remove source" })).toBeNull();
    expect(screen.queryByText("Keys")).toBeNull();
  });

  it("keeps open what is copied from it when the first event comes", async () => {
    withSource(sourceOf({ events: 0, last_event_at: null, last_received_at: null }));
    await openPage(`${LIST}/vector`);
    const opened = (await screen.findByRole("heading", { name: "Connect it" })).closest("details");
    expect(opened?.open).toBe(true);
    withSource(sourceOf());
    await queryClient.invalidateQueries();
    await screen.findByText("Nothing is wrong with it");
    expect(opened?.isConnected).toBe(true);
    expect(opened?.open).toBe(true);
  });

  it("folds what was connected before", async () => {
    withSource(sourceOf());
    await openPage(`${LIST}/vector`);
    const folded = (await screen.findByRole("heading", { name: "Connect it" })).closest("details");
    expect(folded?.open).toBe(false);
  });

  it("sets a silence of any length", async () => {
    const bodies = takeChanges(sourceOf({ silence_seconds: 5400 }));
    await openPage(`${LIST}/vector`);
    const choice = await screen.findByLabelText<HTMLSelectElement>("Report silence after");
    expect(choice.value).toBe(OTHER);
    expect(screen.getByLabelText<HTMLInputElement>("How many").value).toBe("90");
    expect(screen.getByLabelText<HTMLSelectElement>("Of what").value).toBe("minutes");
    fireEvent.change(screen.getByLabelText("How many"), { target: { value: "3" } });
    fireEvent.change(screen.getByLabelText("Of what"), { target: { value: "days" } });
    expect(bodies).toEqual([]);
    fireEvent.click(screen.getByRole("button", { name: "Set" }));
    await waitFor(() => expect(bodies).toEqual([{ silence_seconds: 259_200 }]));
    fireEvent.change(choice, { target: { value: "Never" } });
    await waitFor(() => expect(bodies.at(-1)).toEqual({ silence_seconds: null }));
  });

  it("keeps what is begun in a field when another one is saved", async () => {
    const bodies = takeChanges(sourceOf({ kind: "keycloak" }));
    await openPage(`${LIST}/vector`);
    const choice = await screen.findByLabelText<HTMLSelectElement>("Report silence after");
    fireEvent.change(choice, { target: { value: OTHER } });
    fireEvent.change(screen.getByLabelText("How many"), { target: { value: "45" } });
    const secret = screen.getByLabelText<HTMLInputElement>("Secret");
    fireEvent.change(secret, { target: { value: "a long secret" } });
    fireEvent.change(screen.getByLabelText("It may send an event again for"), {
      target: { value: "1 year" },
    });
    await saved();
    expect(screen.getByLabelText<HTMLInputElement>("How many").value).toBe("45");
    expect(secret.value).toBe("a long secret");
    fireEvent.click(screen.getByRole("button", { name: "Set secret" }));
    await waitFor(() => expect(secret.value).toBe(""));
    await saved();
    expect(screen.getByLabelText<HTMLInputElement>("How many").value).toBe("45");
    fireEvent.click(screen.getByRole("button", { name: "Set" }));
    await waitFor(() => expect(choice.value).toBe("Never"));
    expect(bodies).toEqual([{ replay_days: 365 }, { secret: "a long secret" }, { silence_seconds: 2700 }]);
  });

  it("makes another key, and says when none works", async () => {
    withSource(sourceOf());
    const bodies: unknown[] = [];
    server.use(
      http.post(`${API}/keys`, async ({ request }) => {
        bodies.push(await request.json());
        return HttpResponse.json({ key: {}, token: "lbk_another" }, { status: 201 });
      }),
    );
    await openPage(`${LIST}/vector`);
    expect(await screen.findByText("No key works: the source cannot send.")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "New key" }));
    expect((await screen.findByRole("region", { name: "key" })).textContent).toBe("lbk_another");
    expect(bodies).toEqual([{ name: "vector", role: "writer", source: "vector", expires_at: null }]);
  });
});

describe("the course of a source", () => {
  it("has the days on which nothing came, too", () => {
    const now = Date.parse("2026-11-23T23:59:00Z");
    const days = [
      { day: "2026-11-23", events: 5 },
      { day: "2026-11-20", events: 2 },
      { day: "2026-11-10", events: 9 },
      { day: "2026-11-09", events: 1 },
    ] as Source["days"];
    expect(courseOf({ days }, now)).toEqual([9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 5]);
  });
});

describe("a silence", () => {
  it("is a usual time, or any number of a unit", () => {
    expect([null, 900, 604_800].map((seconds) => silenceOf(seconds).choice)).toEqual([
      "Never",
      "15 minutes",
      "1 week",
    ]);
    expect(silenceOf(90)).toEqual({ choice: OTHER, count: "90", unit: "seconds" });
    expect(silenceOf(7200)).toEqual({ choice: OTHER, count: "2", unit: "hours" });
    for (const seconds of [null, 1, 60, 61, 900, 7200, 86_400 * 3])
      expect(secondsOf(silenceOf(seconds))).toBe(seconds);
  });

  it("is none while its number is not within the API's bounds", () => {
    const other = (count: string) => secondsOf({ choice: OTHER, count, unit: "days" });
    expect(["", "0", "-1", "1.5", "1e2", "367"].map(other)).toEqual(Array(6).fill(undefined));
    expect(other(String(mostOf("days")))).toBe(31_622_400);
  });
});

describe("the problems of a source", () => {
  const NOW = Date.parse("2026-11-23T10:00:00Z");
  const texts = (changes: Partial<Source>) => problemTexts(sourceOf(changes), NOW);

  it("are sentences", () => {
    expect(
      texts({ problems: ["silent"], silent_since: "2026-11-23T08:00:00Z", silence_seconds: 900 }),
    ).toEqual(["Silent for 2 h; it normally sends within 15 min."]);
    expect(texts({ problems: ["skewed"], skew_seconds: -90 })).toEqual(["Its clock is 1 min ahead."]);
    expect(texts({ problems: ["skewed"], skew_seconds: 600 })).toEqual([
      "Its events come at least 10 min late, or its clock is behind.",
    ]);
    expect(texts({ problems: ["rejected"], rejected: 1234 })).toEqual([
      "1,234 records could not be read and are in quarantine.",
    ]);
  });

  it("count the events of a gap, at least those that are known", () => {
    const gap = (from: number, to: number) => ({ epoch: "", from, to, noticed_at: "" });
    const [text] = texts({ problems: ["gap"], gaps: [gap(3, 3)] as Source["gaps"] });
    expect(text).toMatch(/^1 event has not come \(3\)/);
    const [many] = texts({
      problems: ["gap"],
      gaps: [gap(1, 2), gap(4, 4), gap(6, 6), gap(8, 8)] as Source["gaps"],
      gaps_complete: false,
    });
    expect(many).toMatch(/^5\+ events have not come \(1 to 2, 4, 6 and more\)/);
  });

  it("name what most of its events leave out", () => {
    expect(missingFields(sourceOf())).toBeNull();
    expect(missingFields(sourceOf({ missing_fields: ["actor", "origin"] }))).toContain(
      "who did it, or the address it came from",
    );
  });
});
