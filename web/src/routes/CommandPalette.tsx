import { useNavigate, useRouter } from "@tanstack/react-router";
import { useEffect, useId, useMemo, useState } from "react";
import { signOut } from "../api/auth";
import { canExport, canRead } from "../api/roles";
import type { Me } from "../api/types";
import { pageCommands } from "../logs/page-commands";
import { recentPlaces } from "../logs/recent";
import { Sheet } from "../ui/Sheet";
import { chooseTheme } from "../ui/theme";
import styles from "./CommandPalette.module.css";

interface Command {
  group: string;
  text: string;
  hint?: string;
  run: () => void;
}

interface CommandPaletteProps {
  me: Me;
  slug: string | undefined;
  onHelp: () => void;
  onClose: () => void;
}

const PAGES = [
  ["Overview", "/w/$slug"],
  ["Access log", "/w/$slug/access"],
  ["Application log", "/w/$slug/application"],
  ["Framework log", "/w/$slug/framework"],
  ["Sessions", "/w/$slug/sessions"],
  ["Settings", "/w/$slug/settings"],
] as const;

const GO = "Go to";
const OTHER = "Other";

/** Whether the text has the words of `typed`, in any order. */
function matches(text: string, typed: string): boolean {
  const lower = text.toLowerCase();
  return typed
    .toLowerCase()
    .split(/\s+/)
    .every((word) => lower.includes(word));
}

/** Goes anywhere by name: pages, workspaces, and a search in a log. A combobox of the ARIA practices. */
export function CommandPalette({ me, slug, onHelp, onClose }: CommandPaletteProps) {
  const navigate = useNavigate();
  const router = useRouter();
  const id = useId();
  const [typed, setTyped] = useState("");
  const [active, setActive] = useState(0);
  const text = typed.trim();

  const commands = useMemo(() => {
    const all: Command[] = pageCommands().map((command) => ({ group: "This page", ...command }));
    const here = me.workspaces.find((workspace) => workspace.slug === slug);
    if (here && canRead(here.role)) {
      const params = { slug: here.slug };
      for (const { href, name, hint } of recentPlaces(here.slug)) {
        if (href === location.pathname + location.search) continue;
        all.push({ group: "Recent", text: name, hint, run: () => router.history.push(href) });
      }
      for (const [name, to] of PAGES) {
        all.push({ group: GO, text: name, run: () => void navigate({ to, params }) });
      }
      if (canExport(here.role)) {
        const run = () => void navigate({ to: "/w/$slug/exports", params });
        all.push({ group: GO, text: "Exports", run });
      }
    }
    for (const { slug: other, name } of me.workspaces) {
      if (other === slug) continue;
      const run = () => void navigate({ to: "/w/$slug", params: { slug: other } });
      all.push({ group: GO, text: name, hint: "Workspace", run });
    }
    if (me.platform_admin) all.push({ group: GO, text: "Users", run: () => void navigate({ to: "/users" }) });
    all.push({ group: GO, text: "Your sessions", run: () => void navigate({ to: "/account/sessions" }) });
    all.push({ group: OTHER, text: "Keyboard shortcuts", run: onHelp });
    for (const [choice, name] of [
      ["light", "Light theme"],
      ["dark", "Dark theme"],
    ] as const) {
      all.push({ group: OTHER, text: name, run: () => chooseTheme(choice) });
    }
    all.push({ group: OTHER, text: "Sign out", run: () => void signOut().catch(() => undefined) });
    return all;
  }, [me, slug, navigate, router, onHelp]);

  const shown = commands.filter((command) => matches(`${command.text} ${command.hint ?? ""}`, text));
  if (text !== "" && slug !== undefined) {
    for (const [name, to] of PAGES.slice(1, 4)) {
      const run = () => void navigate({ to, params: { slug }, search: { q: text.slice(0, 200) } });
      shown.push({ group: "Search", text: `“${text}”`, hint: `In the ${name.toLowerCase()}`, run });
    }
  }
  const at = Math.min(active, shown.length - 1);
  useEffect(() => {
    document.getElementById(`${id}-${at}`)?.scrollIntoView({ block: "nearest" });
  }, [id, at]);
  const choose = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    command.run();
  };

  return (
    <Sheet title="Go to" open centred onOpenChange={(open) => !open && onClose()}>
      <input
        className={styles.input}
        role="combobox"
        aria-label="Page, workspace or search"
        aria-expanded
        aria-controls={id}
        aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
        // It is the reason why the dialog was opened.
        // eslint-disable-next-line jsx-a11y/no-autofocus
        autoFocus
        placeholder="Page, workspace, or words to search for"
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setActive(0);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown") setActive(Math.min(shown.length - 1, at + 1));
          else if (event.key === "ArrowUp") setActive(Math.max(0, at - 1));
          else if (event.key === "Enter") choose(shown[at]);
          else return;
          event.preventDefault();
        }}
      />
      <ul id={id} role="listbox" aria-label="Commands" className={styles.list}>
        {[...new Set(shown.map(({ group }) => group))].map((group) => (
          <li key={group} role="group" aria-label={group}>
            <div className={styles.group} aria-hidden="true">
              {group}
            </div>
            {shown.map(
              (command, index) =>
                command.group === group && (
                  // The input has the keys. A click does the same as Enter.
                  // eslint-disable-next-line jsx-a11y/click-events-have-key-events
                  <div
                    key={`${command.hint} ${command.text} ${index}`}
                    id={`${id}-${index}`}
                    role="option"
                    aria-selected={index === at}
                    tabIndex={-1}
                    className={styles.item}
                    onClick={() => choose(command)}
                    onPointerMove={() => setActive(index)}
                  >
                    <span className={styles.text}>{command.text}</span>
                    {command.hint && <span className={styles.hint}>{command.hint}</span>}
                  </div>
                ),
            )}
          </li>
        ))}
      </ul>
      {shown.length === 0 && <p className={styles.none}>Nothing has this name</p>}
    </Sheet>
  );
}
