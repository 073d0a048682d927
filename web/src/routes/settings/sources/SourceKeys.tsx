import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { apiKeysQuery } from "../../../api/settings";
import type { ApiKey, Source } from "../../../api/types";
import { Button } from "../../../ui/Button";
import { CodeBlock } from "../../../ui/CodeBlock";
import { SkeletonLine } from "../../../ui/Skeleton";
import type { Clock } from "../../../ui/time/format";
import { DateText } from "../DateText";
import { LastUsed } from "../LastUsed";
import { RevokeKeyDialog } from "../RevokeKeyDialog";
import settings from "../settings.module.css";
import styles from "./sources.module.css";
import { useNewKey } from "./use-new-key";

/** The keys of a source. A new one works beside the old one, until that is revoked. */
export function SourceKeys({ slug, source, clock }: { slug: string; source: Source; clock: Clock }) {
  const keys = useQuery(apiKeysQuery(slug));
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  const create = useNewKey(slug, source.name);
  const own = keys.data?.data.filter((key) => key.source === source.name && key.state === "active");
  return (
    <section className={styles.parts} aria-labelledby="source-keys">
      <div className={styles.tools}>
        <h3 id="source-keys" className={settings.heading}>
          Keys
        </h3>
        <Button small isDisabled={create.isPending} onPress={() => create.mutate()}>
          New key
        </Button>
      </div>
      {create.error && (
        <p className={settings.sub} role="alert">
          {create.error.message}
        </p>
      )}
      {create.data && (
        <div className={styles.part} role="status">
          <p>Copy the new key now. It is not shown again.</p>
          <CodeBlock text={create.data.token} label="key" />
        </div>
      )}
      {!own ? (
        <SkeletonLine width="40%" />
      ) : own.length === 0 ? (
        <p className={settings.none}>No key works: the source cannot send.</p>
      ) : (
        <ul className={settings.list}>
          {own.map((key) => (
            <li key={key.prefix} className={settings.row}>
              <span className={settings.main}>
                <code>lbk_{key.prefix}…</code>
                <span className={settings.sub}>
                  created by {key.created_by}, <DateText at={key.created_at} clock={clock} />
                </span>
              </span>
              <span className={settings.meta}>
                <LastUsed apiKey={key} clock={clock} />
              </span>
              <span />
              <Button
                small
                variant="plain"
                aria-label={`Revoke lbk_${key.prefix}`}
                onPress={() => setRevoking(key)}
              >
                Revoke
              </Button>
            </li>
          ))}
        </ul>
      )}
      {revoking && (
        <RevokeKeyDialog slug={slug} apiKey={revoking} onClose={() => setRevoking(null)}>
          What is sent with lbk_{revoking.prefix}… will be refused. This cannot be undone.
        </RevokeKeyDialog>
      )}
    </section>
  );
}
