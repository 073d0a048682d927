import { render, screen, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { ApplicationEvent, Change } from "../src/api/types";
import { applicationLog } from "../src/application/log";
import { changedValue, splitChanged } from "../src/logs/changed";
import { Changes, changesSummary } from "../src/logs/Changes";
import { filterTexts } from "../src/logs/filter-text";

function renderChanges(
  list: Change[],
  kind: "create" | "update" | "delete" = "update",
  masked: string[] = [],
) {
  render(<Changes list={list} kind={kind} masked={masked} />);
  return screen.getAllByRole("listitem");
}

describe("changes", () => {
  it("show the old value, then the new one", () => {
    const [row] = renderChanges([{ field: "status", old: "open", new: "closed" }]);
    expect(row?.textContent).toBe("statuswas opennow closed");
    expect(row?.querySelector("del")?.textContent).toBe("was open");
    expect(row?.querySelector("ins")?.textContent).toBe("now closed");
  });

  it("distinguish null, empty text, zero and false", () => {
    const rows = renderChanges([
      { field: "a", old: null, new: "" },
      { field: "b", old: 0, new: false },
    ]);
    expect(rows[0]?.textContent).toBe("aemptyempty text");
    expect(rows[1]?.textContent).toBe("bwas 0now false");
  });

  it("show the values added to and removed from a set", () => {
    const [row] = renderChanges([{ field: "roles", added: ["Nurse"], removed: ["Front desk", { id: 3 }] }]);
    expect([...(row?.querySelectorAll("ins") ?? [])].map((item) => item.textContent)).toEqual([
      "+ added Nurse",
    ]);
    expect([...(row?.querySelectorAll("del") ?? [])].map((item) => item.textContent)).toEqual([
      "− removed Front desk",
      '− removed {"id":3}',
    ]);
  });

  it("show names in place of what only a program understands, which stands beside them", () => {
    const rows = renderChanges([
      { field: "doctor_id", old: 1, new: 2, label: "Doctor", old_label: "Asha Rao", new_label: "Ben Kim" },
      { field: "team", added: [4, 9], removed: [3], new_label: "Ben Kim, Mara Olsen", old_label: "Jo March" },
    ]);
    expect(rows[0]?.textContent).toBe("Doctor doctor_idwas Asha Rao 1now Ben Kim 2");
    expect(rows[0]?.querySelector("del")?.textContent).toBe("was Asha Rao");
    expect(rows[1]?.querySelector("ins")?.textContent).toBe("+ added Ben Kim, Mara Olsen");
    expect(rows[1]?.textContent).toContain("4, 9");
  });

  it("are summarized by their names", () => {
    const doctor = { field: "doctor_id", old: 1, new: 2, label: "Doctor" };
    expect(changesSummary([{ ...doctor, old_label: "Asha Rao", new_label: "Ben Kim" }])).toBe(
      "Doctor: Asha Rao → Ben Kim",
    );
    expect(changesSummary([doctor])).toBe("Doctor: 1 → 2");
    expect(changesSummary([doctor, { field: "status", old: "a", new: "b" }])).toBe("Doctor: 1 → 2, +1");
  });

  it("format structured values", () => {
    const value = { city: "Mumbai", lines: ["1 Marine Drive", "Churchgate"], pincode: "400020" };
    const [row] = renderChanges([{ field: "address", old: null, new: value }]);
    expect(row?.querySelector("ins")?.textContent).toContain(JSON.stringify(value, null, 2));
  });

  it("truncate long text and offer all of it", () => {
    const [row] = renderChanges([{ field: "notes", old: "", new: "x".repeat(1000) }]);
    const button = within(row as HTMLElement).getByRole("button", { name: "Show all 1,000 characters" });
    expect(row?.querySelector("ins")?.textContent?.length).toBeLessThan(400);
    expect(button).toBeDefined();
  });

  it("mark masked values without showing them", () => {
    const [row] = renderChanges([{ field: "password", old: "[masked]", new: "[masked]" }], "update", [
      "/changes/0/new",
    ]);
    expect(row?.querySelector("del")?.textContent).toBe("was [masked]");
    expect(row?.querySelector("ins")).toBeNull();
    expect(row?.textContent).toContain("masked: a secret value");
  });

  it("show a create as a snapshot of its new values", () => {
    const rows = renderChanges(
      [
        { field: "name", old: null, new: "Li Lei" },
        { field: "tags", old: null, new: ["new"] },
      ],
      "create",
    );
    expect(screen.getByRole("list", { name: "Values" })).toBeDefined();
    expect(rows.map((row) => row.textContent)).toEqual(["nameLi Lei", 'tags["new"]']);
  });

  it("show a delete as a snapshot of its old values", () => {
    const [row] = renderChanges([{ field: "name", old: "Li Lei", new: null }], "delete");
    expect(row?.textContent).toBe("nameLi Lei");
  });

  it("are summarized in the table", () => {
    const list = ["a", "b", "c", "d", "e"].map((field) => ({ field, old: 1, new: 2 }));
    expect(changesSummary(list)).toBe("a: 1 → 2, +4");
    expect(changesSummary(list, ["c"])).toBe("c: 1 → 2, +4");
    expect(changesSummary([...list, { field: "name", old: "Li", new: "Lei" }], [], "LEI")).toBe(
      "name: Li → Lei, +5",
    );
    expect(changesSummary([{ field: "status", old: null, new: "open" }])).toBe("status: empty → open");
    expect(changesSummary([{ field: "roles", added: ["Nurse"], removed: ["Lab"] }])).toBe(
      "roles: −Lab +Nurse",
    );
    expect(changesSummary([{ field: "notes", old: "", new: "x".repeat(500) }])).toBe(
      `notes: empty → ${"x".repeat(120)}…`,
    );
  });
});

describe("what a filter by a change is made of", () => {
  it("is written as the API compares it", () => {
    expect(changedValue("status", "closed")).toBe("status:closed");
    expect([changedValue("age", 7), changedValue("paid", false), changedValue("ward", null)]).toEqual([
      "age:7",
      "paid:false",
      "ward:null",
    ]);
    expect(splitChanged("name:Asha: Rao")).toEqual({ field: "name", value: "Asha: Rao" });
  });

  it("is nothing for what cannot be found", () => {
    expect(changedValue("address", { city: "Pune" })).toBeNull();
    expect(changedValue("note", "a".repeat(201))).toBeNull();
    expect(changedValue("note", "")).toBeNull();
    expect(changedValue("a:b", "c")).toBeNull();
  });

  it("is a sentence", () => {
    const filters = applicationLog.filters;
    const event = { changes: [{ field: "doctor_id", old: 1, new: 7, new_label: "Ben Kim" }] };
    const texts = filterTexts(filters, [event as unknown as ApplicationEvent], {
      changed: ["doctor_id:7", "status:closed"],
      not_changed: ["ward:B"],
    });
    expect(texts.map(({ phrase }) => phrase)).toEqual([
      "doctor_id changed to Ben Kim (7)",
      "status changed to closed",
      "ward not changed to B",
    ]);
  });
});
