import styles from "./CodeBlock.module.css";
import { CopyButton } from "./CopyButton";

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Colours JSON text by token. The text itself is never changed, so what is copied is what is shown. */
function paint(json: string): React.ReactNode[] {
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
}

export function CodeBlock({ text, label, json = false }: CodeBlockProps) {
  return (
    <div className={styles.block}>
      {/* A long block scrolls, and what scrolls must be reachable without a mouse. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre className={styles.pre} tabIndex={0} role="region" aria-label={label}>
        <code>{json ? paint(text) : text}</code>
      </pre>
      <div className={styles.copy}>
        <CopyButton text={text} label={`Copy ${label}`} withText />
      </div>
    </div>
  );
}
