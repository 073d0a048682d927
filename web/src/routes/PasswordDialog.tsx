import { useLocation, useNavigate } from "@tanstack/react-router";
import { Sheet } from "../ui/Sheet";
import { PasswordForm } from "./PasswordForm";

interface PasswordDialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  hasPassword: boolean;
}

export function PasswordDialog({ open, onOpenChange, hasPassword }: PasswordDialogProps) {
  const navigate = useNavigate();
  // Back to this page, where the menu can set the password now.
  const next = useLocation({ select: ({ href }) => href });
  const close = () => onOpenChange(false);
  return (
    <Sheet
      title={hasPassword ? "Change password" : "Set a password"}
      open={open}
      onOpenChange={onOpenChange}
      centred
    >
      <PasswordForm
        hasPassword={hasPassword}
        onDone={close}
        onSkip={close}
        skipText="Cancel"
        onSignedOut={() => void navigate({ to: "/sign-in", search: { next }, replace: true })}
      />
    </Sheet>
  );
}
