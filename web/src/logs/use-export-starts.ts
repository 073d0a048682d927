import { useMutation, useMutationState, useQueryClient } from "@tanstack/react-query";
import { type Exportable, startExport } from "../api/export";
import { queryKeys } from "../api/query-keys";

/** An export in the background that was asked for. */
export interface ExportStart {
  id: number;
  what: Exportable;
  /** `error`: the server refused it. */
  status: "idle" | "pending" | "success" | "error";
  error: Error | null;
}

/**
 * The exports in the background that were asked for here. Several may be asked for at once, and the page may change
 * meanwhile, so each is kept until it is forgotten: a refusal must be seen.
 */
export function useExportStarts(workspace: string) {
  const queries = useQueryClient();
  const mutationKey = queryKeys.exportStarts(workspace);
  const starts = useMutationState({
    filters: { mutationKey, exact: true },
    select: ({ mutationId, state }): ExportStart => ({
      id: mutationId,
      what: state.variables as Exportable,
      status: state.status,
      error: state.error,
    }),
  });
  const { mutate: begin } = useMutation({
    mutationKey,
    mutationFn: (what: Exportable) => startExport(workspace, what),
    gcTime: Infinity,
    // It is pending until the list has it.
    onSuccess: () => queries.invalidateQueries({ queryKey: queryKeys.exports(workspace) }),
  });
  const forget = (...ids: number[]) => {
    const cache = queries.getMutationCache();
    for (const mutation of cache.findAll({ mutationKey, exact: true })) {
      if (ids.includes(mutation.mutationId)) cache.remove(mutation);
    }
  };
  const again = ({ id, what }: ExportStart) => {
    forget(id);
    begin(what);
  };
  return { starts, begin, forget, again };
}
