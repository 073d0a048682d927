import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { queryKeys } from "../../../api/query-keys";
import { canManage } from "../../../api/roles";
import { sourceQuery, sourcesQuery } from "../../../api/sources";
import type { CreatedSource } from "../../../api/types";
import { Button } from "../../../ui/Button";
import { CodeBlock } from "../../../ui/CodeBlock";
import { Notice } from "../../../ui/Notice";
import type { Clock } from "../../../ui/time/format";
import settings from "../settings.module.css";
import { NewSourceForm } from "./NewSourceForm";
import { SenderConfig } from "./SenderConfig";
import styles from "./sources.module.css";
import { WaitingFor } from "./WaitingFor";

interface OnboardingProps {
  slug: string;
  role: string;
  clock: Clock;
}

/** The way to the first event of a workspace: a source with its key, the sender's configuration, and waiting for it. */
export function Onboarding({ slug, role, clock }: OnboardingProps) {
  const sources = useQuery(sourcesQuery(slug));
  const [created, setCreated] = useState<CreatedSource | null>(null);
  const known = created ?? sources.data?.data[0];
  if (!known && !canManage(role)) {
    return (
      <Notice icon="inbox" title="No events yet">
        <p>An admin of the workspace makes a source for each system that sends. Then its events are here.</p>
      </Notice>
    );
  }
  return (
    <section className={styles.steps} aria-labelledby="onboarding">
      <div>
        <h2 id="onboarding" className={settings.heading}>
          No events yet
        </h2>
        <p className={settings.lead}>Three steps to the first one.</p>
      </div>
      <ol className={styles.page}>
        <li className={styles.step}>
          <h3 className={settings.heading}>1. Make a source</h3>
          {!known ? (
            <NewSourceForm slug={slug} onCreated={setCreated} />
          ) : (
            <>
              <p className={settings.sub}>
                <strong>{known.name}</strong> is there.
                {created && " Copy its key now: it is not shown again."}
              </p>
              {created && <CodeBlock text={created.key} label="key" />}
            </>
          )}
        </li>
        {known && (
          <>
            <li className={styles.step}>
              <h3 className={settings.heading}>2. Tell the sender</h3>
              <SenderConfig
                kind={known.kind}
                workspace={slug}
                source={known.name}
                {...(created && { apiKey: created.key })}
              />
            </li>
            <li className={styles.step}>
              <h3 className={settings.heading}>3. Wait for it</h3>
              <WaitingFor slug={slug} source={known.name} clock={clock} />
              <Done slug={slug} source={known.name} />
            </li>
          </>
        )}
      </ol>
    </section>
  );
}

function Done({ slug, source: name }: { slug: string; source: string }) {
  const queries = useQueryClient();
  const { data: source } = useQuery(sourceQuery(slug, name));
  if (!source || source.events === 0) return null;
  return (
    <div>
      <Button
        variant="primary"
        onPress={() => void queries.invalidateQueries({ queryKey: queryKeys.hasEvents(slug) })}
      >
        Show the overview
      </Button>
    </div>
  );
}
