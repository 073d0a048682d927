import { describe, expect, it } from "vitest";
import { accessLog } from "../src/access/log";
import { activityLog } from "../src/activity/log";
import { applicationLog } from "../src/application/log";
import { frameworkLog } from "../src/framework/log";
import { columnsText, leastWidth, parseColumns, shownColumns } from "../src/logs/columns";
import type { Column } from "../src/logs/definition";
import { FOUND_IN } from "../src/logs/LogTable";
import { timelineTable } from "../src/routes/timeline/definition";

const ids = (text: string | undefined, width = 2000) =>
  shownColumns(accessLog.columns, parseColumns(text), width).map((column) => column.id);

describe("the columns of a table", () => {
  it("are by default as many as fit", () => {
    expect(ids(undefined)).toEqual(["time", "user", "event_type", "status", "role", "ip", "user_agent"]);
    expect(ids(undefined, 620)).toEqual(["time", "user", "event_type", "status", "ip"]);
    expect(ids(undefined, 600)).toEqual(["time", "user", "event_type", "status"]);
  });

  it.each<[string, readonly Column<never>[]]>([
    ["access", accessLog.columns],
    ["application", applicationLog.columns],
    ["framework", frameworkLog.columns],
    ["activity", activityLog.columns],
    ["timeline", timelineTable.columns],
  ])("of the log %s fit into every width, also while something is searched", (_, columns) => {
    for (let width = 600; width < 1400; width += 1) {
      for (const all of [columns, [...columns, FOUND_IN as Column<never>]])
        expect(leastWidth(shownColumns(all, undefined, width)), String(width)).toBeLessThanOrEqual(width);
    }
  });

  it("are those of the link, in its order and behind the time, whether they fit or not", () => {
    expect(ids("user_agent,user", 300)).toEqual(["time", "user_agent", "user"]);
    const [, first] = shownColumns(accessLog.columns, parseColumns("role.240"), 300);
    expect(first?.width).toBe("240px");
  });

  it("pass over what is not valid", () => {
    expect(parseColumns("")).toBeUndefined();
    expect(parseColumns("<x>,Role")).toBeUndefined();
    expect(ids("nothing,role,time")).toEqual(["time", "role"]);
    expect(parseColumns("role.1,user.9999")).toEqual([
      { id: "role", width: 56 },
      { id: "user", width: 900 },
    ]);
  });

  it("round-trip", () => {
    const text = "role.240,user,ip.90";
    expect(columnsText(parseColumns(text) ?? [])).toBe(text);
  });
});
