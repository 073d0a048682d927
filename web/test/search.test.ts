import { describe, expect, it } from "vitest";
import {
  addFilter,
  chooseFilter,
  clearFilter,
  clearFilters,
  filtersOf,
  flipFilter,
  type LogSearch,
  readSearch,
  removeFilter,
  withRange,
} from "../src/logs/search";
import { LOG_FILTERS } from "../src/routes/log-filters";
import { parseSearch, stringifySearch } from "../src/routes/query-string";

const read = (text: string) => readSearch(parseSearch(text), LOG_FILTERS.framework);

describe("the query string of a log", () => {
  const searches: LogSearch[] = [
    {},
    { range: "7d", order: "asc" },
    { since: "2026-11-01", until: "2026-11-06", q: "50% of a_b \\ & 李雷" },
    { since: "2026-11-01T03:30:00Z", status: ["failure"], component: ["policy:2", "task"], event: "01-02" },
    { action: ["policy_synced"], actor_id: ["1", "007"] },
    { not_status: ["success"], status: ["denied"], not_ip_address: ["10.0.0.0/8"] },
    { "metadata.request.region": ["eu", "a&b=c"], "not_metadata.größe & more": ["true"] },
  ];

  it.each(searches)("round-trips %o", (search) => {
    expect(read(stringifySearch(search))).toEqual(search);
  });

  it("looks like a query of the API", () => {
    expect(stringifySearch({ status: ["success", "failure"], q: "a b" })).toBe(
      "?status=success&status=failure&q=a+b",
    );
  });

  it("ignores what is not valid", () => {
    expect(read("?range=2y&since=yesterday&order=up&nope=1&status=&q=")).toEqual({});
    expect(read("?user_id=17")).toEqual({});
    expect(read("?since=2026-13-45")).toEqual({});
  });

  it("ignores metadata paths beyond those that the API accepts", () => {
    const text = Array.from({ length: 30 }, (_, index) => `metadata.key${index}=1`).join("&");
    expect(Object.keys(read(`?${text}&metadata.=1&metadata=2`))).toHaveLength(20);
  });

  it("prefers a start or an end to a preset", () => {
    expect(read("?range=7d&since=2026-11-01")).toEqual({ since: "2026-11-01" });
  });
});

describe("filters", () => {
  const search: LogSearch = { q: "x", event: "e", order: "asc", range: "7d", status: ["failure"] };

  it("are added once, and close the open event", () => {
    const next = addFilter(addFilter(search, "status", "success"), "status", "success");
    expect(next).toEqual({ q: "x", order: "asc", range: "7d", status: ["failure", "success"] });
  });

  it("disappear with their last value", () => {
    expect("status" in removeFilter(search, "status", "failure")).toBe(false);
  });

  it("are set and cleared by a metric card", () => {
    const chosen = chooseFilter({ status: ["success", "other"] }, "status", "failure");
    expect(chosen).toEqual({ status: ["failure"] });
    expect(chooseFilter(chosen, "status", "failure")).toEqual({});
  });

  it("are cleared without changing range and order", () => {
    expect(clearFilters(search)).toEqual({ order: "asc", range: "7d" });
  });

  it("either match a value or leave it out", () => {
    const excluded = addFilter({ role: ["Nurse", "Physician"] }, "not_role", "Nurse");
    expect(excluded).toEqual({ role: ["Physician"], not_role: ["Nurse"] });
    expect(addFilter(excluded, "role", "Nurse")).toEqual({ role: ["Physician", "Nurse"] });
    expect(flipFilter({ not_role: ["Nurse"] }, "not_role", "Nurse")).toEqual({ role: ["Nurse"] });
    expect(flipFilter({ "metadata.a.b": ["1"] }, "metadata.a.b", "1")).toEqual({ "not_metadata.a.b": ["1"] });
    expect(clearFilter(excluded, "role")).toEqual({});
    expect(chooseFilter({ not_status: ["denied"] }, "status", "denied")).toEqual({ status: ["denied"] });
  });

  it("are independent of the range", () => {
    expect(filtersOf(search)).toEqual({ status: ["failure"] });
    expect(withRange(search, { since: "2026-11-01" })).toEqual({
      q: "x",
      order: "asc",
      since: "2026-11-01",
      status: ["failure"],
    });
  });
});
