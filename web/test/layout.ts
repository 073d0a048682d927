import { vi } from "vitest";

/** jsdom has no layout, and nothing that tells of it. */
export function stubResizeObserver() {
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe() {}
      unobserve() {}
      disconnect() {}
    },
  );
}
