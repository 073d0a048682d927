export { SpoolFull } from "./backlog.js";
export type { Context } from "./context.js";
export type {
  Change,
  NewAccessEvent,
  NewActor,
  NewApplicationEvent,
  NewComponent,
  NewFrameworkEvent,
  NewPerson,
  NewTarget,
} from "./events.js";
export { Logbook, type Options, type Status } from "./logbook.js";
export { Producer } from "./producer.js";
export type { Log } from "./sender.js";
