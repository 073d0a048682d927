// A fourth workspace, with sources: one that sends, one with records in quarantine, one that waits. A fifth has no events.
import type { Server } from "./server.ts";

export const doors = { slug: "doors", empty: "no-doors" } as const;

export async function fillDoors(server: Server) {
  server.logbook("workspace", "create", doors.slug, "--name", "Many Doors", "--timezone", "Asia/Kolkata");
  server.logbook("workspace", "create", doors.empty, "--name", "No Doors");
  const make = (workspace: string, name: string, kind: string) =>
    server.logbook("sources", "create", "--workspace", workspace, "--name", name, "--kind", kind).trim().split("\n").at(-1) ?? "";
  const send = async (source: string, key: string, body: string) => {
    const response = await fetch(`${server.url}/api/v1/workspaces/${doors.slug}/sources/${source}/events`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
      body,
    });
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  };
  const actor = { type: "user", id: "17", name: "Asha Rao" };
  const change = (sequence: number) => ({ log: "application", action: "update", model: "visit", record_id: "5", actor, epoch: "pod-7", sequence });
  // The counts 3 and 4 have not come.
  await send("billing", make(doors.slug, "billing", "api"), JSON.stringify([1, 2, 5].map(change)));
  const keycloak = make(doors.slug, "keycloak", "keycloak");
  await send("keycloak", keycloak, '[{"id": 12345678901234567890, "what": "door opened", "details": {"by": "ben"}}]');
  await send("keycloak", keycloak, "no JSON at all");
  make(doors.slug, "okta", "okta");
  make(doors.empty, "vector", "hec");
}
