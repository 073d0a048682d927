import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  server: {
    proxy: { "/api": "http://127.0.0.1:8080" },
  },
  preview: {
    proxy: { "/api": "http://127.0.0.1:8080" },
  },
  build: {
    target: "baseline-widely-available",
    manifest: true,
    // The size limits are measured on files, so inlined assets would not count.
    assetsInlineLimit: 0,
  },
});
