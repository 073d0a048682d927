import { Link, useMatch } from "@tanstack/react-router";
import { useEffect, useEffectEvent, useState } from "react";
import { type ExportStart, useExportStarts } from "../../logs/use-export-starts";
import { Button, buttonClass } from "../../ui/Button";
import { Sheet } from "../../ui/Sheet";
import { exportTitle, reasonText } from "./export-text";
import styles from "./ExportsPage.module.css";

/** What became of the exports in the background that were asked for, on whatever page is open then. */
export default function ExportStarts({ slug }: { slug: string }) {
  const { starts, forget, again } = useExportStarts(slug);
  // The list of exports says it by itself.
  const atList = useMatch({ from: "/app/w/$slug/exports", shouldThrow: false }) !== undefined;
  /** Refusals that were read. They are still in the list of exports. */
  const [read, setRead] = useState<readonly number[]>([]);
  const [retrying, setRetrying] = useState(false);
  const unread = starts.filter(({ id }) => !read.includes(id));
  const begun = unread.filter(({ status }) => status === "success");
  const refused = unread.filter(({ status }) => status === "error");
  const waiting = retrying ? unread.filter(({ status }) => status === "pending") : [];

  const close = () => {
    setRetrying(false);
    setRead([...read, ...refused.map(({ id }) => id)]);
    forget(...begun.map(({ id }) => id));
  };
  if (atList && refused.length > 0) setRead([...read, ...refused.map(({ id }) => id)]);
  const forgetBegun = useEffectEvent(() => forget(...begun.map(({ id }) => id)));
  useEffect(() => {
    if (atList && begun.length > 0) forgetBegun();
  }, [atList, begun.length]);
  if (atList || begun.length + refused.length + waiting.length === 0) return null;
  return (
    <Sheet title={titleOf(begun.length, refused.length)} open centred onOpenChange={close}>
      {refused.length + waiting.length > 0 && (
        <ul className={styles.refused} aria-label="Exports that did not begin">
          {[...refused, ...waiting].map((start) => (
            <Refused
              key={start.id}
              start={start}
              onAgain={() => {
                setRetrying(true);
                again(start);
              }}
            />
          ))}
        </ul>
      )}
      {begun.length > 0 && (
        <p>
          {refused.length + waiting.length > 0 && `In the background: ${namesOf(begun)}. `}
          You can leave this page. {begun.length === 1 ? "The file is" : "The files are"} kept for a day.
        </p>
      )}
      <p className={styles.links}>
        <Link
          to="/w/$slug/exports"
          params={{ slug }}
          className={buttonClass({ variant: "primary" })}
          onClick={close}
        >
          Show exports
        </Link>
      </p>
    </Sheet>
  );
}

function Refused({ start: { what, error }, onAgain }: { start: ExportStart; onAgain: () => void }) {
  const title = exportTitle(what);
  return (
    <li>
      <div>
        <b>{title}</b>
        {error ? <p role="alert">{reasonText(error.message)}</p> : <p>Starting…</p>}
      </div>
      {error && (
        <Button small aria-label={`Try again: ${title}`} onPress={onAgain}>
          Try again
        </Button>
      )}
    </li>
  );
}

function titleOf(begun: number, refused: number): string {
  if (refused > 0) return refused === 1 ? "An export did not begin" : `${refused} exports did not begin`;
  if (begun === 0) return "The export begins";
  return begun === 1 ? "The export runs in the background" : `${begun} exports run in the background`;
}

function namesOf(starts: readonly ExportStart[]): string {
  return starts.map(({ what }) => exportTitle(what)).join("; ");
}
