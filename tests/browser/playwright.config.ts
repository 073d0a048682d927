import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: ".",
  outputDir: "results/failures",
  fullyParallel: true,
  workers: 2,
  forbidOnly: Boolean(process.env.CI),
  // A test that passes at the second try hides a fault.
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
    // Neither UTC nor the zone of the workspace: what is shown must not depend on it.
    timezoneId: "America/New_York",
    permissions: ["clipboard-read", "clipboard-write"],
    reducedMotion: "reduce",
    // A trace of every test doubles the time; a failure's page is told in words beside its error anyway.
    trace: process.env.TRACE ? "retain-on-failure" : "off",
    launchOptions: {
      // The system's own; nothing is downloaded.
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
