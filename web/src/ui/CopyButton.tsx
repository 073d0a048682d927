import { useEffect, useState } from "react";
import { Button, IconButton } from "./Button";

/** Shows "Copied" for a moment, because nothing else on the screen changes. */
export function CopyButton({
  text,
  label,
  withText = false,
}: {
  text: string;
  label: string;
  withText?: boolean;
}) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1600);
    return () => clearTimeout(timer);
  }, [copied]);

  const copy = () => {
    navigator.clipboard?.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
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
