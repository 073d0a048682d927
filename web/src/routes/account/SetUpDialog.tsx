import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { confirmSecondFactor, setUpSecondFactor } from "../../api/second-factor";
import type { NewSecondFactor } from "../../api/types";
import { Button } from "../../ui/Button";
import { CodeBlock } from "../../ui/CodeBlock";
import { Sheet } from "../../ui/Sheet";
import { SkeletonLine } from "../../ui/Skeleton";
import { asksForCode, CodeField } from "../CodeField";
import forms from "../forms.module.css";
import { SubmitActions } from "../settings/SubmitActions";
import { SignInAgain } from "../SignInAgain";
import { useRefreshMe } from "../use-refresh-me";
import { needsSignIn, useSignInAgain } from "./JustNowDialog";
import { QrCode } from "./QrCode";
import own from "./SecondFactor.module.css";

/** Sets the second factor up: a secret for the app, a first code of it, then the recovery codes. */
export function SetUpDialog({ onClose }: { onClose: () => void }) {
  const refreshMe = useRefreshMe();
  const signInAgain = useSignInAgain();
  const begin = useMutation({ mutationFn: setUpSecondFactor });
  const confirm = useMutation({ mutationFn: confirmSecondFactor });
  // An effect may run twice, and a second secret would replace the first one.
  const begun = useRef(false);
  const { mutate } = begin;
  useEffect(() => {
    if (begun.current) return;
    begun.current = true;
    mutate();
  }, [mutate]);
  const done = () => {
    onClose();
    // Not before: the page behind the dialog would change while the codes are read.
    if (confirm.isSuccess) void refreshMe();
  };
  return (
    <Sheet
      title={confirm.data ? "Recovery codes" : "Set up the second factor"}
      open
      onOpenChange={(open) => !open && done()}
      centred
      dismissable={false}
    >
      {confirm.data ? (
        <Recovery codes={confirm.data} onClose={done} />
      ) : needsSignIn(begin.error) ? (
        <SignInAgain skipText="Cancel" onSkip={onClose} onSignedOut={signInAgain}>
          To set up a second factor, you must have signed in just now. Sign in again, then set it up.
        </SignInAgain>
      ) : begin.error ? (
        <p className={forms.error} role="alert">
          {begin.error.message}
        </p>
      ) : !begin.data ? (
        <SkeletonLine width="60%" />
      ) : (
        <Secret
          made={begin.data}
          error={confirm.error}
          isPending={confirm.isPending}
          onConfirm={(code) => confirm.mutate(code)}
          onCancel={onClose}
        />
      )}
    </Sheet>
  );
}

interface SecretProps {
  made: NewSecondFactor;
  error: Error | null;
  isPending: boolean;
  onConfirm: (code: string) => void;
  onCancel: () => void;
}

function Secret({ made, error, isPending, onConfirm, onCancel }: SecretProps) {
  const [code, setCode] = useState("");
  return (
    <form
      className={forms.form}
      onSubmit={(event) => {
        event.preventDefault();
        onConfirm(code.trim());
      }}
    >
      {error && !asksForCode(error) && (
        <p className={forms.error} role="alert">
          {error.message}
        </p>
      )}
      <ol className={own.steps}>
        <li>
          <p>Scan this with an authenticator app, or type the secret into it.</p>
          <QrCode text={made.uri} label="QR code of the secret below" />
          <CodeBlock text={made.secret} label="secret" />
        </li>
        <li>
          <p>Enter the code that the app shows now.</p>
          <CodeField appOnly value={code} onChange={setCode} error={error} />
        </li>
      </ol>
      <SubmitActions action="Turn on" isPending={isPending} onCancel={onCancel} />
    </form>
  );
}

function Recovery({ codes, onClose }: { codes: string[]; onClose: () => void }) {
  return (
    <div className={forms.form}>
      <p role="status">
        The second factor is on, and your other sessions have ended. Keep these codes where you find them
        without the app: each signs in once. They are not shown again.
      </p>
      <CodeBlock text={codes.join("\n")} label="recovery codes" />
      <div className={forms.actions}>
        <Button variant="primary" onPress={onClose}>
          Done
        </Button>
      </div>
    </div>
  );
}
