import { useMemo, useState } from "react";
import { saveFile } from "../../../api/export";
import type { RejectedRecord } from "../../../api/types";
import { Button, buttonClass } from "../../../ui/Button";
import { CodeBlock } from "../../../ui/CodeBlock";
import { formatCount } from "../../../ui/time/format";
import settings from "../settings.module.css";
import { beginning, decodeRecord, hexadecimal, indented, looksLikeJson } from "./record-text";
import styles from "./sources.module.css";

/** Characters that are shown at first, and at most: whoever has a key chooses what is sent. */
const FIRST = 10_000;
const MOST = 300_000;

interface SentRecordProps {
  source: string;
  record: RejectedRecord;
  unfolded?: boolean;
}

/** The bytes of a record. Nothing of them is read before they are unfolded. */
export function SentRecord({ source, record, unfolded = false }: SentRecordProps) {
  const [open, setOpen] = useState(unfolded);
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>What was sent</summary>
      {open && <Bytes source={source} record={record} />}
    </details>
  );
}

function Bytes({ source, record }: SentRecordProps) {
  const { bytes, text } = useMemo(() => decodeRecord(record.record), [record.record]);
  const isJson = text !== null && looksLikeJson(text);
  const [asSent, setAsSent] = useState(false);
  const [most, setMost] = useState(FIRST);
  const shown = useMemo(() => {
    if (text === null) return hexadecimal(bytes, most);
    return isJson && !asSent ? indented(text, most) : beginning(text, most);
  }, [bytes, text, isJson, asSent, most]);
  const extension = text === null ? "bin" : isJson ? "json" : "txt";
  return (
    <div className={styles.sent}>
      <div className={styles.tools}>
        {isJson && (
          <button
            type="button"
            className={buttonClass({ small: true })}
            aria-pressed={!asSent}
            onClick={() => setAsSent(!asSent)}
          >
            Indented
          </button>
        )}
        {text === null && <span className={settings.sub}>It is no UTF-8 text: these are its bytes.</span>}
        <Button
          small
          onPress={() => saveFile(`${source}-record-${record.id}.${extension}`, new Blob([bytes]))}
        >
          Download
        </Button>
      </div>
      <CodeBlock
        text={shown.text}
        copied={text ?? record.record}
        label={`record ${record.id}`}
        json={isJson && most === FIRST}
      />
      {!shown.whole && (
        <p className={settings.sub}>
          The first {formatCount(shown.text.length)} characters.{" "}
          {most === FIRST ? (
            <Button small onPress={() => setMost(MOST)}>
              Show more
            </Button>
          ) : (
            "The download has the rest."
          )}
        </p>
      )}
    </div>
  );
}
