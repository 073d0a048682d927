import { useMutation } from "@tanstack/react-query";
import { Button } from "../../ui/Button";
import { Sheet } from "../../ui/Sheet";
import forms from "../forms.module.css";

interface ConfirmProps {
  title: string;
  /** What the button says: the deed, never "OK". */
  deed: string;
  children: React.ReactNode;
  /** Does it; what goes wrong is told in the dialog. */
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}

/** Asks before what cannot be taken back. */
export function Confirm({ title, deed, children, onConfirm, onClose }: ConfirmProps) {
  const confirm = useMutation({ mutationFn: onConfirm, onSuccess: onClose });
  return (
    <Sheet title={title} open onOpenChange={(open) => !open && onClose()} centred>
      <div className={forms.form}>
        {confirm.error && (
          <p className={forms.error} role="alert">
            {confirm.error.message}
          </p>
        )}
        <p>{children}</p>
        <div className={forms.actions}>
          <Button look="plain" onPress={onClose}>
            Cancel
          </Button>
          <Button look="danger" isDisabled={confirm.isPending} onPress={() => confirm.mutate()}>
            {deed}
          </Button>
        </div>
      </div>
    </Sheet>
  );
}
