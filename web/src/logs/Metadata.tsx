import { useState } from "react";
import styles from "./EventDrawer.module.css";
import { Breakable, None, Value } from "./cells";
import { Masked } from "./Changes";
import { covers, filterText, flatten } from "./metadata";

const SHOWN = 40;

/** The metadata as a list of paths, whose values are clickable like all others. */
export function Metadata({
  metadata,
  masked,
}: {
  metadata: Readonly<Record<string, unknown>>;
  /** JSON pointers into the event, to values that were secrets. */
  masked: readonly string[];
}) {
  const [all, setAll] = useState(false);
  const entries = flatten(metadata);
  return (
    <>
      <dl className={styles.fields}>
        {(all ? entries : entries.slice(0, SHOWN)).map(({ path, pointer, values }) => (
          <div key={pointer} className={styles.pair}>
            <dt>
              <Breakable text={path} />
            </dt>
            <dd>
              {values.length === 0 && <None />}
              {values.map((value, index) => (
                <div key={index}>
                  {masked.some((secret) => covers(secret, pointer) || covers(pointer, secret)) ? (
                    <Masked value={value} />
                  ) : (
                    <MetadataValue path={path} value={value} />
                  )}
                </div>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      {entries.length > SHOWN && (
        <button type="button" className={styles.more} onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show all ${entries.length}`}
        </button>
      )}
    </>
  );
}

function MetadataValue({ path, value }: { path: string; value: unknown }) {
  if (value === null) return <None />;
  const text = filterText(value);
  if (text !== null) return <Value param={`metadata.${path}`} value={text} wrap />;
  return typeof value === "string" ? value : <code>{JSON.stringify(value)}</code>;
}
