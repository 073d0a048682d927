import { AsyncLocalStorage } from "node:async_hooks";
import type { NewActor, NewPerson } from "./events.js";

/** Fields of events that a request, a job or a command has in common. The actor of an access event is its `user`. */
export interface Context {
  actor?: NewActor;
  on_behalf_of?: NewPerson;
  purpose?: string;
  role?: string;
  ip_address?: string;
  user_agent?: string;
  session_id?: string;
  correlation_id?: string;
}

const current = new AsyncLocalStorage<Context>();

/** Calls `fn` within a context. What `fields` does not have is that of the context around. */
export function runWith<T>(fields: Context, fn: () => T): T {
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  return current.run({ ...current.getStore(), ...given }, fn);
}

/** The fields of the context, by the names that the log has for them. */
export function fieldsFor(log: string): object {
  const { actor, ...fields } = current.getStore() ?? {};
  if (!actor) return fields;
  return log === "access" ? { ...fields, user: actor } : { ...fields, actor };
}
