import { beforeEach, describe, expect, it } from "vitest";
import { endSession, startSession } from "../src/api/session";
import type { Session } from "../src/api/types";
import { accessLog } from "../src/access/log";
import type { AccessEvent } from "../src/api/types";
import { recentPlaces, rememberPlace } from "../src/logs/recent";
import { placeOf } from "../src/logs/recent-log";
import type { LogSearch } from "../src/logs/search";

function signIn(id: string) {
  startSession({ access_token: "t", expires_in: 900, user: { id, name: id } } as Session);
}

const place = (path: string, name = path) => ({ href: `/w/clinic/${path}`, name, hint: "Access log" });
const names = (slug = "clinic") => recentPlaces(slug).map(({ name }) => name);

describe("recent places", () => {
  beforeEach(() => {
    localStorage.clear();
    signIn("asha");
  });

  it("are the last eight, each one once, the latest first", () => {
    for (let number = 0; number < 10; number += 1) rememberPlace("clinic", place(`access?q=${number}`));
    rememberPlace("clinic", place("access?q=5", "again"));
    expect(names()).toEqual(["again", ...[9, 8, 7, 6, 4, 3, 2].map((number) => `access?q=${number}`)]);
  });

  it("belong to a workspace and to a person", () => {
    rememberPlace("clinic", place("access"));
    expect(names("ward")).toEqual([]);
    signIn("ravi");
    expect(names()).toEqual([]);
    rememberPlace("clinic", place("framework"));
    signIn("asha");
    expect(names()).toEqual([]);
  });

  it("are gone after signing out", () => {
    rememberPlace("clinic", place("access"));
    endSession("user");
    expect(localStorage.length).toBe(0);
  });

  it("are not taken from a storage that somebody else has written", () => {
    const odd = [{ href: "https://evil.test", name: "x", hint: "" }, { href: "/w/clinic/a" }, 7, null];
    for (const places of [{ clinic: odd }, { clinic: "x" }, null]) {
      localStorage.setItem("logbook-recent", JSON.stringify({ user: "asha", places }));
      expect(names()).toEqual([]);
    }
    localStorage.setItem("logbook-recent", "{");
    expect(names()).toEqual([]);
  });
});

describe("the name of a place", () => {
  const clock = { zone: "UTC", format: "dd/mm/yyyy" as const };
  const event = { user: { id: "17", name: "Asha Rao" }, targets: [] } as unknown as AccessEvent;
  const named = (search: LogSearch) =>
    placeOf({ log: accessLog, search, events: [event], clock, hrefOf: () => "/" });

  it("says what is filtered, in words", () => {
    const search = {
      range: "7d" as const,
      event_type: ["login_failed"],
      not_role: ["Nurse"],
      user_id: ["17"],
      ip_address: ["10.0.0.0/8"],
      q: "wrong",
    };
    expect(named(search)).toEqual({
      href: "/",
      name: "“wrong”, Failed login, not Nurse, Asha Rao (17), IP address 10.0.0.0/8",
      hint: "Access log, last 7 days",
    });
  });

  it("is the range where nothing else is chosen, and none for the log as it opens", () => {
    expect(named({ since: "2026-11-01", until: "2026-11-08" })?.name).toBe("01/11/2026 – 07/11/2026");
    expect(named({ range: "30d" })).toBeNull();
  });
});
