import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { describeError } from "../../../api/errors";
import { canManage } from "../../../api/roles";
import { sourcesQuery } from "../../../api/sources";
import type { CreatedSource, Source } from "../../../api/types";
import { Button } from "../../../ui/Button";
import { CodeBlock } from "../../../ui/CodeBlock";
import { ErrorNotice } from "../../../ui/ErrorNotice";
import { Notice } from "../../../ui/Notice";
import { cx } from "../../../ui/cx";
import { Sheet } from "../../../ui/Sheet";
import { SkeletonLine } from "../../../ui/Skeleton";
import { Sparkline } from "../../../ui/Sparkline";
import { formatCompact, formatCount, formatRelative } from "../../../ui/time/format";
import { useNow } from "../../../ui/use-now";
import forms from "../../forms.module.css";
import settings from "../settings.module.css";
import { useSettings } from "../use-settings";
import { courseOf, dayOf } from "./course";
import { KINDS } from "./kinds";
import { NewSourceForm } from "./NewSourceForm";
import { SenderConfig } from "./SenderConfig";
import { SourceState } from "./SourceState";
import styles from "./sources.module.css";

export function SourcesPage() {
  const { slug, workspace } = useSettings("Sources");
  const sources = useQuery(sourcesQuery(slug));
  const [adding, setAdding] = useState(false);
  const manages = canManage(workspace.role);
  return (
    <section aria-labelledby="sources">
      <div className={settings.head}>
        <div>
          <h2 id="sources" className={settings.heading}>
            Sources
          </h2>
          <p className={settings.lead}>
            Who sends events, and whether all of them come. What cannot be read waits in quarantine.
          </p>
        </div>
        {manages && (
          <Button variant="primary" icon="plus" onPress={() => setAdding(true)}>
            New source
          </Button>
        )}
      </div>
      {sources.error && !sources.data ? (
        <ErrorNotice {...describeError(sources.error)} onRetry={() => void sources.refetch()} />
      ) : !sources.data ? (
        <SkeletonLine width="40%" />
      ) : sources.data.data.length === 0 ? (
        <Notice icon="inbox" title="No sources yet">
          <p>
            {manages
              ? "Make one for each system that sends: it gets a key of its own, and Logbook tells you when it falls silent."
              : "An admin of the workspace can make one."}
          </p>
        </Notice>
      ) : (
        <ul className={settings.list}>
          {sources.data.data.map((source) => (
            <Row key={source.name} slug={slug} source={source} />
          ))}
        </ul>
      )}
      {adding && <NewSourceDialog slug={slug} onClose={() => setAdding(false)} />}
    </section>
  );
}

function countsOf({ events, days, rejected }: Source, now: number): string {
  const today = days.find(({ day }) => day === dayOf(now))?.events ?? 0;
  const parts = [
    events > 0 && `${formatCount(events)} ${events === 1 ? "event" : "events"}, ${formatCount(today)} today`,
    rejected > 0 && `${formatCount(rejected)} in quarantine`,
  ].filter(Boolean);
  return parts.join(", ") || "No events yet";
}

function Row({ slug, source }: { slug: string; source: Source }) {
  const now = useNow();
  return (
    <li className={cx(settings.row, styles.source)}>
      <span className={settings.main}>
        <span className={settings.name}>
          <Link to="/w/$slug/settings/sources/$source" params={{ slug, source: source.name }}>
            {source.name}
          </Link>
          <span className={settings.tag}>{KINDS[source.kind].name}</span>
        </span>
        <span className={settings.sub}>{countsOf(source, now)}</span>
      </span>
      <span className={styles.course}>
        {source.days.length > 0 && (
          <Sparkline
            counts={courseOf(source, now)}
            label={`Events of ${source.name} a day, in two weeks`}
            format={formatCompact}
          />
        )}
      </span>
      <span className={settings.meta}>
        {source.last_received_at
          ? `Sent ${formatRelative(Date.parse(source.last_received_at), now)}`
          : "Sent nothing yet"}
      </span>
      <span className={settings.choice}>
        <SourceState source={source} />
      </span>
    </li>
  );
}

function NewSourceDialog({ slug, onClose }: { slug: string; onClose: () => void }) {
  const [created, setCreated] = useState<CreatedSource | null>(null);
  return (
    <Sheet
      title="New source"
      open
      onOpenChange={(open) => !open && onClose()}
      centred
      dismissable={created === null}
    >
      {created ? (
        <div className={forms.form}>
          <p role="status">
            Copy the key of <strong>{created.name}</strong> now. It is not shown again: Logbook stores only
            its hash.
          </p>
          <CodeBlock text={created.key} label="key" />
          <SenderConfig
            kind={created.kind}
            workspace={slug}
            source={created.name}
            signed={created.has_secret}
            apiKey={created.key}
          />
          <div className={forms.actions}>
            <Button variant="primary" onPress={onClose}>
              Done
            </Button>
          </div>
        </div>
      ) : (
        <NewSourceForm slug={slug} onCreated={setCreated} onCancel={onClose} />
      )}
    </Sheet>
  );
}
