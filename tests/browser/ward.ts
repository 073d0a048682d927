// A third workspace, whose events use everything that an event can have: each field of the wide event, and each outcome.
import type { Server } from "./server.ts";

export const ward = { slug: "ward", name: "Ward Nine" } as const;

const asha = { type: "user", id: "17", name: "Asha Rao" };
const bot = { type: "agent", id: "bot-1", name: "Support Bot" };
const at = (minute: number) => new Date(Date.UTC(2026, 9, 1, 9, minute)).toISOString();

/** Five changes (two of them denied, one failed), three access events (one denied) and two framework events (one denied). */
export async function fillWard(server: Server) {
  server.logbook("workspace", "create", ward.slug, "--name", ward.name, "--timezone", "Asia/Kolkata");
  const token = server.token("writer", ward.slug);
  const post = async (log: string, events: object[]) => {
    const response = await fetch(`${server.url}/api/v1/workspaces/${ward.slug}/logs/${log}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify(events.map((event, index) => ({ occurred_at: at(events.length - index), ...event }))),
    });
    if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
  };
  await post("application", [
    {
      action: "update",
      actor: bot,
      on_behalf_of: asha,
      role: "Nurse",
      purpose: "INC-4711: move the ward round",
      model: "appointment",
      record_id: "88",
      record_name: "Appointment 88",
      targets: [
        { type: "group", id: "7", name: "Night shift" },
        { type: "patient", id: "92", name: "李雷" },
      ],
      changes: [
        { field: "doctor_id", old: 1, new: 2, label: "Doctor", old_label: "Asha Rao", new_label: "Ben Kim" },
        { field: "phone_number", old: "1", new: "2" },
        { field: "team", added: [4, 9], removed: [3], label: "Care team", old_label: "Jo March", new_label: "Ben Kim, Mara Olsen" },
      ],
      metadata: { request: { region: "eu-west", retries: 2, cached: false }, tags: ["vip", "night"] },
      epoch: "pod-7",
      sequence: 4711,
      ip_address: "10.20.30.40",
    },
    { action: "update", actor: asha, role: "Nurse", model: "patient", record_id: "92", record_name: "李雷", ip_address: "198.51.100.4" },
    { action: "delete", actor: asha, role: "Nurse", status: "denied", status_reason: "not the patient's ward", model: "patient", record_id: "92", record_name: "李雷" },
    { action: "export", actor: bot, on_behalf_of: asha, status: "denied", status_reason: "exports need a purpose", model: "patient", record_id: "14" },
    {
      action: "update",
      actor: { type: "user", id: "21", name: "Ravi Kumar" },
      role: "Physician",
      status: "failure",
      status_reason: "the record is locked",
      model: "visit",
      record_id: "5",
      metadata: { request: { region: "us-east" } },
    },
  ]);
  await post("access", [
    { event_type: "login", user: bot, on_behalf_of: asha, role: "Nurse", ip_address: "10.1.2.3" },
    { event_type: "login", user: asha, role: "Nurse", status: "denied", status_reason: "outside_working_hours", ip_address: "10.9.2.3" },
    { event_type: "logout", user: asha, role: "Nurse", ip_address: "198.51.100.4" },
  ]);
  await post("framework", [
    { action: "policy_synced", component: { type: "policy", id: "2", name: "OpsAccess" }, actor: bot, status: "denied", error: "agents may not change policies" },
    { action: "app_updated", component: { type: "app", id: "1", name: "Ward" } },
  ]);
}
