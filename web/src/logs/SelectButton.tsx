import { Button } from "../ui/Button";
import type { SelectedRows } from "./use-selection";

interface SelectButtonProps {
  rows: SelectedRows;
  /** Beside other words instead of other buttons. */
  plain?: boolean;
}

/** Begins to select rows by taps, and ends it. */
export function SelectButton({ rows: { selecting, setSelecting }, plain = false }: SelectButtonProps) {
  return (
    <Button
      variant={plain ? "plain" : selecting ? "primary" : "secondary"}
      {...(!selecting && { "aria-label": "Select events" })}
      onPress={() => setSelecting(!selecting)}
    >
      {selecting ? "Done" : "Select"}
    </Button>
  );
}
