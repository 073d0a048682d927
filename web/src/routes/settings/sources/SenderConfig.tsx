import type { SourceKind } from "../../../api/types";
import { CodeBlock } from "../../../ui/CodeBlock";
import settings from "../settings.module.css";
import { snippets } from "./sender-config";
import styles from "./sources.module.css";

interface SenderConfigProps {
  kind: SourceKind;
  workspace: string;
  source: string;
  /** The source has a secret. */
  signed: boolean;
  /** Known only just after it was made. */
  apiKey?: string;
}

const NO_KEY = "lbk_…";

/** What to enter where events come from. */
export function SenderConfig({ kind, workspace, source, signed, apiKey }: SenderConfigProps) {
  const sender = { origin: location.origin, workspace, source, signed, key: apiKey ?? NO_KEY };
  const known = snippets(kind, sender);
  const lacksKey = !apiKey && known.some(({ text }) => text.includes(NO_KEY));
  return (
    <div className={styles.parts}>
      {known.map(({ title, text, note }) => (
        <div key={title} className={styles.part}>
          <h4 className={styles.small}>{title}</h4>
          <CodeBlock text={text} label={title} />
          {note && <p className={settings.sub}>{note}</p>}
        </div>
      ))}
      <p className={settings.sub}>
        {lacksKey && "Put the source's key in the place of lbk_…; it was shown when it was made. "}
        <a href="/api/docs">The API</a> has every endpoint.
      </p>
    </div>
  );
}
