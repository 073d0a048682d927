import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { describeError } from "../../api/errors";
import { apiKeysQuery } from "../../api/settings";
import type { ApiKey } from "../../api/types";
import { Button } from "../../ui/Button";
import { ErrorNotice } from "../../ui/ErrorNotice";
import { Notice } from "../../ui/Notice";
import { SkeletonLine } from "../../ui/Skeleton";
import { Status } from "../../ui/Status";
import type { Clock } from "../../ui/time/format";
import { LastUsed } from "./LastUsed";
import { NewKeyDialog } from "./NewKeyDialog";
import { RevokeKeyDialog } from "./RevokeKeyDialog";
import styles from "./settings.module.css";
import { useSettings } from "./use-settings";
import { DateText } from "./DateText";

export function Keys() {
  const { slug, clock } = useSettings("API keys");
  const keys = useQuery(apiKeysQuery(slug));
  const [creating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  return (
    <section aria-labelledby="keys">
      <div className={styles.head}>
        <div>
          <h2 id="keys" className={styles.heading}>
            API keys
          </h2>
          <p className={styles.lead}>For services that send or read events.</p>
        </div>
        <Button variant="primary" icon="plus" onPress={() => setCreating(true)}>
          New key
        </Button>
      </div>
      {keys.error ? (
        <ErrorNotice {...describeError(keys.error)} onRetry={() => void keys.refetch()} />
      ) : !keys.data ? (
        <SkeletonLine width="40%" />
      ) : keys.data.data.length === 0 ? (
        <Notice icon="lock" title="No API keys yet">
          <p>A key works only in this workspace and has the permissions of its role.</p>
        </Notice>
      ) : (
        <ul className={styles.list}>
          {keys.data.data.map((key) => (
            <li key={key.prefix} className={styles.row}>
              <span className={styles.main}>
                <span className={styles.name}>
                  {key.name}
                  <span className={styles.tag}>{key.role}</span>
                  {key.creator_removed && <span className={styles.tag}>creator left</span>}
                </span>
                <span className={styles.sub}>
                  <code>lbk_{key.prefix}…</code> created by {key.created_by},{" "}
                  <DateText at={key.created_at} clock={clock} />
                </span>
              </span>
              <span className={styles.meta}>
                <LastUsed apiKey={key} clock={clock} />
              </span>
              <span className={styles.choice}>
                <State apiKey={key} clock={clock} />
              </span>
              {key.state === "active" ? (
                <Button
                  small
                  variant="plain"
                  aria-label={`Revoke ${key.name}`}
                  onPress={() => setRevoking(key)}
                >
                  Revoke
                </Button>
              ) : (
                <span />
              )}
            </li>
          ))}
        </ul>
      )}
      {creating && <NewKeyDialog slug={slug} onClose={() => setCreating(false)} />}
      {revoking && (
        <RevokeKeyDialog slug={slug} apiKey={revoking} onClose={() => setRevoking(null)}>
          Requests that use {revoking.name} (lbk_{revoking.prefix}…) will be rejected. This cannot be undone.
        </RevokeKeyDialog>
      )}
    </section>
  );
}

function State({ apiKey, clock }: { apiKey: ApiKey; clock: Clock }) {
  switch (apiKey.state) {
    case "revoked":
      return (
        <Status tone="neutral" shape="minus">
          Revoked
        </Status>
      );
    case "expired":
      return (
        <Status tone="bad" shape="cross">
          Expired
        </Status>
      );
    default:
      return (
        <Status tone="good" shape="disc">
          {apiKey.expires_at ? (
            <span>
              Expires <DateText at={apiKey.expires_at} clock={clock} />
            </span>
          ) : (
            "Never expires"
          )}
        </Status>
      );
  }
}
