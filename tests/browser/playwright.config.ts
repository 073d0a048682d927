import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: ".",
  outputDir: "results/failures",
  fullyParallel: true,
  workers: 2,
  forbidOnly: Boolean(process.env.CI),
  // A test that passes only when it is retried hides an error.
  retries: 0,
  // The limits only end what hangs: a test waits for a state, and a slow machine needs longer for it.
  timeout: 300_000,
  expect: { timeout: 60_000 },
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    actionTimeout: 60_000,
    navigationTimeout: 60_000,
    viewport: { width: 1440, height: 900 },
    locale: "en-GB",
    // Neither UTC nor the zone of a workspace: the pages must not depend on the browser's zone.
    timezoneId: "America/New_York",
    permissions: ["clipboard-read", "clipboard-write"],
    reducedMotion: "reduce",
    // Traces double the time of the tests, and each failure comes with a text snapshot of the page anyway.
    trace: process.env.TRACE ? "retain-on-failure" : "off",
    launchOptions: {
      // The browser of the system. Nothing is downloaded.
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
