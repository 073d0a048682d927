import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { setPassword, signOut } from "../api/auth";
import { ApiError, hasFieldError } from "../api/errors";
import { meQuery } from "../api/workspaces";
import { Button } from "../ui/Button";
import { TextField } from "../ui/TextField";
import styles from "./forms.module.css";

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
  const [tooShort, setTooShort] = useState(false);
  const change = useMutation({
    mutationFn: () => setPassword(next, hasPassword ? current : undefined),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: meQuery.queryKey });
      onDone();
    },
  });
  const code = change.error instanceof ApiError ? change.error.code : null;
  const wrong = code === "wrong_password";
  const tooEasy = hasFieldError(change.error, "password", "too_easy");
  if (code === "sign_in_again") {
    return (
      <div className={styles.form}>
        <p className={styles.note} role="alert">
          To set a password, you must have signed in just now. Sign in again, then set it.
        </p>
        <div className={styles.actions}>
          <Button variant="plain" onPress={onSkip}>
            {skipText}
          </Button>
          {/* An error is ignored: this browser is signed out in any case. */}
          <Button
            variant="primary"
            onPress={() =>
              void signOut()
                .catch(() => undefined)
                .then(onSignedOut)
            }
          >
            Sign in again
          </Button>
        </div>
      </div>
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
              : change.error && !wrong
                ? change.error.message
                : null
        }
      />
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
