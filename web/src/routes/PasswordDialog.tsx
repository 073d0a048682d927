import { Sheet } from "../ui/Sheet";
import { PasswordForm } from "./PasswordForm";

interface PasswordDialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  hasPassword: boolean;
}

export function PasswordDialog({ open, onOpenChange, hasPassword }: PasswordDialogProps) {
  const close = () => onOpenChange(false);
  return (
    <Sheet
      title={hasPassword ? "Change password" : "Set a password"}
      open={open}
      onOpenChange={onOpenChange}
      centred
    >
      <PasswordForm hasPassword={hasPassword} onDone={close} onSkip={close} skipText="Cancel" />
    </Sheet>
  );
}
