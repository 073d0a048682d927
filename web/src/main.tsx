import "./ui/tokens.css";
import "./ui/base.css";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { onSessionChange, sessionState } from "./api/session";
import { queryClient, router } from "./routes/router";
import { watchTheme } from "./ui/theme";

watchTheme();

// When a session ends, the sign-in page opens. After an expired session it leads back to the same address.
onSessionChange(() => {
  const state = sessionState();
  if (state.kind !== "signed-out" || state.reason === "never") return;
  queryClient.clear();
  const { href, pathname } = router.state.location;
  if (pathname === "/sign-in") return;
  const expired = state.reason === "expired";
  void router.navigate({ to: "/sign-in", search: expired ? { next: href, expired } : {} });
});

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
