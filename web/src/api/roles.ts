import type { Role } from "./types";

/** What each role may do, the least powerful role first. A role that the API adds or removes is a type error here. */
const DESCRIPTIONS: Record<Role, string> = {
  viewer: "reads the logs",
  auditor: "reads and exports the logs, and what happened in Logbook itself",
  writer: "sends events, cannot read them",
  admin: "full access, including members and settings",
};

export const ROLES = Object.keys(DESCRIPTIONS) as Role[];

export function roleDescription(role: Role): string {
  return DESCRIPTIONS[role];
}

/** The API returns a role as free text. A role that this page does not know counts as the least powerful one. */
export function asRole(text: string): Role {
  return ROLES.find((role) => role === text) ?? "viewer";
}

export function canRead(role: string | undefined): boolean {
  return role === "viewer" || role === "auditor" || role === "admin";
}

/** The activity log says what people and keys did in Logbook, which is not for everybody who reads the app's events. */
export function canReadActivity(role: string | undefined): boolean {
  return role === "auditor" || role === "admin";
}

export function canExport(role: string | undefined): boolean {
  return role === "auditor" || role === "admin";
}

export function canAppend(role: string | undefined): boolean {
  return role === "writer" || role === "admin";
}

export function canManage(role: string | undefined): boolean {
  return role === "admin";
}
