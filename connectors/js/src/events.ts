/** The events as Logbook takes them. Made from openapi.yaml by generate.mjs. */
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        NewAccessEvent: {
            /**
             * Format: date-time
             * @description When it happened: from 1970 to one day ahead. Default: now.
             */
            occurred_at?: Date | string | null;
            /**
             * @description `login`, `logout`, `login_failed`, `session_expired`, `role_switched`, or a type of your own, in lower
             *     snake case.
             * @example login
             */
            event_type: string;
            /** @description Default: `failure` for `login_failed`, otherwise `success`. */
            status?: ("success" | "failure" | "denied") | null;
            status_reason?: string | null;
            user?: components["schemas"]["NewPerson"] | null;
            username?: string | null;
            /** @example Nurse */
            role?: string | null;
            on_behalf_of?: components["schemas"]["NewPerson"] | null;
            /**
             * @description Why the actor did it, in their words: a ticket, a purpose of use.
             * @example INC-4711
             */
            purpose?: string | null;
            /** @description What else it concerned. */
            targets?: components["schemas"]["NewTarget"][];
            /** @example 198.51.100.4 */
            ip_address?: string | null;
            user_agent?: string | null;
            session_id?: string | null;
            correlation_id?: string | null;
            /** @description Any other data: an object of at most 64 KiB. */
            metadata?: Record<string, unknown>;
        };
        /** @description Somebody, who is a user unless the type says otherwise. */
        NewPerson: {
            /** @description Default: `user`. */
            type?: ("user" | "admin" | "service" | "system" | "agent") | null;
            /** @example 17 */
            id?: string | null;
            /** @example Asha Rao */
            name?: string | null;
        };
        /** @description What else an event concerned. */
        NewTarget: {
            /** @example group */
            type: string;
            /** @example 7 */
            id?: string | null;
            /** @example Night shift */
            name?: string | null;
        };
        NewApplicationEvent: {
            /**
             * Format: date-time
             * @description When it happened: from 1970 to one day ahead. Default: now.
             */
            occurred_at?: Date | string | null;
            /**
             * @description `create`, `update`, `delete`, or an action of your own, in lower snake case.
             * @example update
             */
            action: string;
            /** @description Default: `success`. */
            status?: ("success" | "failure" | "denied") | null;
            status_reason?: string | null;
            actor?: components["schemas"]["NewActor"] | null;
            /** @example patient */
            model: string;
            /** @example 92 */
            record_id: string;
            record_name?: string | null;
            /**
             * @description For a value: `field`, `old`, `new`. For a set: `field`, `added`, `removed`. Each may have `label`, `old_label` and
             *     `new_label`: names beside what only a program understands. At most 1,000 fields and 64 KiB per value.
             */
            changes?: components["schemas"]["Change"][];
            /** @example Nurse */
            role?: string | null;
            on_behalf_of?: components["schemas"]["NewPerson"] | null;
            /**
             * @description Why the actor did it, in their words: a ticket, a purpose of use.
             * @example INC-4711
             */
            purpose?: string | null;
            /** @description What else it concerned. */
            targets?: components["schemas"]["NewTarget"][];
            /** @example 198.51.100.4 */
            ip_address?: string | null;
            user_agent?: string | null;
            session_id?: string | null;
            correlation_id?: string | null;
            /** @description Any other data: an object of at most 64 KiB. */
            metadata?: Record<string, unknown>;
        };
        /** @description The actor of a new event. */
        NewActor: {
            /**
             * @description What kind of actor: a user of the app, an admin of the platform, a service, the system itself, or an agent, which
             *     is a program that decides by itself what it does.
             * @enum {string}
             */
            type: "user" | "admin" | "service" | "system" | "agent";
            /** @example 17 */
            id?: string | null;
            /** @example Asha Rao */
            name?: string | null;
        };
        /** @description One changed field. Of a value: what it was and what it is. Of a set: what came and what went. */
        Change: components["schemas"]["ValueChange"] | components["schemas"]["SetChange"];
        ValueChange: components["schemas"]["Labels"] & {
            /** @example status */
            field: string;
            /** @description Any JSON value; null where there was none. */
            old: unknown;
            /** @description Any JSON value; null where there is none now. */
            new: unknown;
        };
        /**
         * @description Names beside what only a program understands: of the field, of the old value, of the new one. Of a set: of what was
         *     removed and what was added.
         */
        Labels: {
            /** @example Doctor */
            label?: string;
            /** @example Asha Rao */
            old_label?: string;
            /** @example Ben Kim */
            new_label?: string;
        };
        SetChange: components["schemas"]["Labels"] & {
            /** @example roles */
            field: string;
            added: unknown[];
            removed: unknown[];
        };
        NewFrameworkEvent: {
            /**
             * Format: date-time
             * @description When it happened: from 1970 to one day ahead. Default: now.
             */
            occurred_at?: Date | string | null;
            /**
             * @description `policy_synced`, `package_installed`, `app_updated`, `release_applied`, `task_failed`, or an action of your
             *     own, in lower snake case.
             * @example policy_synced
             */
            action: string;
            component: components["schemas"]["NewComponent"];
            actor?: components["schemas"]["NewActor"] | null;
            /** @description Default: `failure` if `error` is given, otherwise `success`. */
            status?: ("success" | "failure" | "denied") | null;
            error?: string | null;
            /**
             * @description For a value: `field`, `old`, `new`. For a set: `field`, `added`, `removed`. Each may have `label`, `old_label` and
             *     `new_label`: names beside what only a program understands. At most 1,000 fields and 64 KiB per value.
             */
            changes?: components["schemas"]["Change"][];
            /** @example Nurse */
            role?: string | null;
            on_behalf_of?: components["schemas"]["NewPerson"] | null;
            /**
             * @description Why the actor did it, in their words: a ticket, a purpose of use.
             * @example INC-4711
             */
            purpose?: string | null;
            /** @description What else it concerned. */
            targets?: components["schemas"]["NewTarget"][];
            /** @example 198.51.100.4 */
            ip_address?: string | null;
            user_agent?: string | null;
            session_id?: string | null;
            correlation_id?: string | null;
            /** @description Any other data: an object of at most 64 KiB. */
            metadata?: Record<string, unknown>;
        };
        /** @description The component of a new framework event. */
        NewComponent: {
            /** @example policy */
            type: string;
            /** @example 2 */
            id?: string | null;
            /** @example OpsAccess */
            name?: string | null;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type NewAccessEvent = components['schemas']['NewAccessEvent'];
export type NewPerson = components['schemas']['NewPerson'];
export type NewTarget = components['schemas']['NewTarget'];
export type NewApplicationEvent = components['schemas']['NewApplicationEvent'];
export type NewActor = components['schemas']['NewActor'];
export type Change = components['schemas']['Change'];
export type ValueChange = components['schemas']['ValueChange'];
export type Labels = components['schemas']['Labels'];
export type SetChange = components['schemas']['SetChange'];
export type NewFrameworkEvent = components['schemas']['NewFrameworkEvent'];
export type NewComponent = components['schemas']['NewComponent'];
export type $defs = Record<string, never>;
export type operations = Record<string, never>;

/** The fields that an event must have, and all that it may have. */
export const FIELDS = {
  access: {
    required: ["event_type"],
    known: ["occurred_at","event_type","status","status_reason","user","username","role","on_behalf_of","purpose","targets","ip_address","user_agent","session_id","correlation_id","metadata"],
  },
  application: {
    required: ["action","model","record_id"],
    known: ["occurred_at","action","status","status_reason","actor","model","record_id","record_name","changes","role","on_behalf_of","purpose","targets","ip_address","user_agent","session_id","correlation_id","metadata"],
  },
  framework: {
    required: ["action","component"],
    known: ["occurred_at","action","component","actor","status","error","changes","role","on_behalf_of","purpose","targets","ip_address","user_agent","session_id","correlation_id","metadata"],
  },
} as const;
