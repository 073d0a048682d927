import type { Source } from "../../../api/types";
import { Status } from "../../../ui/Status";
import { PROBLEM_NAMES } from "./problems";

/** How a source is, in a word. */
export function SourceState({ source }: { source: Source }) {
  const [first, ...others] = source.problems;
  if (first !== undefined) {
    return (
      <Status tone="bad" shape="cross">
        {PROBLEM_NAMES[first]}
        {others.length > 0 && ` +${others.length}`}
      </Status>
    );
  }
  return source.last_received_at ? (
    <Status tone="good" shape="disc">
      Healthy
    </Status>
  ) : (
    <Status tone="neutral" shape="dot">
      Waiting
    </Status>
  );
}
