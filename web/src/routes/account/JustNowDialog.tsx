import { useMutation } from "@tanstack/react-query";
import { useLocation, useNavigate } from "@tanstack/react-router";
import { ApiError } from "../../api/errors";
import { Button } from "../../ui/Button";
import { Sheet } from "../../ui/Sheet";
import forms from "../forms.module.css";
import { SignInAgain } from "../SignInAgain";

/** Leads back to this page after signing in again. */
export function useSignInAgain(): () => void {
  const navigate = useNavigate();
  const next = useLocation({ select: ({ href }) => href });
  return () => void navigate({ to: "/sign-in", search: { next }, replace: true });
}

export function needsSignIn(error: Error | null): boolean {
  return error instanceof ApiError && error.code === "sign_in_again";
}

interface JustNowDialogProps {
  title: string;
  action: string;
  children: React.ReactNode;
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}

/** Asks for confirmation before a change that needs a sign-in of just now. */
export function JustNowDialog({ title, action, children, onConfirm, onClose }: JustNowDialogProps) {
  const signInAgain = useSignInAgain();
  const confirm = useMutation({ mutationFn: onConfirm, onSuccess: onClose });
  return (
    <Sheet title={title} open onOpenChange={(open) => !open && onClose()} centred>
      {needsSignIn(confirm.error) ? (
        <SignInAgain skipText="Cancel" onSkip={onClose} onSignedOut={signInAgain}>
          For this, you must have signed in just now. Sign in again, then try once more.
        </SignInAgain>
      ) : (
        <div className={forms.form}>
          {confirm.error && (
            <p className={forms.error} role="alert">
              {confirm.error.message}
            </p>
          )}
          <p>{children}</p>
          <div className={forms.actions}>
            <Button variant="plain" onPress={onClose}>
              Cancel
            </Button>
            <Button variant="danger" isDisabled={confirm.isPending} onPress={() => confirm.mutate()}>
              {action}
            </Button>
          </div>
        </div>
      )}
    </Sheet>
  );
}
