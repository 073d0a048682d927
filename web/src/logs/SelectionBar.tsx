import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useState } from "react";
import { MOST_NOTED } from "../api/notes";
import { queryKeys } from "../api/query-keys";
import { Button } from "../ui/Button";
import { isTyping } from "../ui/is-typing";
import { Sheet } from "../ui/Sheet";
import { formatCount } from "../ui/time/format";
import { useCopy } from "../ui/use-copy";
import { useLog } from "./context";
import { tableOfEvents } from "./copy";
import { comparePlaces, type Placed } from "./live-rows";
import { NoteForm } from "./NoteForm";
import { MOST_SELECTED } from "./selection";
import styles from "./SelectionBar.module.css";
import type { SelectedRows } from "./use-selection";

interface SelectionBarProps<E> {
  events: readonly E[];
  /** What a copied table says of an event. */
  cellsOf: (event: E) => Record<string, string>;
  order: "asc" | "desc";
  /** An event is open: Escape closes that one first. */
  open: boolean;
  rows: Pick<SelectedRows, "selecting" | "setSelecting" | "selectAll" | "all" | "clear">;
}

/** What "Select all" takes: a list is loaded page by page, so that it may be less than all that match. */
function nameOf({ count, loaded, hasMore }: SelectedRows["all"]): string {
  if (count === 0) return "Select all";
  if (count < loaded) return `Select the first ${formatCount(count)}`;
  return `Select all ${formatCount(count)}${hasMore ? " loaded" : ""}`;
}

/** What can be done with the selected events. */
export function SelectionBar<E extends Placed>(props: SelectionBarProps<E>) {
  const { events, cellsOf, order, open, rows } = props;
  const { selecting, all } = rows;
  const { workspace } = useLog();
  const queries = useQueryClient();
  const { copied, copy } = useCopy();
  const [noting, setNoting] = useState(false);
  const [noted, setNoted] = useState<readonly E[] | null>(null);
  const shown = events.length > 0 || selecting;
  const hasKeys = shown && !open;
  const end = useEffectEvent(() => rows.setSelecting(false));
  useEffect(() => {
    if (!hasKeys) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !event.defaultPrevented && !isTyping(event.target)) end();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [hasKeys]);
  // The note was to be about a selection that is gone: Back has led to another question.
  if (noting && events.length === 0) setNoting(false);
  if (!shown) return null;
  // As the list has them, in whatever order they were picked.
  const sorted = events.toSorted((one, other) => comparePlaces(one, other) * (order === "asc" ? -1 : 1));
  const none = events.length === 0;
  // Those who see the button know it from there.
  const hasLoaded = all.hasMore && all.done && all.count > 0;
  const tooMany = events.length > MOST_NOTED;
  const count = events.length === 1 ? "1 event" : `${formatCount(events.length)} events`;
  return (
    <section className={styles.bar} aria-label="Selection">
      <div className={styles.told}>
        <span className={styles.count} role="status">
          {formatCount(events.length)} selected
          {events.length === MOST_SELECTED
            ? ", which is the most"
            : hasLoaded && <span className="visually-hidden">, all that are loaded</span>}
        </span>
        <span className={styles.said} role="status">
          {copied
            ? "Copied"
            : tooMany
              ? `A note is about ${MOST_NOTED} events at most`
              : noted === events && "The note is added"}
        </span>
      </div>
      {/* They stay in the tab order when they have nothing to do: the one that was pressed keeps the focus. */}
      <div className={styles.picking}>
        <Button small variant="plain" aria-disabled={all.done} onPress={rows.selectAll}>
          {nameOf(all)}
        </Button>
        <Button
          small
          variant="plain"
          aria-label="Clear the selection"
          aria-disabled={none}
          onPress={rows.clear}
        >
          Clear
        </Button>
      </div>
      <div className={styles.actions}>
        <Button small icon="copy" isDisabled={none} onPress={() => copy(tableOfEvents(sorted.map(cellsOf)))}>
          Copy as table
        </Button>
        <Button small icon="copy" isDisabled={none} onPress={() => copy(JSON.stringify(sorted, null, 2))}>
          Copy JSON
        </Button>
        <Button small icon="pencil" isDisabled={none || tooMany} onPress={() => setNoting(true)}>
          Add a note
        </Button>
      </div>
      {noting && (
        <Sheet title={`Note on ${count}`} open centred onOpenChange={(open) => !open && setNoting(false)}>
          <NoteForm
            alone
            events={sorted.map(({ id }) => id)}
            onAdded={async () => {
              setNoting(false);
              setNoted(events);
              await queries.invalidateQueries({ queryKey: queryKeys.allNotes(workspace) });
            }}
          />
        </Sheet>
      )}
    </section>
  );
}
