import { lazy, Suspense, useCallback, useEffect, useState } from "react";
import type { Me } from "../api/types";
import { isTyping } from "../ui/is-typing";
// At hand at once: the keys that follow are for it.
import { CommandPalette } from "./CommandPalette";

const KeyboardHelp = lazy(() => import("./KeyboardHelp"));

/** What opens by key on every page: Ctrl K (Cmd K), and the question mark. */
export function ShellDialogs({ me, slug }: { me: Me; slug: string | undefined }) {
  const [open, setOpen] = useState<"palette" | "help" | null>(null);
  const close = useCallback(() => setOpen(null), []);
  const help = useCallback(() => setOpen("help"), []);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.altKey) return;
      if (event.key === "k" && (event.ctrlKey || event.metaKey)) setOpen("palette");
      else if (event.key === "?" && !event.ctrlKey && !event.metaKey && !isTyping(event.target))
        setOpen("help");
      else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return (
    <Suspense fallback={null}>
      {open === "palette" && <CommandPalette me={me} slug={slug} onHelp={help} onClose={close} />}
      {open === "help" && <KeyboardHelp onClose={close} />}
    </Suspense>
  );
}
