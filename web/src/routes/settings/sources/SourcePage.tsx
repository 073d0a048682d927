import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { describeError } from "../../../api/errors";
import { queryKeys } from "../../../api/query-keys";
import { canExport, canManage } from "../../../api/roles";
import { removeSource, sourceQuery } from "../../../api/sources";
import type { Source } from "../../../api/types";
import { Button } from "../../../ui/Button";
import { cx } from "../../../ui/cx";
import { ErrorNotice } from "../../../ui/ErrorNotice";
import { SkeletonLine } from "../../../ui/Skeleton";
import type { Clock } from "../../../ui/time/format";
import { ConfirmDialog } from "../ConfirmDialog";
import settings from "../settings.module.css";
import { useSettings } from "../use-settings";
import { KINDS } from "./kinds";
import { Quarantine } from "./Quarantine";
import { SenderConfig } from "./SenderConfig";
import { SourceHealth } from "./SourceHealth";
import { SourceKeys } from "./SourceKeys";
import { SourceSettings } from "./SourceSettings";
import styles from "./sources.module.css";
import { Trail } from "./Trail";
import { WaitingFor } from "./WaitingFor";

/** A source: how it is, what waits in quarantine, its keys and its settings. */
export function SourcePage() {
  const { source: name } = useParams({ from: "/app/w/$slug/settings/sources/$source" });
  const { slug, workspace, clock } = useSettings(name);
  const source = useQuery(sourceQuery(slug, name));
  if (source.error && !source.data) {
    return <ErrorNotice {...describeError(source.error)} onRetry={() => void source.refetch()} />;
  }
  return (
    <div className={styles.page}>
      <div>
        <Trail slug={slug} />
        <h2 className={cx(settings.name, styles.title)}>
          {name}
          {source.data && <span className={settings.tag}>{KINDS[source.data.kind].name}</span>}
        </h2>
      </div>
      {source.data ? (
        <Parts slug={slug} source={source.data} role={workspace.role} clock={clock} />
      ) : (
        <SkeletonLine width="40%" />
      )}
    </div>
  );
}

interface PartsProps {
  slug: string;
  source: Source;
  /** That of the reader, in the workspace. */
  role: string;
  clock: Clock;
}

function Parts({ slug, source, role, clock }: PartsProps) {
  const manages = canManage(role);
  const [replayed, setReplayed] = useState("");
  // What became of the records of before says nothing about those that came since.
  const [rejected, setRejected] = useState(source.rejected);
  if (rejected !== source.rejected) {
    setRejected(source.rejected);
    if (source.rejected > rejected) setReplayed("");
  }
  // Whoever looks at a source that sends has connected it. The first event must not fold what is being copied.
  const [unfolded] = useState(!source.last_received_at);
  return (
    <>
      {source.last_received_at ? (
        <SourceHealth slug={slug} source={source} clock={clock} />
      ) : (
        <section className={styles.part} aria-label="First event">
          <WaitingFor slug={slug} source={source.name} clock={clock} />
        </section>
      )}
      {source.rejected > 0 && (
        <Quarantine
          slug={slug}
          source={source}
          clock={clock}
          reads={canExport(role)}
          manages={manages}
          replayed={replayed}
          onReplayed={setReplayed}
        />
      )}
      {source.rejected === 0 && replayed && (
        <p role="status" className={settings.saved}>
          The quarantine is empty: {replayed}
        </p>
      )}
      <details className={styles.folded} open={unfolded}>
        <summary>
          <h3 className={settings.heading}>Connect it</h3>
        </summary>
        <SenderConfig kind={source.kind} workspace={slug} source={source.name} signed={source.has_secret} />
      </details>
      <section aria-labelledby="mapping">
        <h3 id="mapping" className={settings.heading}>
          Mapping
        </h3>
        <p className={settings.sub}>
          {source.has_own_mapping
            ? "This source has a mapping of its own."
            : "What it sends is read by the mapping of its kind."}{" "}
          <Link to="/w/$slug/settings/sources/$source/mapping" params={{ slug, source: source.name }}>
            {manages ? "Try and change it" : "Read it"}
          </Link>
        </p>
      </section>
      {manages && (
        <>
          <SourceKeys slug={slug} source={source} clock={clock} />
          <SourceSettings slug={slug} source={source} />
          <Remove slug={slug} name={source.name} />
        </>
      )}
    </>
  );
}

function Remove({ slug, name }: { slug: string; name: string }) {
  const [asking, setAsking] = useState(false);
  const queries = useQueryClient();
  const navigate = useNavigate();
  return (
    <div>
      <Button variant="danger" onPress={() => setAsking(true)}>
        Remove source
      </Button>
      {asking && (
        <ConfirmDialog
          title="Remove source"
          action="Remove"
          onConfirm={async () => {
            await removeSource(slug, name);
            await navigate({ to: "/w/$slug/settings/sources", params: { slug } });
            await queries.invalidateQueries({ queryKey: queryKeys.sources(slug) });
          }}
          onClose={() => setAsking(false)}
        >
          The keys of {name} stop working at once, and what it still sends is refused. Its events stay.
        </ConfirmDialog>
      )}
    </div>
  );
}
