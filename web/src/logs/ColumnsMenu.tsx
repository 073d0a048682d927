import { Dialog, DialogTrigger } from "react-aria-components/Dialog";
import { Popover } from "react-aria-components/Popover";
import type { LogEvent } from "../api/types";
import { Button, IconButton } from "../ui/Button";
import { Checkbox } from "../ui/Checkbox";
import { type Chosen, clampWidth, usualColumns } from "./columns";
import styles from "./ColumnsMenu.module.css";
import type { Column } from "./definition";

interface ColumnsMenuProps<E extends LogEvent> {
  columns: readonly Column<E>[];
  chosen: readonly Chosen[] | undefined;
  /** Undefined for the usual columns. */
  onChosen: (chosen: readonly Chosen[] | undefined) => void;
  compact: boolean;
  onCompact: (compact: boolean) => void;
}

/** The width that a column has before it was made wider or narrower here. */
const USUAL_WIDTH = 160;
const STEP = 20;

/** Which columns the table has, in which order and how wide, and how high its rows are. The link of the page says so, too. */
export function ColumnsMenu<E extends LogEvent>(props: ColumnsMenuProps<E>) {
  const { columns, chosen, onChosen, compact, onCompact } = props;
  const all = usualColumns(columns);
  const shown = chosen ?? all;
  const hidden = all.filter(({ id }) => !shown.some((other) => other.id === id));
  const titleOf = (id: string) => columns.find((column) => column.id === id)?.title ?? id;
  const move = (from: number, to: number) => {
    const next = [...shown];
    next.splice(to, 0, ...next.splice(from, 1));
    onChosen(next);
  };
  const widen = (id: string, by: number) =>
    onChosen(
      shown.map((other) =>
        other.id === id ? { ...other, width: clampWidth((other.width ?? USUAL_WIDTH) + by) } : other,
      ),
    );
  return (
    <DialogTrigger>
      <IconButton variant="secondary" icon="columns" label="Columns and rows" />
      <Popover className={styles.popover ?? ""} placement="bottom end" offset={4}>
        <Dialog className={styles.dialog ?? ""} aria-label="Columns and rows">
          <ul className={styles.list} aria-label="Columns">
            {shown.map(({ id }, index) => (
              <li key={id} className={styles.item}>
                <Checkbox
                  label={titleOf(id)}
                  checked
                  onChange={() => shown.length > 1 && onChosen(shown.filter((other) => other.id !== id))}
                />
                <IconButton
                  small
                  icon="chevronUp"
                  label={`Move ${titleOf(id)} to the left`}
                  isDisabled={index === 0}
                  onPress={() => move(index, index - 1)}
                />
                <IconButton
                  small
                  icon="chevronDown"
                  label={`Move ${titleOf(id)} to the right`}
                  isDisabled={index === shown.length - 1}
                  onPress={() => move(index, index + 1)}
                />
                <IconButton
                  small
                  icon="minus"
                  label={`Make ${titleOf(id)} narrower`}
                  onPress={() => widen(id, -STEP)}
                />
                <IconButton
                  small
                  icon="plus"
                  label={`Make ${titleOf(id)} wider`}
                  onPress={() => widen(id, STEP)}
                />
              </li>
            ))}
            {hidden.map(({ id }) => (
              <li key={id} className={styles.item}>
                <Checkbox label={titleOf(id)} checked={false} onChange={() => onChosen([...shown, { id }])} />
              </li>
            ))}
          </ul>
          <div className={styles.footer}>
            <Checkbox label="Compact rows" checked={compact} onChange={() => onCompact(!compact)} />
            <Button small isDisabled={chosen === undefined} onPress={() => onChosen(undefined)}>
              Usual columns
            </Button>
          </div>
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
