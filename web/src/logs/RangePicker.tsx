import { useState } from "react";
import { Dialog, DialogTrigger } from "react-aria-components/Dialog";
import { Popover } from "react-aria-components/Popover";
import { Button } from "../ui/Button";
import { TextField } from "../ui/TextField";
import type { Clock } from "../ui/time/format";
import {
  describeRange,
  PRESET_NAMES,
  type Preset,
  PRESETS,
  type Range,
  parseRangeInput,
  toRangeInput,
  type RangeInputErrors,
} from "./range";
import styles from "./RangePicker.module.css";

export type RangeChoice = { range?: Preset } & Range;

interface RangePickerProps {
  value: RangeChoice;
  clock: Clock;
  onChange: (choice: RangeChoice) => void;
}

export function RangePicker({ value, clock, onChange }: RangePickerProps) {
  const [open, setOpen] = useState(false);
  const text = describeRange(value, clock);
  const choose = (choice: RangeChoice) => {
    setOpen(false);
    onChange(choice);
  };
  return (
    <DialogTrigger isOpen={open} onOpenChange={setOpen}>
      <Button icon="calendar" aria-label={`Time range: ${text}`}>
        <span className={styles.range}>{text}</span>
      </Button>
      <Popover className={styles.popover ?? ""} placement="bottom end" offset={4}>
        <Dialog className={styles.dialog ?? ""} aria-label="Time range">
          <div className={styles.presets}>
            {PRESET_NAMES.map((name) => (
              <button
                key={name}
                type="button"
                className={styles.preset}
                aria-pressed={value.range === name}
                onClick={() => choose({ range: name })}
              >
                {PRESETS[name].label}
              </button>
            ))}
            <button
              type="button"
              className={styles.preset}
              aria-pressed={!value.range && !value.since && !value.until}
              onClick={() => choose({})}
            >
              All time
            </button>
          </div>
          <RangeForm value={value} clock={clock} onApply={choose} />
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

function RangeForm({
  value,
  clock,
  onApply,
}: {
  value: Range;
  clock: Clock;
  onApply: (range: Range) => void;
}) {
  const [input, setInput] = useState(() => toRangeInput(value, clock));
  const [errors, setErrors] = useState<RangeInputErrors>({});
  const set = (name: keyof typeof input) => (text: string) => {
    setInput({ ...input, [name]: text });
    setErrors({ ...errors, [name]: undefined });
  };
  return (
    <form
      className={styles.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const result = parseRangeInput(input, clock);
        if ("errors" in result) setErrors(result.errors);
        else onApply(result.range);
      }}
    >
      <div className={styles.pair}>
        <TextField
          label="From"
          placeholder={clock.format}
          value={input.fromDate}
          error={errors.fromDate ?? null}
          onChange={set("fromDate")}
        />
        <TextField
          label="Time"
          aria-label="From time"
          placeholder="00:00"
          value={input.fromTime}
          error={errors.fromTime ?? null}
          onChange={set("fromTime")}
        />
      </div>
      <div className={styles.pair}>
        <TextField
          label="To"
          placeholder={clock.format}
          value={input.toDate}
          error={errors.toDate ?? null}
          onChange={set("toDate")}
        />
        <TextField
          label="Time"
          aria-label="To time"
          placeholder="end of day"
          value={input.toTime}
          error={errors.toTime ?? null}
          onChange={set("toTime")}
        />
      </div>
      <div className={styles.footer}>
        <span>Both days included, {clock.zone}</span>
        <Button type="submit" variant="primary" small>
          Apply
        </Button>
      </div>
    </form>
  );
}
