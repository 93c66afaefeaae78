import type { PointerEvent as ReactPointerEvent } from "react";

/** Follows a pointer from where it was pressed until it is let go, in pixels from there.
 *
 * On the window, not on what was pressed: a card that changes places is moved in the page, which would end a capture.
 */
export function followPointer(
  pressed: ReactPointerEvent,
  moved: (pixels: number, event: PointerEvent) => void,
  ended: () => void,
): void {
  const from = pressed.clientX;
  const move = (event: PointerEvent): void => {
    if (event.pointerId === pressed.pointerId) moved(event.clientX - from, event);
  };
  const end = (event: PointerEvent): void => {
    if (event.pointerId !== pressed.pointerId) return;
    window.removeEventListener("pointermove", move);
    window.removeEventListener("pointerup", end);
    window.removeEventListener("pointercancel", end);
    ended();
  };
  window.addEventListener("pointermove", move);
  window.addEventListener("pointerup", end);
  window.addEventListener("pointercancel", end);
}
