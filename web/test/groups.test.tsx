import { render, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { accessLog } from "../src/access/log";
import { groupFields, withGroup, withGroupValues, withoutValue } from "../src/logs/group-by";
import { readSearch } from "../src/logs/search";
import { LOG_FILTERS } from "../src/routes/log-filters";
import { Sparkline } from "../src/ui/Sparkline";

const read = (group: string) => readSearch({ group }, LOG_FILTERS.access);
const fields = (group: string) => groupFields(read(group), accessLog.top).map(({ field }) => field);

describe("the fields of a group", () => {
  it("are one or two of the log", () => {
    expect(fields("user_id,ip_address")).toEqual(["user_id", "ip_address"]);
    expect(fields("role,role,status")).toEqual(["role", "status"]);
    expect(fields("nope,role,status")).toEqual(["role"]);
    expect(read("<script>,%")).toEqual({});
  });

  it("are paths of the metadata, whatever is in a key", () => {
    expect(fields("metadata.request.region,role")).toEqual(["metadata.request.region", "role"]);
    const group = withGroup({}, ["metadata.100%2C, of it", "role"]).group ?? "";
    expect(fields(group)).toEqual(["metadata.100%2C, of it", "role"]);
    expect(read(group)).toEqual({ group });
    expect(fields("metadata.")).toEqual([]);
    const [region] = groupFields({ group: "metadata.request.region" }, []);
    expect(region && withoutValue({}, region, "eu")).toEqual({ "not_metadata.request.region": ["eu"] });
  });

  it("are in the query string", () => {
    expect(withGroup({ view: "top" }, ["role", ""])).toEqual({ view: "top", group: "role" });
    expect(withGroup({ view: "top", group: "role" }, [])).toEqual({ view: "top" });
  });

  it("filter by all values, or exclude one", () => {
    const known = groupFields({ group: "user_id,ip_address" }, accessLog.top);
    expect(withGroupValues({ not_user_id: ["17"] }, known, ["17", "10.0.0.1"])).toEqual({
      user_id: ["17"],
      ip_address: ["10.0.0.1"],
    });
    const [user] = known;
    expect(user && withoutValue({}, user, "17")).toEqual({ not_user_id: ["17"] });
    // No filter is there for reasons.
    const reasons = groupFields({ group: "status_reason,role" }, accessLog.top);
    expect(withGroupValues({}, reasons, ["wrong_password", "Nurse"])).toEqual({ role: ["Nurse"] });
  });
});

describe("a sparkline", () => {
  it("says what it shows", () => {
    render(<Sparkline counts={[3, 0, 12, 5]} label="Asha" format={String} />);
    expect(screen.getByRole("img", { name: "Asha: lowest 0, highest 12, last 5" })).toBeTruthy();
  });

  it("draws one point, none, and only zeros", () => {
    const { container } = render(
      <>
        {[[7], [], [0, 0]].map((counts, index) => (
          <Sparkline key={index} counts={counts} label="x" format={String} />
        ))}
      </>,
    );
    expect(container.querySelectorAll("svg")).toHaveLength(2);
    expect(container.innerHTML).not.toContain("NaN");
  });
});
