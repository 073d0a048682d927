import { useEffect, useEffectEvent } from "react";

/** What the page that is open can do, for the palette of commands. */
export interface PageCommand {
  text: string;
  hint: string;
  run: () => void;
}

let commands: readonly PageCommand[] = [];

export function pageCommands(): readonly PageCommand[] {
  return commands;
}

/** Offers a command while the page is open. Null for none. */
export function usePageCommand(text: string | null, hint: string, run: () => void) {
  const runNow = useEffectEvent(run);
  useEffect(() => {
    if (text === null) return;
    const command = { text, hint, run: () => runNow() };
    commands = [...commands, command];
    return () => {
      commands = commands.filter((other) => other !== command);
    };
  }, [text, hint]);
}
