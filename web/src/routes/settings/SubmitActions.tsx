import { Button } from "../../ui/Button";
import forms from "../forms.module.css";

interface SubmitActionsProps {
  /** What the form does, as the button says it. */
  action: string;
  isPending: boolean;
  onCancel: () => void;
}

/** The end of a form in a dialog: leave it, or send it. */
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
