import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { queryKeys } from "../../../api/query-keys";
import { canManage } from "../../../api/roles";
import { sourceQuery, sourcesQuery } from "../../../api/sources";
import type { CreatedSource } from "../../../api/types";
import { Button } from "../../../ui/Button";
import { CodeBlock } from "../../../ui/CodeBlock";
import { Notice } from "../../../ui/Notice";
import { SkeletonLine } from "../../../ui/Skeleton";
import { Status } from "../../../ui/Status";
import type { Clock } from "../../../ui/time/format";
import settings from "../settings.module.css";
import { NewSourceForm } from "./NewSourceForm";
import { SenderConfig } from "./SenderConfig";
import styles from "./sources.module.css";
import { useNewKey } from "./use-new-key";
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
  const another = useNewKey(slug, known?.name ?? "");
  const manages = canManage(role);
  const key = created?.key ?? another.data?.token;
  if (sources.isPending) return <SkeletonLine width="40%" />;
  if (!known && !manages) {
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
              <Status tone="good" shape="disc">
                {known.name} is there
              </Status>
              {key && <p className={settings.sub}>Copy its key now: it is not shown again.</p>}
              {key && <CodeBlock text={key} label="key" />}
            </>
          )}
        </li>
        {known && (
          <>
            <li className={styles.step}>
              <h3 className={settings.heading}>2. Tell the sender</h3>
              {key || known.has_secret ? (
                <SenderConfig
                  kind={known.kind}
                  workspace={slug}
                  source={known.name}
                  signed={known.has_secret}
                  {...(key && { apiKey: key })}
                />
              ) : manages ? (
                <>
                  <p className={settings.sub}>
                    The key of {known.name} was shown when it was made. If nobody has it, make another one: it
                    comes with the configuration of the sender.
                  </p>
                  {another.error && <p role="alert">{another.error.message}</p>}
                  <div>
                    <Button isDisabled={another.isPending} onPress={() => another.mutate()}>
                      {another.isPending ? "Making…" : "Make another key"}
                    </Button>
                  </div>
                </>
              ) : (
                <p className={settings.sub}>An admin enters its key where the events come from.</p>
              )}
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
