import { create } from "zustand";
import { persist } from "zustand/middleware";

/** What this browser remembers of how its user likes to work. */
export interface Preferences {
  theme: "dark" | "light" | "system";
  motion: "system" | "reduced" | "full";
  language: string;
  notify: boolean;
  sound: boolean;
  density: number;
  seen: boolean;
}

export const usePreferences = create<Preferences>()(
  persist<Preferences>(
    () => ({
      theme: "dark",
      motion: "system",
      language: "en",
      notify: false,
      sound: false,
      density: 260,
      seen: false,
    }),
    { name: "daybreak.preferences" },
  ),
);

export function setPreferences(change: Partial<Preferences>): void {
  usePreferences.setState(change);
}

const light = matchMedia("(prefers-color-scheme: light)");
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export function applyPreferences(): void {
  const { theme, motion } = usePreferences.getState();
  const shown = theme === "light" || (theme === "system" && light.matches) ? "light" : "dark";
  document.documentElement.dataset.theme = shown;
  document
    .querySelector('meta[name="theme-color"]')
    ?.setAttribute("content", shown === "light" ? "#f5f4f1" : "#0c0d10");
  if (motion === "reduced") document.documentElement.dataset.motion = "reduced";
  else delete document.documentElement.dataset.motion;
}

export function reducedMotion(): boolean {
  const { motion } = usePreferences.getState();
  return motion === "reduced" || (motion === "system" && calm.matches);
}

export function watchPreferences(): void {
  applyPreferences();
  usePreferences.subscribe(applyPreferences);
  light.addEventListener("change", applyPreferences);
  // Another window changed them.
  window.addEventListener("storage", (event) => {
    if (event.key === "daybreak.preferences") void usePreferences.persist.rehydrate();
  });
}
