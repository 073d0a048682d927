import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { ApiError } from "../api/errors";
import { notesQuery, removeNote } from "../api/notes";
import { canManage } from "../api/roles";
import type { Note } from "../api/types";
import { workspaceQuery } from "../api/workspaces";
import { Button } from "../ui/Button";
import { SkeletonLine } from "../ui/Skeleton";
import { Timestamp } from "./cells";
import { useLog } from "./context";
import { NoteForm } from "./NoteForm";
import styles from "./Notes.module.css";

/** What people say about an event. */
export function Notes({ event }: { event: string }) {
  const { workspace } = useLog();
  const notes = useQuery(notesQuery(workspace, event));
  const { data: details } = useQuery(workspaceQuery(workspace));
  const queries = useQueryClient();
  const changed = () => queries.invalidateQueries({ queryKey: notesQuery(workspace, event).queryKey });
  const section = useRef<HTMLDivElement>(null);
  return (
    <div ref={section} tabIndex={-1}>
      {notes.data ? (
        notes.data.length > 0 && (
          <ul className={styles.list} aria-label="Notes">
            {notes.data.map((note) => (
              <NoteItem
                key={note.id}
                note={note}
                removable={note.own || canManage(details?.role)}
                onRemoved={async () => {
                  await changed();
                  section.current?.focus({ preventScroll: true });
                }}
              />
            ))}
          </ul>
        )
      ) : notes.error ? (
        <p role="alert" className={styles.error}>
          {notes.error.message}{" "}
          <Button small icon="refresh" onPress={() => void notes.refetch()}>
            Try again
          </Button>
        </p>
      ) : (
        <SkeletonLine width="60%" />
      )}
      <NoteForm events={[event]} onAdded={changed} />
    </div>
  );
}

interface NoteItemProps {
  note: Note;
  removable: boolean;
  onRemoved: () => Promise<void>;
}

function NoteItem({ note, removable, onRemoved }: NoteItemProps) {
  const { workspace } = useLog();
  const [asking, setAsking] = useState(false);
  const [kept, setKept] = useState(false);
  const remove = useMutation({
    mutationFn: async () => {
      await removeNote(workspace, note.id).catch((error: unknown) => {
        // Somebody else was faster.
        if (!(error instanceof ApiError && error.status === 404)) throw error;
      });
      await onRemoved();
    },
  });
  const others = note.event_ids.length - 1;
  return (
    <li className={styles.note}>
      <p className={styles.by}>
        <b>{note.author_name}</b>
        <Timestamp at={note.created_at} />
        {others > 0 && <span>also on {others === 1 ? "another event" : `${others} other events`}</span>}
        {removable && !asking && (
          <Button
            small
            variant="plain"
            // eslint-disable-next-line jsx-a11y/no-autofocus -- the focus comes back from the question
            autoFocus={kept}
            aria-label={`Remove the note of ${note.author_name}`}
            onPress={() => setAsking(true)}
          >
            Remove
          </Button>
        )}
      </p>
      <p className={styles.text}>{note.text}</p>
      {asking && (
        <p className={styles.asking}>
          <span>{others > 0 ? "Remove it from all of its events?" : "Remove this note?"}</span>
          <Button
            small
            variant="danger"
            // What was pressed is gone, and the focus with it.
            // eslint-disable-next-line jsx-a11y/no-autofocus
            autoFocus
            isDisabled={remove.isPending}
            onPress={() => remove.mutate()}
          >
            Remove
          </Button>
          <Button
            small
            variant="plain"
            onPress={() => {
              setAsking(false);
              setKept(true);
            }}
          >
            Keep
          </Button>
        </p>
      )}
      {remove.error && (
        <p role="alert" className={styles.error}>
          {remove.error.message}
        </p>
      )}
    </li>
  );
}
