import { useState } from "react";
import { Button } from "../ui/Button";
import { Select } from "../ui/Select";
import type { TopField } from "./definition";
import styles from "./GroupBy.module.css";
import { groupFields, metadataField, withGroup } from "./group-by";
import { metadataPaths } from "./metadata-paths";
import type { LogSearch } from "./search";
import { SuggestField } from "./SuggestField";

interface GroupByProps {
  known: readonly TopField[];
  titleOf: (field: TopField) => string;
  search: LogSearch;
  onSearch: (search: LogSearch) => void;
}

/** The choice of a path of the metadata, which is then asked for. No field has this name. */
const PATH = "metadata…";

/** Chooses one or two fields by which the events are grouped. */
export function GroupBy({ known, titleOf, search, onSearch }: GroupByProps) {
  const chosen = groupFields(search, known);
  const [first = "", second = ""] = chosen.map(({ field }) => field);
  /** The place for which a path is asked. */
  const [asking, setAsking] = useState<"first" | "second" | null>(null);
  const label = (none: string) => (name: string) => {
    if (name === PATH) return "Metadata…";
    const found = [...known, ...chosen].find(({ field }) => field === name);
    return found ? titleOf(found) : none;
  };
  const fields = known.map(({ field }) => field);
  const optionsOf = (value: string, other: string) => {
    const all = fields.includes(value) || value === "" ? fields : [...fields, value];
    return ["", ...all.filter((field) => field !== other || field === value), PATH];
  };
  const choose = (place: "first" | "second", field: string) => {
    setAsking(field === PATH ? place : null);
    if (field === PATH) return;
    if (place === "second") onSearch(withGroup(search, [first, field]));
    else onSearch(withGroup(search, field === "" ? [] : [field, second]));
  };
  return (
    <div role="group" aria-label="Group by" className={styles.bar}>
      <span aria-hidden="true">Group by</span>
      <Select
        label="First field"
        hideLabel
        options={optionsOf(first, "")}
        optionLabel={label("nothing")}
        value={asking === "first" ? PATH : first}
        onChange={(field) => choose("first", field)}
      />
      {asking === "first" && <PathForm onChoose={(path) => choose("first", metadataField(path))} />}
      {first !== "" && (
        <>
          <span aria-hidden="true">and</span>
          <Select
            label="Second field"
            hideLabel
            options={optionsOf(second, first)}
            optionLabel={label("nothing else")}
            value={asking === "second" ? PATH : second}
            onChange={(field) => choose("second", field)}
          />
          {asking === "second" && <PathForm onChoose={(path) => choose("second", metadataField(path))} />}
        </>
      )}
    </div>
  );
}

/** Asks for a path of the metadata, and suggests those that are there. */
function PathForm({ onChoose }: { onChoose: (path: string) => void }) {
  const [path, setPath] = useState("");
  return (
    <form
      className={styles.path}
      aria-label="Path of the metadata"
      onSubmit={(event) => {
        event.preventDefault();
        if (path.trim() !== "") onChoose(path.trim());
      }}
    >
      <SuggestField
        label="Path"
        hideLabel
        // It is what was just asked for.
        // eslint-disable-next-line jsx-a11y/no-autofocus
        autoFocus
        placeholder="request.region"
        maxLength={255}
        value={path}
        onChange={setPath}
        suggest={metadataPaths}
        onChoose={onChoose}
        autoCapitalize="none"
        spellCheck={false}
      />
      <Button type="submit" small>
        Group
      </Button>
    </form>
  );
}
