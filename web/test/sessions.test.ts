import { describe, expect, it } from "vitest";
import type { UserSession } from "../src/api/types";
import { readSessionSearch } from "../src/routes/sessions/session-search";
import { deviceText, endOf, timelineOf } from "../src/routes/sessions/session-text";
import { formatDuration } from "../src/ui/time/format";

const session: UserSession = {
  session_id: "s-1",
  is_inferred: false,
  is_complete: true,
  user: { type: "user", id: "17", name: "Asha Rao" },
  role: "Nurse",
  started_at: "2026-11-22T20:48:59.123456Z",
  ended_at: "2026-11-22T21:00:00.654321Z",
  ended_by: "logout",
  last_event_at: "2026-11-22T21:00:00.654321Z",
  duration_seconds: 661,
  ip_address: "198.51.100.4",
  user_agent: "Mozilla/5.0 …",
  device: { browser: "Chrome 130", os: "Windows" },
  events: 4,
  changes: 2,
  failures: 0,
  login_event_id: "e1",
};

describe("a session", () => {
  it("leads to what happened in it", () => {
    expect(timelineOf(session)).toEqual({ session_id: "s-1" });
    expect(timelineOf({ ...session, session_id: null })).toEqual({
      actor: "user:17",
      since: "2026-11-22T20:48:59.123456Z",
      // Behind the last event: the end is exclusive.
      until: "2026-11-22T21:00:00.655Z",
    });
    expect(timelineOf({ ...session, session_id: null, user: null })).toEqual({ around: "e1" });
  });

  it("says how it ended and with what", () => {
    const ends = (["logout", "session_expired", "next_login", "inactivity", null] as const).map((ended_by) =>
      endOf({ ...session, ended_by }),
    );
    expect(ends).toEqual(["Signed out", "Expired", "Signed in again", "No more events", "Still open"]);
    expect(deviceText(session)).toBe("Chrome 130 on Windows");
    expect(deviceText({ ...session, device: { browser: null, os: null }, user_agent: "curl/8" })).toBe(
      "curl/8",
    );
  });
});

describe("the query string of the sessions", () => {
  it("keeps what is valid", () => {
    const search = { range: "7d", user_id: "17", ip_address: "10.0.0.0/8", session_id: "s-1" };
    expect(readSessionSearch({ ...search, role: "x", since: "soon" })).toEqual(search);
    expect(readSessionSearch({ user_id: ["17", "18"], session_id: "x".repeat(256) })).toEqual({
      user_id: "17",
    });
  });
});

describe("a duration", () => {
  it("has two units at most", () => {
    expect([0, 59.9, 60, 3_599, 3_600, 11_100, 86_400, 187_200, 86_460].map(formatDuration)).toEqual([
      "0 s",
      "59 s",
      "1 min",
      "59 min",
      "1 h",
      "3 h 5 min",
      "1 d",
      "2 d 4 h",
      "1 d",
    ]);
  });
});
