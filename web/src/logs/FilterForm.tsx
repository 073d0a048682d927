import { useEffect, useRef, useState } from "react";
import { Button } from "../ui/Button";
import { Select } from "../ui/Select";
import { TextField } from "../ui/TextField";
import type { Filter } from "./definition";
import styles from "./FilterForm.module.css";
import { SuggestField } from "./SuggestField";
import { addFilter, excluding, type LogSearch } from "./search";

/** Asks the server whether a filter is valid. Resolves to its message if it is not. */
export type FilterCheck = (param: string, value: string) => Promise<string | null>;

interface FilterFormProps<E> {
  filters: readonly Filter<E>[];
  search: LogSearch;
  onSearch: (search: LogSearch) => void;
  onCheck: FilterCheck;
}

const MODES = ["is", "is not"] as const;

/** The filters that have a field before that of the value. */
const PARTS: Partial<Record<Filter<never>["kind"], { label: string; placeholder: string }>> = {
  metadata: { label: "Path", placeholder: "request.region" },
  change: { label: "Field", placeholder: "status" },
};

/** One form for all filters whose values are typed. A field for each would be longer than the facets. */
export function FilterForm<E>({ filters, search, onSearch, onCheck }: FilterFormProps<E>) {
  const [param, setParam] = useState(filters[0]?.param ?? "");
  const [mode, setMode] = useState<(typeof MODES)[number]>("is");
  const [path, setPath] = useState("");
  const [text, setText] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [checking, setChecking] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  // On a phone, the message is below the edge of the sheet.
  useEffect(() => {
    if (error) form.current?.scrollIntoView({ block: "nearest" });
  }, [error]);
  const filter = filters.find((other) => other.param === param) ?? filters[0];
  if (!filter) return null;
  /** What stands before the value: a path of the metadata, or a changed field. */
  const part = PARTS[filter.kind];

  const submit = async () => {
    const typed = text.trim();
    const at = path.trim();
    if (typed === "" || (part && at === "")) return;
    const base = filter.kind === "metadata" ? `metadata.${at}` : filter.param;
    const key = mode === "is" ? base : excluding(base);
    const value = filter.kind === "change" ? `${at}:${typed}` : typed;
    if (filter.check) {
      setChecking(true);
      const message = await onCheck(key, value).finally(() => setChecking(false));
      if (message !== null) {
        setError(message);
        return;
      }
    }
    setText("");
    onSearch(addFilter(search, key, value));
  };

  const valueField = {
    label: part ? "Value" : filter.label,
    hideLabel: !part,
    value: text,
    onChange: (next: string) => {
      setText(next);
      setError(null);
    },
    error,
    placeholder: filter.placeholder,
    autoCapitalize: "none",
    spellCheck: false,
    enterKeyHint: "search",
  } as const;

  return (
    <form
      ref={form}
      className={styles.form}
      aria-label="Add a filter"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!checking) void submit();
      }}
    >
      <div className={styles.what}>
        <Select
          small
          label="More filters"
          options={filters.map((other) => other.param)}
          optionLabel={(option) => filters.find((other) => other.param === option)?.label ?? option}
          value={filter.param}
          onChange={(next) => {
            setParam(next);
            setPath("");
            setError(null);
          }}
        />
        <Select label="Comparison" options={MODES} value={mode} onChange={setMode} hideLabel />
      </div>
      {part && filter.suggestPart && (
        <SuggestField
          {...part}
          key={filter.param}
          value={path}
          onChange={setPath}
          suggest={filter.suggestPart}
          onChoose={setPath}
          autoCapitalize="none"
          spellCheck={false}
        />
      )}
      {part && !filter.suggestPart && (
        <TextField {...part} value={path} onChange={setPath} autoCapitalize="none" spellCheck={false} />
      )}
      <div className={styles.value}>
        {filter.suggest ? (
          <SuggestField
            {...valueField}
            suggest={filter.suggest}
            onChoose={(value) => {
              setText("");
              onSearch(addFilter(search, mode === "is" ? filter.param : excluding(filter.param), value));
            }}
          />
        ) : (
          <TextField {...valueField} />
        )}
        <Button type="submit" isDisabled={checking}>
          Add
        </Button>
      </div>
    </form>
  );
}
