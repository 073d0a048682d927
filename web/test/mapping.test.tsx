import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { describe, expect, it } from "vitest";
import { openPage, problem, server, sourceOf, startServer, withSource } from "./app";

startServer();

const PATH = "/w/clinic/settings/sources/vector/mapping";
const STORED = 'log = "\'access\'"\naction = "event.what"\n';
const result = (changes: object) => ({ event: null, skipped: false, errors: [], ...changes });

/** A source with a mapping, whose preview answers with these results. */
function withMapping(results: object[], isDefault = true) {
  const own = withSource(sourceOf());
  const asked: unknown[] = [];
  const saved: unknown[] = [];
  const stored = { mapping: STORED, default_mapping: STORED, is_default: isDefault };
  server.use(
    http.get(`${own}/mapping`, () => HttpResponse.json(stored)),
    http.put(`${own}/mapping`, async ({ request }) => {
      const body = (await request.json()) as { mapping: string | null };
      saved.push(body);
      return HttpResponse.json({
        ...stored,
        mapping: body.mapping ?? STORED,
        is_default: body.mapping === null,
      });
    }),
    http.post(`${own}/mapping/preview`, async ({ request }) => {
      asked.push(await request.json());
      return HttpResponse.json({ results });
    }),
  );
  return { own, asked, saved };
}

const mapping = () => screen.findByRole("textbox", { name: "Mapping" });
const type = (field: HTMLElement, value: string) => fireEvent.change(field, { target: { value } });

describe("the mapping of a source", () => {
  it("shows what a sample becomes, without what the event does not have", async () => {
    const { asked } = withMapping([
      result({ event: { id: "", action: "door_opened", actor: null, metadata: { floor: 2 } } }),
    ]);
    await openPage(PATH);
    type(await screen.findByRole("textbox", { name: "Sample" }), '{"what": "door opened"}');
    const event = await screen.findByRole("region", { name: "event" });
    expect(JSON.parse(event.textContent ?? "")).toEqual({ action: "door_opened", metadata: { floor: 2 } });
    expect(asked).toEqual([{ mapping: STORED, sample: '{"what": "door opened"}' }]);
  });

  it("tries what is edited before it is saved, and saves it", async () => {
    const { asked, saved } = withMapping([result({ skipped: true })]);
    await openPage(PATH);
    const edited = `${STORED}skip = "true"\n`;
    type(await screen.findByRole("textbox", { name: "Sample" }), "{}");
    type(await mapping(), edited);
    expect(await screen.findByText("The mapping says that it is no event")).toBeTruthy();
    await waitFor(() => expect(asked.at(-1)).toEqual({ mapping: edited, sample: "{}" }));
    expect(screen.getByText("Not saved yet")).toBeTruthy();
    expect(saved).toEqual([]);
    fireEvent.click(screen.getByRole("button", { name: "Save" }));
    expect(await screen.findByText("Saved")).toBeTruthy();
    expect(saved).toEqual([{ mapping: edited }]);
  });

  it("says why an element goes into quarantine, and where", async () => {
    withMapping([result({ errors: [{ pointer: "/actor/id", code: "x", detail: "is no text" }] })]);
    await openPage(PATH);
    type(await screen.findByRole("textbox", { name: "Sample" }), "{}");
    const why = await screen.findByRole("list", { name: "Why it goes into quarantine" });
    expect(why.textContent).toBe("actor.id: is no text");
  });

  it("says what is wrong with the mapping itself", async () => {
    const { own } = withMapping([]);
    const errors = [{ pointer: "/mapping/action", code: "invalid", detail: "there is no variable evnet" }];
    server.use(http.post(`${own}/mapping/preview`, () => problem(422, "invalid", "no", errors as never)));
    await openPage(PATH);
    type(await screen.findByRole("textbox", { name: "Sample" }), "{}");
    expect((await screen.findByRole("alert")).textContent).toBe("action there is no variable evnet");
  });

  it("tries a record of the quarantine in place of a sample", async () => {
    const { own, asked } = withMapping([result({ skipped: true })]);
    server.use(
      http.get(`${own}/rejected`, ({ request }) => {
        const { searchParams } = new URL(request.url);
        expect([searchParams.get("cursor"), searchParams.get("limit")]).toEqual(["6", "1"]);
        const record = { id: 7, record: Buffer.from("what: door").toString("base64"), size: 10 };
        return HttpResponse.json({ data: [record], has_more: false, next_cursor: null });
      }),
    );
    await openPage(`${PATH}?rejected=7`);
    // What was sent stands beside it.
    expect((await screen.findByRole("region", { name: "record 7" })).textContent).toBe("what: door");
    expect(await screen.findByText(/Record 7 of the quarantine/)).toBeTruthy();
    expect(screen.queryByRole("textbox", { name: "Sample" })).toBeNull();
    await waitFor(() => expect(asked).toEqual([{ mapping: STORED, rejected: 7 }]));
  });

  it("shows a part of the elements of a sample that has many", async () => {
    withMapping(Array.from({ length: 3000 }, () => result({ skipped: true })));
    await openPage(PATH);
    type(await screen.findByRole("textbox", { name: "Sample" }), "{}");
    const became = within(await screen.findByRole("region", { name: "What it becomes" }));
    expect(became.getAllByText("The mapping says that it is no event")).toHaveLength(50);
    expect(became.getByText("These are the first 50 of 3,000 elements.")).toBeTruthy();
  });

  it("goes back to that of its kind", async () => {
    const { saved } = withMapping([], false);
    await openPage(PATH);
    fireEvent.click(await screen.findByRole("button", { name: "Back to that of its kind" }));
    await waitFor(() => expect(saved).toEqual([{ mapping: null }]));
  });

  it("is read, and not changed, by others than admins", async () => {
    withMapping([]);
    await openPage(PATH, "auditor");
    expect((await screen.findByRole("region", { name: "mapping" })).textContent).toBe(STORED);
    expect(screen.queryByRole("textbox")).toBeNull();
  });
});
