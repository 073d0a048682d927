import { useLocation, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { ApiError } from "../../api/errors";
import { Sheet } from "../../ui/Sheet";
import { SignInAgain } from "../SignInAgain";
import { ConfirmDialog } from "../settings/ConfirmDialog";

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
  const [isTooLate, setTooLate] = useState(false);
  if (isTooLate) {
    return (
      <Sheet title={title} open onOpenChange={(open) => !open && onClose()} centred>
        <SignInAgain skipText="Cancel" onSkip={onClose} onSignedOut={signInAgain}>
          For this, you must have signed in just now. Sign in again, then try once more.
        </SignInAgain>
      </Sheet>
    );
  }
  const confirm = () =>
    onConfirm().catch((error: Error) => {
      setTooLate(needsSignIn(error));
      throw error;
    });
  return (
    <ConfirmDialog title={title} action={action} onConfirm={confirm} onClose={onClose}>
      {children}
    </ConfirmDialog>
  );
}
