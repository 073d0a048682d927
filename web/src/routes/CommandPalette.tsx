import { useNavigate } from "@tanstack/react-router";
import { useId, useMemo, useState } from "react";
import { signOut } from "../api/auth";
import { canRead } from "../api/roles";
import type { Me } from "../api/types";
import { pageCommands } from "../logs/page-commands";
import { Sheet } from "../ui/Sheet";
import { chooseTheme } from "../ui/theme";
import styles from "./CommandPalette.module.css";

interface Command {
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
  ["Settings", "/w/$slug/settings"],
] as const;

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
  const id = useId();
  const [typed, setTyped] = useState("");
  const [active, setActive] = useState(0);
  const text = typed.trim();

  const commands = useMemo(() => {
    const all: Command[] = [...pageCommands()];
    const here = me.workspaces.find((workspace) => workspace.slug === slug);
    if (here && canRead(here.role)) {
      const params = { slug: here.slug };
      for (const [name, to] of PAGES) {
        all.push({ text: name, hint: "Go to", run: () => void navigate({ to, params }) });
      }
    }
    for (const { slug: other, name } of me.workspaces) {
      if (other === slug) continue;
      const run = () => void navigate({ to: "/w/$slug", params: { slug: other } });
      all.push({ text: name, hint: "Workspace", run });
    }
    if (me.platform_admin)
      all.push({ text: "Users", hint: "Go to", run: () => void navigate({ to: "/users" }) });
    all.push({ text: "Your sessions", hint: "Go to", run: () => void navigate({ to: "/account/sessions" }) });
    all.push({ text: "Keyboard shortcuts", hint: "Help", run: onHelp });
    for (const [choice, name] of [
      ["light", "Light theme"],
      ["dark", "Dark theme"],
    ] as const) {
      all.push({ text: name, run: () => chooseTheme(choice) });
    }
    all.push({ text: "Sign out", run: () => void signOut().catch(() => undefined) });
    return all;
  }, [me, slug, navigate, onHelp]);

  const shown = commands.filter((command) => matches(command.text, text));
  if (text !== "" && slug !== undefined) {
    for (const [name, to] of PAGES.slice(1, 4)) {
      const run = () => void navigate({ to, params: { slug }, search: { q: text.slice(0, 200) } });
      shown.push({ text: `“${text}”`, hint: `Search the ${name.toLowerCase()}`, run });
    }
  }
  const at = Math.min(active, shown.length - 1);
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
        {shown.map((command, index) => (
          // The input has the keys. A click does the same as Enter.
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events
          <li
            key={`${command.hint} ${command.text}`}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === at}
            className={styles.item}
            onClick={() => choose(command)}
            onPointerMove={() => setActive(index)}
          >
            <span className={styles.text}>{command.text}</span>
            {command.hint && <span className={styles.hint}>{command.hint}</span>}
          </li>
        ))}
      </ul>
      {shown.length === 0 && <p className={styles.none}>Nothing has this name</p>}
    </Sheet>
  );
}
