import { Field } from "../ui/Field";

interface ZoneFieldProps {
  value: string;
  onChange: (value: string) => void;
  error: string | null;
}

/** A time zone by its IANA name, with the browser's own list to choose from. */
export function ZoneField({ value, onChange, error }: ZoneFieldProps) {
  return (
    <>
      <Field large label="Time zone" required list="zones" value={value} onChange={onChange} error={error} />
      <datalist id="zones">
        {Intl.supportedValuesOf("timeZone").map((zone) => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
    </>
  );
}
