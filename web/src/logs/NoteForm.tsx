import { useMutation } from "@tanstack/react-query";
import { fieldError } from "../api/errors";
import { addNote, LONGEST_NOTE } from "../api/notes";
import { Button } from "../ui/Button";
import { TextArea } from "../ui/TextArea";
import { formatCount } from "../ui/time/format";
import { useLog } from "./context";
import { useDraft } from "./note-drafts";
import styles from "./Notes.module.css";

/** From here on, it is said how many characters are left. */
const NEARLY_FULL = LONGEST_NOTE - 200;

interface NoteFormProps {
  /** What the note is about. */
  events: readonly string[];
  /** It is all that is asked for, and has room. */
  alone?: boolean;
  onAdded: () => Promise<void> | void;
}

/** A new note, on one event or on several. */
export function NoteForm({ events, alone = false, onAdded }: NoteFormProps) {
  const { workspace } = useLog();
  const [text, write] = useDraft(workspace, events);
  const add = useMutation({
    mutationFn: () => addNote(workspace, [...events], text.trim()),
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
        rows={alone ? 4 : isEmpty ? 1 : 3}
        value={text}
        onChange={write}
        error={error}
        // eslint-disable-next-line jsx-a11y/no-autofocus -- it is the reason why the dialog was opened
        autoFocus={alone}
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
      {(alone || !isEmpty) && (
        <div className={styles.actions}>
          <Button
            type="submit"
            small={!alone}
            variant="primary"
            isDisabled={isEmpty || add.isPending || length > LONGEST_NOTE}
          >
            {add.isPending ? "Adding…" : "Add note"}
          </Button>
        </div>
      )}
    </form>
  );
}
