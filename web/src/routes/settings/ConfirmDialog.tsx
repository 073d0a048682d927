import { useMutation } from "@tanstack/react-query";
import { Button } from "../../ui/Button";
import { Sheet } from "../../ui/Sheet";
import forms from "../forms.module.css";

interface ConfirmDialogProps {
  title: string;
  /** The label of the button: the action, never "OK". */
  action: string;
  /** The label of the button that leaves everything as it is. */
  dismiss?: string;
  children: React.ReactNode;
  /** The dialog shows the error if this fails. */
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}

/** Asks for confirmation before an action that cannot be undone. */
export function ConfirmDialog({
  title,
  action,
  dismiss = "Cancel",
  children,
  onConfirm,
  onClose,
}: ConfirmDialogProps) {
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
          <Button variant="plain" onPress={onClose}>
            {dismiss}
          </Button>
          <Button variant="danger" isDisabled={confirm.isPending} onPress={() => confirm.mutate()}>
            {action}
          </Button>
        </div>
      </div>
    </Sheet>
  );
}
