import { IconButton } from "../ui/Button";
import { CHANGED, changedValue } from "./changed";
import { useLog } from "./context";

interface FindChangeProps {
  field: string;
  value: unknown;
  /** How the value is shown, if not as it is. */
  label?: string | undefined;
}

/** Finds all changes of a field to a value. Nothing where the list cannot be filtered by it. */
export function FindChange({ field, value, label }: FindChangeProps) {
  const { filterBy } = useLog();
  const wanted = changedValue(field, value);
  if (!filterBy || wanted === null) return null;
  const shown = label ?? wanted.slice(field.length + 1);
  return (
    <IconButton
      small
      icon="search"
      label={`Find changes of ${field} to ${shown}`}
      onPress={() => filterBy(CHANGED, wanted)}
    />
  );
}
