import { Button, IconButton } from "../ui/Button";
import type { Clock } from "../ui/time/format";
import { LiveToggle } from "./LiveToggle";
import { type RangeChoice, RangePicker } from "./RangePicker";
import { filtersOf, type LogSearch } from "./search";
import { SearchBox } from "./SearchBox";
import styles from "./Toolbar.module.css";

interface ToolbarProps {
  search: LogSearch;
  clock: Clock;
  live: boolean;
  /** The range reaches to now. */
  canFollow: boolean;
  narrow: boolean;
  panelOpen: boolean;
  onText: (text: string) => void;
  onRange: (choice: RangeChoice) => void;
  onLive: (live: boolean) => void;
  onRefresh: () => void;
  onPanel: () => void;
  /** Controls of how the list is shown. */
  view: React.ReactNode;
  share: React.ReactNode;
  actions: React.ReactNode;
}

export function Toolbar(props: ToolbarProps) {
  const {
    search,
    clock,
    live,
    canFollow,
    narrow,
    panelOpen,
    onText,
    onRange,
    onLive,
    onRefresh,
    onPanel,
    view,
    share,
    actions,
  } = props;
  const count = Object.values(filtersOf(search)).flat().length;
  return (
    <div className={styles.toolbar}>
      {!narrow && (
        <IconButton
          variant="secondary"
          icon="panel"
          label={panelOpen ? "Hide filters" : "Show filters"}
          aria-expanded={panelOpen}
          onPress={onPanel}
        />
      )}
      <SearchBox value={search.q ?? ""} onChange={onText} />
      <div className={styles.tools}>
        <RangePicker
          value={{
            ...(search.range && { range: search.range }),
            ...(search.since && { since: search.since }),
            ...(search.until && { until: search.until }),
          }}
          clock={clock}
          onChange={onRange}
        />
        {narrow && (
          <Button icon="filter" onPress={onPanel}>
            <span className="visually-hidden">Filters</span>
            {count > 0 && ` (${count})`}
          </Button>
        )}
        <LiveToggle live={live} canFollow={canFollow} brief={narrow} onLive={onLive} />
        {view}
        {actions}
        {share}
        <IconButton variant="secondary" icon="refresh" label="Refresh" onPress={onRefresh} />
      </div>
    </div>
  );
}
