import { cleanup, configure } from "@testing-library/react";
import { afterEach, vi } from "vitest";

// How long findBy and waitFor wait. The default of one second is too short for a slow machine.
configure({ asyncUtilTimeout: 60_000 });

afterEach(cleanup);

// jsdom has no layout and therefore no media queries: every test sees a wide, light screen.
vi.stubGlobal("matchMedia", (query: string) => ({
  matches: false,
  media: query,
  addEventListener: () => undefined,
  removeEventListener: () => undefined,
}));
