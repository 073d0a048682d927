import { Button } from "../../ui/Button";
import forms from "../forms.module.css";

interface SubmitActionsProps {
  /** The label of the submit button. */
  action: string;
  isPending: boolean;
  /** Left out where there is nothing to go back to. */
  onCancel?: (() => void) | undefined;
}

/** The buttons at the end of a form in a dialog. */
export function SubmitActions({ action, isPending, onCancel }: SubmitActionsProps) {
  return (
    <div className={forms.actions}>
      {onCancel && (
        <Button variant="plain" onPress={onCancel}>
          Cancel
        </Button>
      )}
      <Button type="submit" variant="primary" isDisabled={isPending}>
        {action}
      </Button>
    </div>
  );
}
