import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useDeferredValue, useId, useState } from "react";
import { queryKeys } from "../api/query-keys";
import { suggest } from "../api/suggest";
import type { Suggestion } from "../api/types";
import { TextField, type TextFieldProps } from "../ui/TextField";
import { useLog } from "./context";
import type { Filter, PartSuggestions } from "./definition";
import styles from "./SuggestField.module.css";

interface SuggestFieldProps extends Omit<TextFieldProps, "value" | "onChange"> {
  value: string;
  onChange: (text: string) => void;
  suggest: NonNullable<Filter<never>["suggest"]> | PartSuggestions;
  /** A suggestion was chosen. */
  onChoose: (value: string) => void;
}

/** A text field that suggests what the logs have seen, by name or by ID. A combobox of the ARIA practices. */
export function SuggestField({ suggest: source, onChoose, ...props }: SuggestFieldProps) {
  const { workspace } = useLog();
  const id = useId();
  const key = "find" in source ? source.key : source.field;
  const valueOf = (suggestion: Suggestion) =>
    "find" in source ? (suggestion.id ?? "") : source.valueOf(suggestion);
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const q = useDeferredValue(props.value.trim());
  const { data = [] } = useQuery({
    queryKey: queryKeys.suggestions(workspace, key, "fixed" in source && source.fixed ? "" : q),
    queryFn: ({ signal }) =>
      "find" in source ? source.find(workspace, q, signal) : suggest(workspace, source.field, q, signal),
    enabled: open,
    placeholderData: keepPreviousData,
  });
  // Of the suggestions for what was typed before, those that still fit.
  const typed = props.value.trim().toLowerCase();
  const fits = ({ id: own, name }: Suggestion) =>
    [own, name].some((text) => text?.toLowerCase().includes(typed));
  const shown: readonly Suggestion[] = open ? data.filter((suggestion) => fits(suggestion)) : [];
  const choose = (suggestion: Suggestion) => {
    setOpen(false);
    setActive(-1);
    onChoose(valueOf(suggestion));
  };
  return (
    <div
      className={styles.field}
      onBlur={({ currentTarget, relatedTarget }) => {
        if (!currentTarget.contains(relatedTarget)) setOpen(false);
      }}
      onFocus={() => setOpen(true)}
    >
      <TextField
        {...props}
        role="combobox"
        aria-expanded={shown.length > 0}
        aria-controls={id}
        aria-activedescendant={active >= 0 ? `${id}-${active}` : undefined}
        autoComplete="off"
        onChange={(text) => {
          setOpen(true);
          setActive(-1);
          props.onChange(text);
        }}
        onKeyDown={(event) => {
          const suggestion = shown[active];
          if (event.key === "ArrowDown") setActive(Math.min(shown.length - 1, active + 1));
          else if (event.key === "ArrowUp") setActive(Math.max(-1, active - 1));
          else if (event.key === "Enter" && suggestion) choose(suggestion);
          else if (event.key === "Escape" && shown.length > 0) setOpen(false);
          else return;
          event.preventDefault();
        }}
      />
      {shown.length > 0 && (
        <ul id={id} role="listbox" aria-label="Suggestions" className={styles.list}>
          {shown.map((suggestion, index) => (
            // The field has the keys. A click does the same as Enter.
            // eslint-disable-next-line jsx-a11y/click-events-have-key-events
            <li
              key={valueOf(suggestion)}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === active}
              className={styles.item}
              // Before the field loses the focus.
              onPointerDown={(event) => event.preventDefault()}
              onClick={() => choose(suggestion)}
            >
              {"find" in source ? (
                <>
                  <span className={styles.name}>{suggestion.id}</span>
                  <span className={styles.id}>{suggestion.name}</span>
                </>
              ) : (
                <>
                  <span className={styles.name}>{suggestion.name ?? suggestion.id}</span>
                  <span className={styles.id}>{valueOf(suggestion)}</span>
                </>
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
