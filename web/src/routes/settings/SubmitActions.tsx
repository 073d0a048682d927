import { Button } from "../../ui/Button";
import forms from "../forms.module.css";

interface SubmitActionsProps {
  /** What the form does, as the button says it. */
  deed: string;
  isPending: boolean;
  onCancel: () => void;
}

/** The end of a form in a dialog: leave it, or send it. */
export function SubmitActions({ deed, isPending, onCancel }: SubmitActionsProps) {
  return (
    <div className={forms.actions}>
      <Button look="plain" onPress={onCancel}>
        Cancel
      </Button>
      <Button type="submit" look="primary" isDisabled={isPending}>
        {deed}
      </Button>
    </div>
  );
}
