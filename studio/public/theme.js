// Runs before the first paint, so that no theme flashes. A file, because the policy allows no inline scripts.
try {
  const chosen = JSON.parse(localStorage.getItem("daybreak.preferences") || "{}").state || {};
  const light =
    chosen.theme === "light" || (chosen.theme === "system" && matchMedia("(prefers-color-scheme: light)").matches);
  document.documentElement.dataset.theme = light ? "light" : "dark";
  if (chosen.motion === "reduced") document.documentElement.dataset.motion = "reduced";
} catch {}
