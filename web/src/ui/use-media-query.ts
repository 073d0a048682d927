import { useSyncExternalStore } from "react";

/** On a narrow screen, the filters become a sheet, rows become cards and the drawer fills the screen. */
export const NARROW = "(max-width: 760px)";
/** The drawer does not fit beside the list and covers the page. */
export const NO_ROOM_BESIDE = "(max-width: 1179px)";
/** There may be no keyboard, so what is done with keys needs another way. */
export const TOUCH = "(any-pointer: coarse)";

export function useMediaQuery(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const media = matchMedia(query);
      media.addEventListener("change", listener);
      return () => media.removeEventListener("change", listener);
    },
    () => matchMedia(query).matches,
  );
}
