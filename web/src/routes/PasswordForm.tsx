import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { setPassword } from "../api/auth";
import { ApiError, hasFieldError } from "../api/errors";
import { meQuery } from "../api/workspaces";
import { Button } from "../ui/Button";
import { TextField } from "../ui/TextField";
import { asksForCode, CodeField } from "./CodeField";
import styles from "./forms.module.css";
import { SignInAgain } from "./SignInAgain";

interface PasswordFormProps {
  hasPassword: boolean;
  onDone: () => void;
  onSkip: () => void;
  skipText: string;
  /** The user wants to sign in again, and is signed out for it. */
  onSignedOut: () => void;
}

const MIN_LENGTH = 12;

export function PasswordForm({ hasPassword, onDone, onSkip, skipText, onSignedOut }: PasswordFormProps) {
  const queries = useQueryClient();
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [secondCode, setSecondCode] = useState("");
  const [tooShort, setTooShort] = useState(false);
  const change = useMutation({
    mutationFn: () => setPassword(next, hasPassword ? current : undefined, secondCode),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: meQuery.queryKey });
      onDone();
    },
  });
  const code = change.error instanceof ApiError ? change.error.code : null;
  const wrong = code === "wrong_password";
  const codeAsked = asksForCode(change.error);
  // The server asks for a code only after everything else was right, and once asked for it stays.
  const [showsCode, setShowsCode] = useState(false);
  if (codeAsked && !showsCode) setShowsCode(true);
  const tooEasy = hasFieldError(change.error, "password", "too_easy");
  if (code === "sign_in_again") {
    return (
      <SignInAgain skipText={skipText} onSkip={onSkip} onSignedOut={onSignedOut}>
        To set a password, you must have signed in just now. Sign in again, then set it.
      </SignInAgain>
    );
  }
  return (
    <form
      className={styles.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setTooShort(next.length < MIN_LENGTH);
        if (next.length >= MIN_LENGTH) change.mutate();
      }}
    >
      {hasPassword && (
        <TextField
          large
          label="Current password"
          type="password"
          autoComplete="current-password"
          value={current}
          onChange={setCurrent}
          error={wrong ? "This is not your current password." : null}
        />
      )}
      <TextField
        large
        label="New password"
        type="password"
        autoComplete="new-password"
        maxLength={200}
        value={next}
        onChange={setNext}
        help={`At least ${MIN_LENGTH} characters`}
        error={
          tooShort && next.length < MIN_LENGTH
            ? `Use at least ${MIN_LENGTH} characters.`
            : tooEasy
              ? "This password is easy to guess. Use several unrelated words."
              : change.error && !wrong && !codeAsked
                ? change.error.message
                : null
        }
      />
      {showsCode && <CodeField takesFocus value={secondCode} onChange={setSecondCode} error={change.error} />}
      <div className={styles.actions}>
        <Button variant="plain" onPress={onSkip}>
          {skipText}
        </Button>
        <Button type="submit" variant="primary" isDisabled={change.isPending}>
          {hasPassword ? "Change password" : "Set password"}
        </Button>
      </div>
    </form>
  );
}
