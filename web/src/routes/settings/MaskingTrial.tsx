import { useMutation } from "@tanstack/react-query";
import { useId, useState } from "react";
import { entryErrors } from "../../api/errors";
import { previewMasking } from "../../api/settings";
import type { Masking } from "../../api/types";
import { Button } from "../../ui/Button";
import { CodeBlock } from "../../ui/CodeBlock";
import styles from "./masking.module.css";
import settings from "./settings.module.css";

const EXAMPLE = `{
  "patient_id": "P-1204",
  "address": { "street": "4 Hill Road", "city": "Pune" },
  "query": "page=2&next_token=f7k2-99xq"
}`;

function parse(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new SyntaxError();
  return value as Record<string, unknown>;
}

/** Shows what the server makes of some metadata with these lists, which need not be saved. */
export function MaskingTrial({ slug, masking }: { slug: string; masking: Masking }) {
  const id = useId();
  const [text, setText] = useState(EXAMPLE);
  const preview = useMutation({
    mutationFn: () => previewMasking(slug, masking, parse(text)),
  });
  const isOfLists = ["masking/mask", "masking/keep"].some(
    (list) => entryErrors(preview.error, list).size > 0,
  );
  const error =
    preview.error &&
    (preview.error instanceof SyntaxError
      ? "This is not a JSON object."
      : isOfLists
        ? "The lists have an error. Save them to see where."
        : preview.error.message);
  return (
    <section aria-labelledby={id} className={styles.list}>
      <h3 id={id} className={styles.title}>
        Try it
      </h3>
      <p className={settings.sub}>
        The server masks this metadata with the lists above, saved or not. Nothing of it is stored.
      </p>
      <textarea
        className={styles.text}
        aria-label="Metadata as JSON"
        rows={6}
        spellCheck={false}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          preview.reset();
        }}
      />
      <div>
        <Button isDisabled={preview.isPending} onPress={() => preview.mutate()}>
          Try
        </Button>
      </div>
      {error && (
        <p className={styles.errors} role="alert">
          {error}
        </p>
      )}
      {preview.data && (
        <CodeBlock text={JSON.stringify(preview.data.metadata, null, 2)} label="masked metadata" json />
      )}
    </section>
  );
}
