import { useId, useState } from "react";
import { Button } from "../../ui/Button";
import { cx } from "../../ui/cx";
import { Icon } from "../../ui/Icon";
import { TextField } from "../../ui/TextField";
import styles from "./masking.module.css";
import settings from "./settings.module.css";

/** The most names of one list, and the longest name, as the API has them. */
const MOST = 100;
const LONGEST = 128;

interface FieldNamesProps {
  title: "Mask" | "Keep";
  lead: string;
  /** Said in place of an empty list. */
  none: string;
  names: string[];
  /** By place in the list. */
  errors: Map<number, string>;
  readOnly: boolean;
  onChange: (names: string[]) => void;
}

/** A list of names of fields, each of which can be removed, and a field that adds some. */
export function FieldNames({ title, lead, none, names, errors, readOnly, onChange }: FieldNamesProps) {
  const id = useId();
  const [text, setText] = useState("");
  const add = () => {
    // Several names may be pasted at once.
    const added = text.split(/[,\n]/).map((name) => name.trim());
    const fresh = added.filter((name, i) => name && !names.includes(name) && added.indexOf(name) === i);
    if (fresh.length > 0) onChange([...names, ...fresh]);
    setText("");
  };
  return (
    <section aria-labelledby={id} className={styles.list}>
      <h3 id={id} className={styles.title}>
        {title}
      </h3>
      <p className={settings.sub}>{lead}</p>
      {names.length === 0 ? (
        <p className={settings.none}>{none}</p>
      ) : (
        <ul className={styles.chips} aria-labelledby={id}>
          {names.map((name, i) => (
            <li key={name} className={cx(styles.chip, errors.has(i) && styles.wrong)}>
              <code className={styles.name}>{name}</code>
              {!readOnly && (
                <button
                  type="button"
                  className={styles.remove}
                  aria-label={`Remove ${name} from ${title}`}
                  onClick={() => onChange(names.filter((other) => other !== name))}
                >
                  <Icon name="close" size={12} />
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      {errors.size > 0 && (
        <div className={styles.errors} role="alert">
          {[...errors].map(([i, detail]) => (
            <p key={i}>{detail.startsWith("must ") ? `${names[i]}: ${detail}` : detail}</p>
          ))}
        </div>
      )}
      {!readOnly && (
        <form
          className={styles.add}
          onSubmit={(event) => {
            event.preventDefault();
            add();
          }}
        >
          <TextField
            label={`Field to ${title.toLowerCase()}`}
            hideLabel
            placeholder={title === "Mask" ? "patient_id or address.street" : "next_token"}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            maxLength={names.length < MOST ? LONGEST * 8 : 0}
            disabled={names.length >= MOST}
            value={text}
            onChange={setText}
          />
          <Button type="submit" icon="plus" isDisabled={text.trim() === ""}>
            Add
          </Button>
        </form>
      )}
    </section>
  );
}
