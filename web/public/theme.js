// Runs before the first paint, so that the wrong theme does not flash.
// A separate file, because the content security policy forbids inline scripts.
(() => {
  let theme = null;
  try {
    theme = localStorage.getItem("logbook-theme");
  } catch {
    // Storage may be blocked. The system's theme then applies.
  }
  if (theme !== "light" && theme !== "dark") {
    theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  document.documentElement.dataset.theme = theme;
})();
