import { useSuspenseQuery } from "@tanstack/react-query";
import type { Me } from "../api/types";
import { meQuery } from "../api/workspaces";

/** Who is signed in. The route of all pages has loaded it. */
export function useMe(): Me {
  return useSuspenseQuery(meQuery).data;
}
