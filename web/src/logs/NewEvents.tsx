import { Button } from "../ui/Button";
import { formatCount } from "../ui/time/format";
import { MOST_LIVE } from "./live-rows";
import styles from "./NewEvents.module.css";

interface NewEventsProps {
  live: { waiting: number; more: boolean };
  /** They are about to be loaded. */
  behind: boolean;
  onShow: () => void;
}

/** How many new events wait while somebody reads. It lies over the rows, so that they do not move. */
export function NewEvents({ live, behind, onShow }: NewEventsProps) {
  if (behind || (live.waiting === 0 && !live.more)) return null;
  return (
    <div className={styles.pill} role="status">
      <Button variant="primary" icon="arrowUp" onPress={onShow}>
        {live.more
          ? `More than ${formatCount(MOST_LIVE)} new events`
          : `${formatCount(live.waiting)} new ${live.waiting === 1 ? "event" : "events"}`}
      </Button>
    </div>
  );
}
