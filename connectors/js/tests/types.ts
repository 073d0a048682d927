// What a type checker says: `npm run typecheck` fails where an error that is expected does not come.
import { Logbook, type NewApplicationEvent, type Producer } from "logbook-producer";
import { RecordedLogbook } from "logbook-producer/testing";

export async function types(): Promise<void> {
  const logbook: Producer = process.env["TEST"] ? new RecordedLogbook() : new Logbook({ spool: "spool" });
  const event: NewApplicationEvent = {
    action: "update",
    model: "patient",
    record_id: "92",
    occurred_at: new Date(),
    actor: { type: "user", id: "17" },
    changes: [
      { field: "status", old: "open", new: "closed" },
      { field: "roles", added: ["Nurse"], removed: [] },
    ],
    metadata: { any: [1] },
  };
  const kept: boolean = await logbook.application(event);
  const number: number = logbook.with(
    { actor: { type: "agent", id: "triage-2" }, purpose: "INC-4711" },
    () => 7,
  );
  await logbook.access({ event_type: "login", user: kept ? { id: String(number) } : null });
  // @ts-expect-error -- the name is wrong
  await logbook.access({ event_typ: "login" });
  // @ts-expect-error -- ids are texts
  await logbook.application({ action: "update", model: "patient", record_id: 92 });
  // @ts-expect-error -- there is no such outcome
  await logbook.framework({ action: "task_failed", component: { type: "task" }, status: "bad" });
  // @ts-expect-error -- the package counts
  await logbook.framework({ action: "task_failed", component: { type: "task" }, sequence: 1 });
}
