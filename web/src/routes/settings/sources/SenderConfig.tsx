import { useState } from "react";
import type { SourceKind } from "../../../api/types";
import { CodeBlock } from "../../../ui/CodeBlock";
import settings from "../settings.module.css";
import { snippets } from "./sender-config";
import styles from "./sources.module.css";

interface SenderConfigProps {
  kind: SourceKind;
  workspace: string;
  source: string;
  /** Known only just after it was made. */
  apiKey?: string;
}

/** What to enter where events come from. */
export function SenderConfig({ kind, workspace, source, apiKey }: SenderConfigProps) {
  const [now] = useState(() => new Date().toISOString());
  const sender = { origin: location.origin, workspace, source, key: apiKey ?? "lbk_…" };
  return (
    <div className={styles.parts}>
      {snippets(kind, sender, now).map(({ title, text }) => (
        <div key={title} className={styles.part}>
          <h3 className={styles.small}>{title}</h3>
          <CodeBlock text={text} label={title} />
        </div>
      ))}
      <p className={settings.sub}>
        {!apiKey && "Put the source's key in the place of lbk_…; it was shown when it was made. "}
        <a href="/api/docs">The API</a> has every endpoint.
      </p>
    </div>
  );
}
