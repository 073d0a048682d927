import { Button } from "../../ui/Button";
import forms from "../forms.module.css";

interface SubmitActionsProps {
  /** The label of the submit button. */
  action: string;
  isPending: boolean;
  onCancel: () => void;
}

/** The buttons at the end of a form in a dialog. */
export function SubmitActions({ action, isPending, onCancel }: SubmitActionsProps) {
  return (
    <div className={forms.actions}>
      <Button variant="plain" onPress={onCancel}>
        Cancel
      </Button>
      <Button type="submit" variant="primary" isDisabled={isPending}>
        {action}
      </Button>
    </div>
  );
}
