import type { components, paths } from "./schema";

// The only file that uses the names of the generated schema. The rest of the app imports these types.
type Schemas = components["schemas"];

export type User = Schemas["User"];
export type Session = Schemas["Session"];
export type Me = Schemas["Me"];
export type NewSecondFactor = Schemas["NewSecondFactor"];
export type Workspace = Schemas["Workspace"];
export type NewWorkspace = Schemas["NewWorkspace"];
export type WorkspaceChanges = Schemas["WorkspaceChanges"];
export type Masking = Schemas["Masking"];
export type MaskedTrial = Schemas["MaskedTrial"];
export type Member = Schemas["Member"];
export type ProviderRole = Schemas["ProviderRole"];
export type NewMember = Schemas["NewMember"];
export type Invitation = Schemas["Invitation"];
export type SentInvitation = Schemas["SentInvitation"];
export type MyInvitation = Schemas["MyInvitation"];
export type ActiveSession = Schemas["ActiveSession"];
export type Account = Schemas["Account"];
export type AccountChange = Schemas["AccountChange"];
export type ApiKey = Schemas["ApiKey"];
export type Source = Schemas["Source"];
export type SourceKind = Source["kind"];
export type NewSource = Schemas["NewSource"];
export type SourceChanges = Schemas["SourceChanges"];
export type CreatedSource = Schemas["CreatedSource"];
export type SourceMapping = Schemas["SourceMapping"];
export type MappingResult = Schemas["MappingResult"];
export type RejectedRecord = Schemas["RejectedRecord"];
export type NewApiKey = Schemas["NewApiKey"];
export type CreatedApiKey = Schemas["CreatedApiKey"];
export type Role = NewMember["role"];
export type Actor = Schemas["Actor"];
export type Target = Schemas["Target"];
export type Change = Schemas["Change"];
export type AccessEvent = Schemas["AccessEvent"];
export type ApplicationEvent = Schemas["ApplicationEvent"];
export type FrameworkEvent = Schemas["FrameworkEvent"];
export type ActivityEvent = Schemas["ActivityEvent"];
export type AccessMetrics = Schemas["AccessMetrics"];
export type ApplicationMetrics = Schemas["ApplicationMetrics"];
export type FrameworkMetrics = Schemas["FrameworkMetrics"];
export type ActivityMetrics = Schemas["ActivityMetrics"];
export type Facets = Schemas["Facets"];
export type Facet = Schemas["Facet"];
export type Histogram = Schemas["Histogram"];
export type Bucket = Schemas["Bucket"];
export type NewView = Schemas["NewView"];
export type SavedView = Schemas["SavedView"];
export type Suggestion = Schemas["Suggestion"];
export type SuggestField = QueryOf<paths["/api/v1/workspaces/{workspace}/suggest"]["get"]>["field"];
export type TopValues = Schemas["Top"];
export type Group = Schemas["Group"];
export type Groups = Schemas["Groups"];
export type UserSession = Schemas["UserSession"];
export type Note = Schemas["Note"];
export type BackgroundExport = Schemas["BackgroundExport"];
export type RecordVersion = Schemas["RecordVersion"];
export type RecordBlame = Schemas["RecordBlame"];
export type BlamedField = Schemas["BlamedField"];
export type RecordChange = Schemas["RecordChange"];
export type RecordGap = Schemas["RecordGap"];
export type RecordRestore = Schemas["RecordRestore"];
export type Problem = Schemas["Problem"];

export type FeedEvent = Schemas["FeedEvent"];
export type TimelineQuery = QueryOf<paths["/api/v1/workspaces/{workspace}/timeline"]["get"]>;

export type UserSessionQuery = Omit<
  QueryOf<paths["/api/v1/workspaces/{workspace}/sessions"]["get"]>,
  "cursor" | "limit"
>;

export type LogEvent = AccessEvent | ApplicationEvent | FrameworkEvent | ActivityEvent;
export type LogName = "access" | "application" | "framework" | "activity";

type ListPath<L extends LogName> = paths[`/api/v1/workspaces/{workspace}/logs/${L}`]["get"];
type QueryOf<Operation> = Operation extends { parameters: { query?: infer Q } } ? NonNullable<Q> : never;

/** Parameters of the list alone. All others are filters, which the counts accept too. */
type Paging = "cursor" | "limit" | "order";

/** `metadata` stands for parameters whose names are paths, which the client sends as they are. */
export type ListQuery<L extends LogName> = Omit<QueryOf<ListPath<L>>, "metadata">;
export type FilterQuery<L extends LogName> = Omit<ListQuery<L>, Paging>;

export interface Page<E> {
  data: E[];
  next_cursor?: string | null;
  has_more: boolean;
}
