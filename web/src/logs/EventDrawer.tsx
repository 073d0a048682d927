import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useRef } from "react";
import { Tab, TabList, TabPanel, Tabs } from "react-aria-components/Tabs";
import { ApiError, describeError } from "../api/errors";
import { notesQuery } from "../api/notes";
import { queryKeys } from "../api/query-keys";
import type { LogEvent, LogName } from "../api/types";
import { buttonClass, IconButton } from "../ui/Button";
import { CodeBlock } from "../ui/CodeBlock";
import { CopyButton } from "../ui/CopyButton";
import { Drawer } from "../ui/Drawer";
import { ErrorNotice } from "../ui/ErrorNotice";
import { Icon } from "../ui/Icon";
import { Notice } from "../ui/Notice";
import { SkeletonLine } from "../ui/Skeleton";
import { formatExact, formatRelative, formatUtc } from "../ui/time/format";
import { useNow } from "../ui/use-now";
import { Changes } from "./Changes";
import { useLog } from "./context";
import type { LogDefinition } from "./definition";
import styles from "./EventDrawer.module.css";
import { EventMenu } from "./EventMenu";
import { Metadata } from "./Metadata";
import { Notes } from "./Notes";
import { LOG_PATHS } from "./paths";
import { recordLink } from "./record-link";

interface EventDrawerProps<L extends LogName, E extends LogEvent, M> {
  log: LogDefinition<L, E, M>;
  id: string;
  /** The event, if the list has loaded it. Otherwise the drawer loads it by its ID. */
  event: E | undefined;
  modal: boolean;
  returnTo: () => HTMLElement | null;
  onClose: () => void;
  onPrevious: (() => void) | undefined;
  onNext: (() => void) | undefined;
}

export function EventDrawer<L extends LogName, E extends LogEvent, M>(props: EventDrawerProps<L, E, M>) {
  const { log, id, event, modal, returnTo, onClose, onPrevious, onNext } = props;
  const { workspace } = useLog();
  const query = useQuery({
    queryKey: queryKeys.logEvent(workspace, log.name, id),
    queryFn: ({ signal }) => log.api.get(workspace, id, signal),
    enabled: event === undefined,
    // An event never changes.
    staleTime: Infinity,
  });
  const shown = event ?? query.data;
  return (
    <Drawer label="Event details" modal={modal} returnTo={returnTo} onClose={onClose}>
      <div className={styles.bar}>
        <span className={styles.kind}>{log.title}</span>
        {shown && <EventMenu log={log.name} event={shown} headline={log.headline(shown)} />}
        <IconButton
          icon="chevronUp"
          label="Previous event"
          isDisabled={!onPrevious}
          {...(onPrevious && { onPress: onPrevious })}
        />
        <IconButton
          icon="chevronDown"
          label="Next event"
          isDisabled={!onNext}
          {...(onNext && { onPress: onNext })}
        />
        <IconButton icon="close" label="Close" onPress={onClose} />
      </div>
      {shown ? (
        <EventBody log={log} event={shown} />
      ) : query.error ? (
        query.error instanceof ApiError && query.error.status === 404 ? (
          <Notice icon="inbox" title="Event not found">
            <p>
              The {log.title.toLowerCase()} of this workspace has no such event, or the link is incomplete.
            </p>
          </Notice>
        ) : (
          <ErrorNotice {...describeError(query.error)} onRetry={() => void query.refetch()} />
        )
      ) : (
        <div className={styles.skeleton} aria-label="Loading">
          {[220, 160, 380, 340, 360, 300].map((width) => (
            <SkeletonLine key={width} width={width} />
          ))}
        </div>
      )}
    </Drawer>
  );
}

function EventBody<L extends LogName, E extends LogEvent, M>({
  log,
  event,
}: {
  log: LogDefinition<L, E, M>;
  event: E;
}) {
  const { workspace, clock } = useLog();
  const now = useNow();
  const instant = Date.parse(event.occurred_at);
  const json = JSON.stringify(event, null, 2);
  const { data: known = [] } = useQuery(notesQuery(workspace, event.id));
  const notes = useRef<HTMLElement>(null);
  return (
    <>
      <div className={styles.head}>
        <h2 className={styles.title}>{log.headline(event)}</h2>
        <p className={styles.when}>
          <time dateTime={event.occurred_at} data-instant={instant}>
            {formatExact(instant, clock)}
          </time>{" "}
          <span>· {formatRelative(instant, now)}</span>
          {known.length > 0 && (
            <>
              {" · "}
              <button
                type="button"
                className={styles.toNotes}
                onClick={() => notes.current?.scrollIntoView({ block: "nearest" })}
              >
                {known.length === 1 ? "1 note" : `${known.length} notes`}
              </button>
            </>
          )}
        </p>
      </div>
      <Tabs className={styles.root ?? ""}>
        <TabList className={styles.tabs ?? ""} aria-label="Event view">
          <Tab id="details" className={styles.tab ?? ""}>
            Details
          </Tab>
          <Tab id="json" className={styles.tab ?? ""}>
            Raw JSON
          </Tab>
        </TabList>
        <TabPanel id="details" className={styles.panel ?? ""}>
          <Details log={log} event={event} notes={notes} />
        </TabPanel>
        <TabPanel id="json" className={styles.panel ?? ""}>
          <CodeBlock text={json} label="raw JSON" json />
        </TabPanel>
      </Tabs>
    </>
  );
}

function Details<L extends LogName, E extends LogEvent, M>({
  log,
  event,
  notes,
}: {
  log: LogDefinition<L, E, M>;
  event: E;
  notes: React.RefObject<HTMLElement | null>;
}) {
  const { workspace, clock } = useLog();
  const changes = log.changes?.(event);
  const related = log.related(event);
  const hasMetadata = Object.keys(event.metadata).length > 0;
  return (
    <>
      {changes && changes.list.length > 0 && (
        <section className={styles.section}>
          <h3>
            {changes.kind === "update"
              ? "Changes"
              : changes.kind === "create"
                ? "Initial values"
                : "Last values"}
          </h3>
          <Changes
            list={changes.list}
            kind={changes.kind}
            masked={event.masked}
            {...(changes.fieldParam && { fieldParam: changes.fieldParam })}
          />
        </section>
      )}
      <section className={styles.section}>
        <h3>Event</h3>
        <dl className={styles.fields}>
          {log.fields
            .filter(({ when }) => when?.(event) ?? true)
            .map((field) => (
              <Row key={field.label} label={field.label}>
                {field.value(event)}
              </Row>
            ))}
          <Row label="Occurred (UTC)">{formatUtc(Date.parse(event.occurred_at))}</Row>
          <Row label="Received">
            <time dateTime={event.received_at} data-instant={Date.parse(event.received_at)}>
              {formatExact(Date.parse(event.received_at), clock)}
            </time>
          </Row>
          <Row label="Event ID">
            <span className={styles.id}>
              <code>{event.id}</code>
              <CopyButton text={event.id} label="Copy event ID" />
            </span>
          </Row>
          <Row label="Sequence number">{String(event.seq)}</Row>
        </dl>
      </section>
      {hasMetadata && (
        <section className={styles.section}>
          <h3>Metadata</h3>
          <Metadata metadata={event.metadata} masked={event.masked} />
        </section>
      )}
      <section ref={notes} className={styles.section} aria-label="Notes">
        <h3>Notes</h3>
        <Notes key={event.id} event={event.id} />
      </section>
      <Together event={event} />
      {related.length > 0 && (
        <nav className={styles.section} aria-label="Related events">
          <h3>Related events</h3>
          <div className={styles.links}>
            {related.map((link) => (
              <Link
                key={link.label}
                className={buttonClass({ small: true })}
                to={LOG_PATHS[link.log]}
                params={{ slug: workspace }}
                search={link.search}
              >
                {link.label}
                <Icon name="arrowRight" size={12} />
              </Link>
            ))}
          </div>
        </nav>
      )}
    </>
  );
}

/** Leads to the timeline, where the logs are together. */
function Together({ event }: { event: LogEvent }) {
  const { workspace } = useLog();
  const { session_id, correlation_id, ip_address } = event;
  const actor = "user" in event ? event.user : event.actor;
  const links: [string, Record<string, string | number>][] = [];
  if (session_id) links.push(["Everything in this session", { session_id }]);
  if (correlation_id) links.push(["Same correlation ID", { correlation_id }]);
  if (actor?.id)
    links.push([`Everything by ${actor.name ?? actor.id}`, { actor: `${actor.type}:${actor.id}` }]);
  if (ip_address) links.push([`Everything from ${ip_address}`, { ip_address }]);
  const record = "model" in event ? { model: event.model, id: event.record_id } : null;
  links.push(["5 minutes before and after", { around: event.id, minutes: 5 }]);
  return (
    <nav className={styles.section} aria-label="Timeline">
      <h3>In all logs</h3>
      <div className={styles.links}>
        {record && (
          <Link className={buttonClass({ small: true })} {...recordLink(workspace, record)}>
            This record through time
            <Icon name="arrowRight" size={12} />
          </Link>
        )}
        {session_id && (
          <Link
            className={buttonClass({ small: true })}
            to="/w/$slug/sessions"
            params={{ slug: workspace }}
            search={{ session_id }}
          >
            Session
            <Icon name="arrowRight" size={12} />
          </Link>
        )}
        {links.map(([label, search]) => (
          <Link
            key={label}
            className={buttonClass({ small: true })}
            to="/w/$slug/timeline"
            params={{ slug: workspace }}
            search={search}
          >
            {label}
            <Icon name="arrowRight" size={12} />
          </Link>
        ))}
      </div>
    </nav>
  );
}

function Row({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </>
  );
}
