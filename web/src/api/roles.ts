import type { Role } from "./types";

/** Every role, least first, and what it may do in words. A role that the API gains or loses is a type error here. */
const DESCRIPTIONS: Record<Role, string> = {
  viewer: "reads the logs",
  auditor: "reads, exports and proves",
  writer: "appends events, reads nothing",
  admin: "everything, members and settings too",
};

export const ROLES = Object.keys(DESCRIPTIONS) as Role[];

export function roleDescription(role: Role): string {
  return DESCRIPTIONS[role];
}

/** A role as the API's answers have it: an open text. */
export function asRole(text: string): Role {
  return ROLES.find((role) => role === text) ?? "viewer";
}

export function canRead(role: string | undefined): boolean {
  return role === "viewer" || role === "auditor" || role === "admin";
}

export function canAppend(role: string | undefined): boolean {
  return role === "writer" || role === "admin";
}

export function canManage(role: string | undefined): boolean {
  return role === "admin";
}
