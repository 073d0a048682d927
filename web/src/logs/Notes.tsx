import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { ApiError, fieldError } from "../api/errors";
import { addNote, LONGEST_NOTE, notesQuery, removeNote } from "../api/notes";
import { canManage } from "../api/roles";
import type { Note } from "../api/types";
import { workspaceQuery } from "../api/workspaces";
import { Button } from "../ui/Button";
import { SkeletonLine } from "../ui/Skeleton";
import { TextArea } from "../ui/TextArea";
import { formatCount } from "../ui/time/format";
import { Timestamp } from "./cells";
import { useLog } from "./context";
import { draftOf, keepDraft } from "./note-drafts";
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
      <NewNote event={event} onAdded={changed} />
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

/** From here on, it is said how many characters are left. */
const NEARLY_FULL = LONGEST_NOTE - 200;

function NewNote({ event, onAdded }: { event: string; onAdded: () => Promise<void> }) {
  const { workspace } = useLog();
  const [text, setText] = useState(() => draftOf(event));
  const write = (next: string) => {
    setText(next);
    keepDraft(event, next);
  };
  const add = useMutation({
    mutationFn: () => addNote(workspace, [event], text.trim()),
    onSuccess: async () => {
      write("");
      await onAdded();
    },
  });
  // The server counts characters, not the halves of which some consist in the browser.
  const length = [...text].length;
  const isEmpty = text.trim() === "";
  const submit = () => {
    if (!isEmpty && !add.isPending) add.mutate();
  };
  const error = add.error && (fieldError(add.error, "text") ?? add.error.message);
  return (
    <form
      className={styles.form}
      onSubmit={(form) => {
        form.preventDefault();
        submit();
      }}
    >
      <TextArea
        hideLabel
        label="New note"
        placeholder="Add a note for everybody who reads this log"
        rows={isEmpty ? 1 : 3}
        value={text}
        onChange={write}
        error={error}
        help={
          length > NEARLY_FULL
            ? length > LONGEST_NOTE
              ? `Characters: ${formatCount(length - LONGEST_NOTE)} too many`
              : `Characters: ${formatCount(LONGEST_NOTE - length)} left`
            : undefined
        }
        onKeyDown={(key) => {
          if (key.key === "Enter" && (key.ctrlKey || key.metaKey)) submit();
          // Otherwise the same key would also close the details.
          else if (key.key === "Escape") key.currentTarget.blur();
          else return;
          key.preventDefault();
        }}
      />
      {!isEmpty && (
        <div className={styles.actions}>
          <Button type="submit" small variant="primary" isDisabled={add.isPending || length > LONGEST_NOTE}>
            {add.isPending ? "Adding…" : "Add note"}
          </Button>
        </div>
      )}
    </form>
  );
}
