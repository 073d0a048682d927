import { useEffect, useRef } from "react";
import { ApiError } from "../api/errors";
import { TextField } from "../ui/TextField";

/** Whether the server asks for the code of the second factor, or refused the one that it got. */
export function asksForCode(error: Error | null): boolean {
  return error instanceof ApiError && /^second_factor_(required|wrong)$/.test(error.code);
}

interface CodeFieldProps {
  value: string;
  onChange: (value: string) => void;
  error: Error | null;
  /** Only codes of the app, as when it is set up. */
  appOnly?: boolean;
  /** Takes the focus when it appears in place of the form before it. */
  takesFocus?: boolean;
}

/** For a code of the second factor. */
export function CodeField({ value, onChange, error, appOnly = false, takesFocus = false }: CodeFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (takesFocus) input.current?.focus();
  }, [takesFocus]);
  const wrong = error instanceof ApiError && error.code === "second_factor_wrong";
  return (
    <TextField
      ref={input}
      large
      label="Code"
      name="code"
      // Recovery codes have letters.
      inputMode={appOnly ? "numeric" : "text"}
      autoComplete="one-time-code"
      autoCapitalize="characters"
      spellCheck={false}
      required
      maxLength={100}
      value={value}
      onChange={onChange}
      help={
        appOnly
          ? "The six digits that the app shows"
          : "The six digits of your authenticator app, or a recovery code"
      }
      error={wrong ? "This code is wrong, too old, or was used before. Wait for the next one." : null}
    />
  );
}
