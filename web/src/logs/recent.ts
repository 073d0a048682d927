import { useEffect } from "react";
import { onSessionChange, sessionState } from "../api/session";

// Kept in this browser, for the person who is signed in, and gone when they sign out.
const KEY = "logbook-recent";
const MOST = 8;
const MOST_WORKSPACES = 20;
const LONGEST_HREF = 2_000;
const LONGEST_NAME = 120;
/** Who goes on sooner was only passing by. */
const STAY_MS = 1_500;

export interface RecentPlace {
  /** The address, from the workspace's path on. */
  href: string;
  name: string;
  hint: string;
}

interface Stored {
  user: string;
  places: Record<string, RecentPlace[]>;
}

const NONE: readonly RecentPlace[] = [];

function isPlace(value: unknown, slug: string): value is RecentPlace {
  if (typeof value !== "object" || value === null) return false;
  const { href, name, hint } = value as Record<string, unknown>;
  const texts = [href, name, hint].every((text) => typeof text === "string");
  // Only a path of this workspace: what is stored is not trusted.
  return texts && (href as string).startsWith(`/w/${slug}/`);
}

function userId(): string | null {
  const state = sessionState();
  return state.kind === "signed-in" ? state.user.id : null;
}

function stored(): Stored {
  const user = userId() ?? "";
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "null") as Stored | null;
    if (found?.user === user && found.places instanceof Object) return found;
  } catch {
    // No storage, or not what was stored: nothing is known.
  }
  return { user, places: {} };
}

/** The last places in a workspace, the latest first. */
export function recentPlaces(slug: string): readonly RecentPlace[] {
  const places: unknown = stored().places[slug];
  return Array.isArray(places) ? places.filter((place) => isPlace(place, slug)).slice(0, MOST) : NONE;
}

export function rememberPlace(slug: string, place: RecentPlace) {
  if (userId() === null || place.href.length > LONGEST_HREF) return;
  const { user, places } = stored();
  const others = recentPlaces(slug).filter(({ href }) => href !== place.href);
  const named = { ...place, name: place.name.slice(0, LONGEST_NAME) };
  const rest = Object.entries(places).filter(([other]) => other !== slug);
  const next: Stored = {
    user,
    places: Object.fromEntries([
      ...rest.slice(-(MOST_WORKSPACES - 1)),
      [slug, [named, ...others].slice(0, MOST)],
    ]),
  };
  try {
    localStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // A browser without storage remembers nothing.
  }
}

export function forgetPlaces() {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // Then there is nothing to forget.
  }
}

onSessionChange(() => {
  const state = sessionState();
  if (state.kind === "signed-out" && state.reason === "user") forgetPlaces();
});

/** Remembers where somebody stays for a moment. Null for a place that is found without help. */
export function useRecentPlace(slug: string, place: RecentPlace | null) {
  const { href, name, hint } = place ?? { href: null, name: "", hint: "" };
  useEffect(() => {
    if (href === null) return;
    const timer = setTimeout(() => rememberPlace(slug, { href, name, hint }), STAY_MS);
    return () => clearTimeout(timer);
  }, [slug, href, name, hint]);
}
