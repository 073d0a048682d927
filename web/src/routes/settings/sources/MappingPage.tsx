import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { ApiError, describeError } from "../../../api/errors";
import { queryKeys } from "../../../api/query-keys";
import { canManage } from "../../../api/roles";
import { mappingQuery, previewMapping, rejectedRecordQuery, saveMapping } from "../../../api/sources";
import type { MappingResult, SourceMapping } from "../../../api/types";
import { Button } from "../../../ui/Button";
import { CodeBlock } from "../../../ui/CodeBlock";
import { ErrorNotice } from "../../../ui/ErrorNotice";
import { SkeletonLine } from "../../../ui/Skeleton";
import { Status } from "../../../ui/Status";
import { formatCount } from "../../../ui/time/format";
import masking from "../masking.module.css";
import settings from "../settings.module.css";
import { useSettings } from "../use-settings";
import { SentRecord } from "./SentRecord";
import styles from "./sources.module.css";
import { Trail } from "./Trail";

/** How long typing pauses before what it becomes is asked for, in milliseconds. */
const PAUSE = 400;

/** Elements of a sample that are shown: a short one may have thousands. */
const MOST_RESULTS = 50;

/** How what a source sends becomes an event, and a place to try it. */
export function MappingPage() {
  const { source } = useParams({ from: "/app/w/$slug/settings/sources/$source/mapping" });
  const { slug, workspace } = useSettings(`Mapping of ${source}`);
  const mapping = useQuery(mappingQuery(slug, source));
  const manages = canManage(workspace.role);
  return (
    <section className={styles.page} aria-labelledby="mapping">
      <div>
        <Trail slug={slug} source={source} />
        <h2 id="mapping" className={styles.title}>
          Mapping
        </h2>
        <p className={settings.lead}>
          An expression for each field of an event, in CEL. <code>event</code> is what was sent. Of several,
          the first that gives something counts.
        </p>
      </div>
      {mapping.error ? (
        <ErrorNotice {...describeError(mapping.error)} onRetry={() => void mapping.refetch()} />
      ) : !mapping.data ? (
        <SkeletonLine width="60%" />
      ) : manages ? (
        <Editor slug={slug} source={source} stored={mapping.data} />
      ) : (
        <CodeBlock text={mapping.data.mapping} label="mapping" />
      )}
    </section>
  );
}

interface EditorProps {
  slug: string;
  source: string;
  stored: SourceMapping;
}

function Editor({ slug, source, stored }: EditorProps) {
  const { rejected } = useSearch({ from: "/app/w/$slug/settings/sources/$source/mapping" });
  const queries = useQueryClient();
  const [edited, setEdited] = useState<string | null>(null);
  const [sample, setSample] = useState("");
  const draft = edited ?? stored.mapping;
  const save = useMutation({
    mutationFn: (mapping: string | null) => saveMapping(slug, source, mapping),
    onSuccess: async (saved) => {
      queries.setQueryData(queryKeys.sourceMapping(slug, source), saved);
      setEdited(null);
      await queries.invalidateQueries({ queryKey: queryKeys.source(slug, source) });
    },
  });
  const isChanged = draft !== stored.mapping;
  return (
    <>
      <div className={styles.parts}>
        <textarea
          className={masking.text}
          aria-label="Mapping"
          rows={18}
          spellCheck={false}
          value={draft}
          onChange={(event) => {
            setEdited(event.target.value);
            save.reset();
          }}
        />
        <Errors error={save.error} />
        <div className={settings.save}>
          <Button
            variant="primary"
            isDisabled={save.isPending || !isChanged}
            onPress={() => save.mutate(draft)}
          >
            {save.isPending ? "Saving…" : "Save"}
          </Button>
          {(!stored.is_default || isChanged) && (
            <Button
              variant="plain"
              onPress={() => {
                if (stored.is_default) setEdited(null);
                else save.mutate(null);
              }}
            >
              Back to that of its kind
            </Button>
          )}
          <span role="status" className={save.isSuccess ? settings.saved : settings.sub}>
            {save.isSuccess ? "Saved" : isChanged && !save.isPending ? "Not saved yet" : ""}
          </span>
        </div>
      </div>
      <section className={styles.parts} aria-labelledby="try">
        <h3 id="try" className={settings.heading}>
          Try it
        </h3>
        <p className={settings.sub}>
          {rejected === undefined
            ? "Paste what the source sends. Nothing of it is stored, and the mapping need not be saved."
            : `Record ${rejected} of the quarantine. Nothing is stored, and the mapping need not be saved.`}{" "}
          {rejected !== undefined && (
            <Link to="/w/$slug/settings/sources/$source/mapping" params={{ slug, source }}>
              Try a sample instead
            </Link>
          )}
        </p>
        {rejected === undefined && (
          <textarea
            className={masking.text}
            aria-label="Sample"
            rows={6}
            spellCheck={false}
            placeholder='{"time": 1764000000, "event": {"action": "login"}}'
            value={sample}
            onChange={(event) => setSample(event.target.value)}
          />
        )}
        {rejected !== undefined && <Tried slug={slug} source={source} id={rejected} />}
        <Preview slug={slug} source={source} mapping={draft} sample={sample} rejected={rejected} />
      </section>
    </>
  );
}

/** The record that is tried, to be read beside the mapping. */
function Tried({ slug, source, id }: { slug: string; source: string; id: number }) {
  const { data: record } = useQuery(rejectedRecordQuery(slug, source, id));
  return record ? <SentRecord source={source} record={record} unfolded /> : null;
}

interface PreviewProps {
  slug: string;
  source: string;
  mapping: string;
  sample: string;
  rejected: number | undefined;
}

/** What the sample becomes, soon after it or the mapping was changed. */
function Preview({ slug, source, mapping, sample, rejected }: PreviewProps) {
  const [asked, setAsked] = useState({ mapping, sample });
  useEffect(() => {
    const timer = setTimeout(() => setAsked({ mapping, sample }), PAUSE);
    return () => clearTimeout(timer);
  }, [mapping, sample]);
  const preview = useQuery({
    queryKey: queryKeys.mappingPreview(slug, source, asked, rejected),
    queryFn: () =>
      previewMapping(slug, source, {
        mapping: asked.mapping,
        ...(rejected === undefined ? { sample: asked.sample } : { rejected }),
      }),
    enabled: rejected !== undefined || asked.sample.trim() !== "",
    retry: false,
    placeholderData: (before) => before,
  });
  if (preview.error) return <Errors error={preview.error} />;
  if (!preview.data) return null;
  const { results } = preview.data;
  return (
    <div className={styles.parts} role="region" aria-label="What it becomes" aria-live="polite">
      {results.length === 0 && <p className={settings.none}>There is nothing in it.</p>}
      {results.slice(0, MOST_RESULTS).map((result, index) => (
        <Result key={index} result={result} />
      ))}
      {results.length > MOST_RESULTS && (
        <p className={settings.sub}>
          These are the first {MOST_RESULTS} of {formatCount(results.length)} elements.
        </p>
      )}
    </div>
  );
}

function Result({ result: { event, skipped, errors } }: { result: MappingResult }) {
  if (event) {
    // What is absent says nothing here.
    const given = Object.fromEntries(
      Object.entries(event).filter(
        ([name, value]) => value !== null && !["id", "seq", "received_at"].includes(name),
      ),
    );
    return <CodeBlock text={JSON.stringify(given, null, 2)} label="event" json />;
  }
  if (skipped) {
    return (
      <Status tone="neutral" shape="minus">
        The mapping says that it is no event
      </Status>
    );
  }
  return (
    <ul className={styles.wrong} aria-label="Why it goes into quarantine">
      {errors.map(({ pointer, detail }) => (
        <li key={`${pointer ?? ""} ${detail}`}>
          {pointer && <code>{pointer.slice(1).replaceAll("/", ".")}:</code>} {detail}
        </li>
      ))}
    </ul>
  );
}

function Errors({ error }: { error: Error | null }) {
  if (!error) return null;
  const fields = error instanceof ApiError ? (error.problem?.errors ?? []) : [];
  return (
    <ul className={masking.errors} role="alert">
      {fields.length === 0 && <li>{error.message}</li>}
      {fields.map(({ pointer, detail }) => (
        <li key={`${pointer ?? ""} ${detail}`}>
          <code>{pointer?.replace(/^\/mapping\/?/, "").replaceAll("/", ".")}</code> {detail}
        </li>
      ))}
    </ul>
  );
}
