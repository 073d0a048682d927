import { useQueryClient } from "@tanstack/react-query";
import { apiKeysQuery, revokeApiKey } from "../../api/settings";
import type { ApiKey } from "../../api/types";
import { ConfirmDialog } from "./ConfirmDialog";

interface RevokeKeyDialogProps {
  slug: string;
  apiKey: ApiKey;
  /** What no longer works then. */
  children: React.ReactNode;
  onClose: () => void;
}

/** Asks before a key is revoked. */
export function RevokeKeyDialog({ slug, apiKey, children, onClose }: RevokeKeyDialogProps) {
  const queries = useQueryClient();
  return (
    <ConfirmDialog
      title="Revoke key"
      action="Revoke"
      onConfirm={async () => {
        await revokeApiKey(slug, apiKey.prefix);
        await queries.invalidateQueries({ queryKey: apiKeysQuery(slug).queryKey });
      }}
      onClose={onClose}
    >
      {children}
    </ConfirmDialog>
  );
}
