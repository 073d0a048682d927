import { Button, IconButton } from "./Button";
import { useCopy } from "./use-copy";

export function CopyButton({
  text,
  label,
  withText = false,
}: {
  text: string;
  label: string;
  withText?: boolean;
}) {
  const { copied, copy: copyText } = useCopy();
  const copy = () => copyText(text);
  return (
    <>
      {withText ? (
        <Button small icon={copied ? "check" : "copy"} aria-label={label} onPress={copy}>
          {copied ? "Copied" : "Copy"}
        </Button>
      ) : (
        <IconButton small icon={copied ? "check" : "copy"} label={label} onPress={copy} />
      )}
      <span className="visually-hidden" role="status">
        {copied ? "Copied" : ""}
      </span>
    </>
  );
}
