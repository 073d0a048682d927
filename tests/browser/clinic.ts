// A second workspace with invented events over several weeks. The events of the fixture span only ten minutes.
import type { Server } from "./server.ts";

export const clinic = { slug: "lakeside", name: "Lakeside Clinic", events: 300, updates: 150 } as const;

const start = Date.UTC(2026, 8, 1);
const TWO_HOURS_MS = 7_200_000;

/** Appends 300 changes of visits, one every two hours from 01/09/2026 05:30 in Kolkata, alternately create and update. */
export async function fillClinic(server: Server) {
  server.logbook("workspace", "create", clinic.slug, "--name", clinic.name, "--timezone", "Asia/Kolkata");
  const events = Array.from({ length: clinic.events }, (_, index) => ({
    occurred_at: new Date(start + index * TWO_HOURS_MS).toISOString(),
    action: index % 2 ? "update" : "create",
    actor: { type: "user", id: String(1 + (index % 3)), name: ["Asha Rao", "Ravi, K.", "李雷"][index % 3] },
    role: index % 3 ? "Nurse" : "Physician",
    model: "visit",
    record_id: String(1 + (index >> 1)),
    record_name: `visit ${1 + (index >> 1)}`,
    changes:
      index % 2
        ? [
            { field: "status", old: "open", new: "closed" },
            { field: "roles", added: ["Nurse"], removed: ["Trainee"] },
            { field: "access_token", old: null, new: "0123456789abcdef0123456789abcdef" },
          ]
        : [{ field: "status", old: null, new: "open" }],
    session_id: `session-${index % 3}`,
    ip_address: "198.51.100.4",
  }));
  const response = await fetch(`${server.url}/api/v1/workspaces/${clinic.slug}/logs/application`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${server.token("writer", clinic.slug)}` },
    body: JSON.stringify(events),
  });
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
  server.logbook("user", "create", "--email", "asha@lakeside.test", "--name", "Asha Rao", "--workspace", clinic.slug, "--role", "admin");
  server.logbook("user", "create", "--email", "ravi@lakeside.test", "--name", "Ravi, K.", "--workspace", clinic.slug, "--role", "auditor");
  server.logbook("keys", "create", "--workspace", clinic.slug, "--role", "writer", "--name", "Vector in Mumbai", "--days", "90");
  server.logbook("keys", "create", "--workspace", clinic.slug, "--role", "viewer", "--name", "Warehouse");
}
