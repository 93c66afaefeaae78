import { useEffect, useRef } from "react";

export const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

/** "mod+enter", "shift+arrowleft", "?", "j": as an event says it. `mod` is Command on a Mac, Control elsewhere. */
export function combination(event: KeyboardEvent): string {
  const parts: string[] = [];
  if (isMac ? event.metaKey : event.ctrlKey) parts.push("mod");
  if (event.altKey) parts.push("alt");
  // With Alt, a Mac types other signs than what is on the key.
  const digit = event.altKey && /^Digit\d$/.test(event.code) ? event.code.slice(5) : null;
  const key = digit ?? (event.key === " " ? "space" : event.key.toLowerCase());
  // A sign that needs shift on some keyboards ("?") names itself; letters and named keys name the shift.
  if (event.shiftKey && (key.length > 1 || /[a-z]/.test(key))) parts.push("shift");
  return [...parts, key].join("+");
}

export function typing(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target instanceof HTMLTextAreaElement ||
      target instanceof HTMLSelectElement ||
      (target instanceof HTMLInputElement && !["range", "checkbox", "radio", "button"].includes(target.type)))
  );
}

export type Bindings = Record<string, ((event: KeyboardEvent) => void) | undefined>;

/** Keys of a page while it is shown. Single keys rest while somebody types or a dialog is open; `mod` ones do not. */
export function useHotkeys(bindings: Bindings, enabled = true): void {
  const current = useRef(bindings);
  current.current = bindings;
  useEffect(() => {
    if (!enabled) return;
    const listen = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.isComposing) return;
      const name = combination(event);
      const action = current.current[name];
      if (!action) return;
      if (!/^(mod|alt)\+/.test(name) && typing(event.target)) return;
      if (
        document.querySelector('[role="dialog"][data-open], [role="alertdialog"][data-open], [role="menu"][data-open]')
      )
        return;
      // Space and Enter on a focused control belong to the control.
      const control = event.target instanceof HTMLElement && event.target.closest("button, a, [role=option], summary");
      if (control && (name === "space" || name === "enter")) return;
      event.preventDefault();
      action(event);
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, [enabled]);
}

/** How a combination is shown: "⌘ ↵", "Ctrl Enter". */
export function keyNames(combination: string): string[] {
  const names: Record<string, string> = {
    mod: isMac ? "⌘" : "Ctrl",
    shift: isMac ? "⇧" : "Shift",
    alt: isMac ? "⌥" : "Alt",
    enter: isMac ? "↵" : "Enter",
    escape: "Esc",
    space: "Space",
    arrowleft: "←",
    arrowright: "→",
    arrowup: "↑",
    arrowdown: "↓",
    delete: "Del",
  };
  return combination.split("+").map((part) => names[part] ?? part.toUpperCase());
}
