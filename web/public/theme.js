// Runs before the first paint, so that one theme never flashes before the other.
// A file of its own, not inline, so that a content security policy can forbid inline scripts.
(() => {
  let theme = null;
  try {
    theme = localStorage.getItem("logbook-theme");
  } catch {
    // Storage may be blocked; the system's theme then applies.
  }
  if (theme !== "light" && theme !== "dark") {
    theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  document.documentElement.dataset.theme = theme;
})();
