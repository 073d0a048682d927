import { Select } from "../ui/Select";
import type { TopField } from "./definition";
import styles from "./GroupBy.module.css";
import { groupFields, withGroup } from "./group-by";
import type { LogSearch } from "./search";

interface GroupByProps {
  known: readonly TopField[];
  titleOf: (field: TopField) => string;
  search: LogSearch;
  onSearch: (search: LogSearch) => void;
}

/** Chooses one or two fields by which the events are grouped. */
export function GroupBy({ known, titleOf, search, onSearch }: GroupByProps) {
  const [first = "", second = ""] = groupFields(search, known).map(({ field }) => field);
  const label = (none: string) => (name: string) => {
    const found = known.find(({ field }) => field === name);
    return found ? titleOf(found) : none;
  };
  const fields = known.map(({ field }) => field);
  return (
    <div role="group" aria-label="Group by" className={styles.bar}>
      <span aria-hidden="true">Group by</span>
      <Select
        label="First field"
        hideLabel
        options={["", ...fields]}
        optionLabel={label("nothing")}
        value={first}
        onChange={(field) => onSearch(withGroup(search, field === "" ? [] : [field, second]))}
      />
      {first !== "" && (
        <>
          <span aria-hidden="true">and</span>
          <Select
            label="Second field"
            hideLabel
            options={["", ...fields.filter((field) => field !== first)]}
            optionLabel={label("nothing else")}
            value={second}
            onChange={(field) => onSearch(withGroup(search, [first, field]))}
          />
        </>
      )}
    </div>
  );
}
