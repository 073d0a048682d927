import { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  type ParsedLocation,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { ApiError } from "../api/errors";
import { canManage, canRead, canReadActivity } from "../api/roles";
import { restoreSession } from "../api/session";
import { meQuery, workspaceQuery } from "../api/workspaces";
import { PRESETS, type Preset } from "../logs/range";
import { readRecordSearch } from "../logs/record-link";
import { readSearch } from "../logs/search";
import { AppShell } from "./AppShell";
import { AppPending, NotFound, RouteError, RoutePending } from "./Fallbacks";
import { Home } from "./Home";
import { LOG_FILTERS } from "./log-filters";
import { parseSearch, stringifySearch } from "./query-string";
import { SignIn } from "./SignIn";
import { readSessionSearch } from "./sessions/session-search";
import { readTimelineSearch } from "./timeline/timeline-search";
import { WorkspacePage } from "./WorkspacePage";

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      retry: (failures, error) => failures < 2 && error instanceof ApiError && error.retryable,
      retryDelay: (attempt) => 400 * 2 ** attempt,
    },
  },
});

const rootRoute = createRootRouteWithContext<{ queries: QueryClient }>()({ component: Outlet });

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "sign-in",
  validateSearch: (raw: Record<string, unknown>): { next?: string; expired?: boolean; failed?: string } => ({
    // Only a path of this site: a crafted link must not lead to another site after sign-in.
    ...(typeof raw.next === "string" && /^\/(?![/\\])/.test(raw.next) && { next: raw.next }),
    ...(String(raw.expired) === "true" && { expired: true }),
    ...(typeof raw.failed === "string" && { failed: raw.failed }),
  }),
  component: SignIn,
});

const appRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "app",
  beforeLoad: async ({ location }) => {
    if (!(await restoreSession())) {
      throw redirect({ to: "/sign-in", search: location.href === "/" ? {} : { next: location.href } });
    }
  },
  loader: ({ context }) => context.queries.ensureQueryData(meQuery),
  component: AppShell,
  pendingComponent: AppPending,
});

const homeRoute = createRoute({ getParentRoute: () => appRoute, path: "/", component: Home });

const newWorkspaceRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "workspaces/new",
  component: lazyRouteComponent(() => import("./NewWorkspace"), "NewWorkspace"),
});

const sessionsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "account/sessions",
  component: lazyRouteComponent(() => import("./account/Sessions"), "Sessions"),
});

const secondFactorRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "account/second-factor",
  component: lazyRouteComponent(() => import("./account/SecondFactor"), "SecondFactor"),
});

const usersRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "users",
  component: lazyRouteComponent(() => import("./users/Users"), "Users"),
});

const workspaceRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "w/$slug",
  loader: ({ context, params }) => context.queries.ensureQueryData(workspaceQuery(params.slug)),
  component: WorkspacePage,
});

const overviewRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "/",
  validateSearch: (raw: Record<string, unknown>): { range?: Preset | "all" } =>
    typeof raw.range === "string" && (raw.range === "all" || raw.range in PRESETS)
      ? { range: raw.range as Preset | "all" }
      : {},
  // Whether there is anything to show is asked while the page's code is on its way.
  loader: ({ context, params, preload }) => {
    if (preload) return;
    const parts = [
      context.queries.ensureQueryData(workspaceQuery(params.slug)),
      import("../api/sources"),
    ] as const;
    void Promise.all(parts).then(
      ([{ role }, { hasEventsQuery }]) => {
        if (canRead(role)) void context.queries.prefetchQuery(hasEventsQuery(params.slug));
      },
      // The page shows what went wrong.
      () => undefined,
    );
  },
  component: lazyRouteComponent(() => import("./Overview"), "Overview"),
});

/** What a log's page shows is asked for while its code is on its way, as soon as it is known that it may be read. */
function askFor<N extends keyof typeof LOGS>(name: N) {
  return ({ context, params, location, preload }: LogLoader) => {
    if (preload) return;
    const search = readSearch(location.search, LOG_FILTERS[name]);
    const entry = location.state.__TSR_key ?? "";
    const parts = [
      context.queries.ensureQueryData(workspaceQuery(params.slug)),
      LOGS[name](),
      import("../logs/use-log-data"),
    ] as const;
    void Promise.all(parts).then(
      ([{ role }, log, { askAhead }]) => {
        if (canRead(role)) askAhead(context.queries, log as never, params.slug, search, entry);
      },
      // The page shows what went wrong.
      () => undefined,
    );
  };
}

interface LogLoader {
  context: { queries: QueryClient };
  params: { slug: string };
  location: ParsedLocation;
  preload: boolean;
}

const LOGS = {
  access: () => import("../access/log").then(({ accessLog }) => accessLog),
  application: () => import("../application/log").then(({ applicationLog }) => applicationLog),
  framework: () => import("../framework/log").then(({ frameworkLog }) => frameworkLog),
};

const accessRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "access",
  validateSearch: (raw: Record<string, unknown>) => readSearch(raw, LOG_FILTERS.access),
  loader: askFor("access"),
  component: lazyRouteComponent(() => import("./AccessPage"), "AccessPage"),
});

const applicationRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "application",
  validateSearch: (raw: Record<string, unknown>) => readSearch(raw, LOG_FILTERS.application),
  loader: askFor("application"),
  component: lazyRouteComponent(() => import("./ApplicationPage"), "ApplicationPage"),
});

const frameworkRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "framework",
  validateSearch: (raw: Record<string, unknown>) => readSearch(raw, LOG_FILTERS.framework),
  loader: askFor("framework"),
  component: lazyRouteComponent(() => import("./FrameworkPage"), "FrameworkPage"),
});

const timelineRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "timeline",
  validateSearch: readTimelineSearch,
  component: lazyRouteComponent(() => import("./timeline/TimelinePage"), "TimelinePage"),
});

const workspaceSessionsRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "sessions",
  validateSearch: readSessionSearch,
  component: lazyRouteComponent(() => import("./sessions/SessionsPage"), "SessionsPage"),
});

const exportsRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "exports",
  component: lazyRouteComponent(() => import("./exports/ExportsPage"), "ExportsPage"),
});

const recordRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "records/$model/$recordId",
  validateSearch: readRecordSearch,
  component: lazyRouteComponent(() => import("./records/RecordPage"), "RecordPage"),
});

const settingsRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "settings",
  component: lazyRouteComponent(() => import("./settings/Settings"), "Settings"),
});

const settingsStartRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/",
  beforeLoad: async ({ context, params }) => {
    const { role } = await context.queries.ensureQueryData(workspaceQuery(params.slug));
    const to = canManage(role)
      ? "/w/$slug/settings/members"
      : canReadActivity(role)
        ? "/w/$slug/settings/activity"
        : "/w/$slug/settings/masking";
    throw redirect({ to, params, replace: true });
  },
});

const membersRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "members",
  component: lazyRouteComponent(() => import("./settings/Members"), "Members"),
});

const keysRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "keys",
  component: lazyRouteComponent(() => import("./settings/Keys"), "Keys"),
});

const sourcesRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "sources",
  component: lazyRouteComponent(() => import("./settings/sources/SourcesPage"), "SourcesPage"),
});

const sourceRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "sources/$source",
  component: lazyRouteComponent(() => import("./settings/sources/SourcePage"), "SourcePage"),
});

const sourceMappingRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "sources/$source/mapping",
  validateSearch: (raw: Record<string, unknown>): { rejected?: number } => {
    const rejected = Number(raw.rejected);
    return Number.isSafeInteger(rejected) && rejected > 0 ? { rejected } : {};
  },
  component: lazyRouteComponent(() => import("./settings/sources/MappingPage"), "MappingPage"),
});

const generalRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "general",
  component: lazyRouteComponent(() => import("./settings/General"), "General"),
});

const maskingRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "masking",
  component: lazyRouteComponent(() => import("./settings/MaskingPage"), "MaskingPage"),
});

const activityRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "activity",
  validateSearch: (raw: Record<string, unknown>) => readSearch(raw, LOG_FILTERS.activity),
  component: lazyRouteComponent(() => import("./settings/Activity"), "Activity"),
});

const routeTree = rootRoute.addChildren([
  signInRoute,
  appRoute.addChildren([
    homeRoute,
    newWorkspaceRoute,
    sessionsRoute,
    secondFactorRoute,
    usersRoute,
    workspaceRoute.addChildren([
      overviewRoute,
      accessRoute,
      applicationRoute,
      frameworkRoute,
      timelineRoute,
      workspaceSessionsRoute,
      exportsRoute,
      recordRoute,
      settingsRoute.addChildren([
        settingsStartRoute,
        membersRoute,
        keysRoute,
        sourcesRoute,
        sourceRoute,
        sourceMappingRoute,
        maskingRoute,
        generalRoute,
        activityRoute,
      ]),
    ]),
  ]),
]);

export const router = createRouter({
  routeTree,
  context: { queries: queryClient },
  parseSearch,
  stringifySearch,
  // Another workspace, source or record begins anew: nothing that was selected or written for one is shown with another.
  defaultRemountDeps: ({ params }) => params,
  defaultPreload: "intent",
  defaultPreloadStaleTime: 0,
  defaultPendingComponent: RoutePending,
  // Skeletons are shown at once, and no longer than loading takes.
  defaultPendingMs: 0,
  defaultPendingMinMs: 0,
  defaultErrorComponent: RouteError,
  defaultNotFoundComponent: NotFound,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
