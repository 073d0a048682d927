import { useMutation, useQueryClient } from "@tanstack/react-query";
import { apiKeysQuery, createApiKey } from "../../../api/settings";

/** Makes another key of a source. The keys that it has go on working. */
export function useNewKey(slug: string, source: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => createApiKey(slug, { name: source, role: "writer", source, expires_at: null }),
    onSuccess: () => queries.invalidateQueries({ queryKey: apiKeysQuery(slug).queryKey }),
  });
}
