import { suggest } from "../api/suggest";
import type { PartSuggestions } from "./definition";

/** The paths in the metadata of the newest events, each with its newest value. */
export const metadataPaths: PartSuggestions = {
  key: "metadata",
  find: (workspace, q, signal) => suggest(workspace, "metadata", q, signal),
};
