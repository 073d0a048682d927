import styles from "./CodeBlock.module.css";
import { CopyButton } from "./CopyButton";

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Highlights the syntax of JSON. The text itself does not change, so that the copy equals what is shown. */
function highlight(json: string): React.ReactNode[] {
  const parts: React.ReactNode[] = [];
  let last = 0;
  for (const match of json.matchAll(TOKEN)) {
    const [whole, text, colon] = match;
    parts.push(json.slice(last, match.index));
    const kind = colon !== undefined ? styles.key : text !== undefined ? styles.string : styles.literal;
    parts.push(
      <span key={match.index} className={kind}>
        {text ?? whole}
      </span>,
      colon ?? "",
    );
    last = match.index + whole.length;
  }
  parts.push(json.slice(last));
  return parts;
}

interface CodeBlockProps {
  text: string;
  label: string;
  json?: boolean;
  /** What is copied, where it is not the text as it is shown. */
  copied?: string;
}

export function CodeBlock({ text, label, json = false, copied = text }: CodeBlockProps) {
  return (
    <div className={styles.block}>
      {/* A long block scrolls, so it must be reachable by keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre className={styles.pre} tabIndex={0} role="region" aria-label={label}>
        <code>{json ? highlight(text) : text}</code>
      </pre>
      <div className={styles.copy}>
        <CopyButton text={copied} label={`Copy ${label}`} withText />
      </div>
    </div>
  );
}
