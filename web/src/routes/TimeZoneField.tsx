import { TextField } from "../ui/TextField";

interface TimeZoneFieldProps {
  value: string;
  onChange: (value: string) => void;
  error: string | null;
}

/** A time zone by its IANA name, with the time zones that the browser knows as suggestions. */
export function TimeZoneField({ value, onChange, error }: TimeZoneFieldProps) {
  return (
    <>
      <TextField
        large
        label="Time zone"
        required
        list="zones"
        value={value}
        onChange={onChange}
        error={error}
      />
      <datalist id="zones">
        {Intl.supportedValuesOf("timeZone").map((zone) => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
    </>
  );
}
