/** Undo and redo over immutable values. Changes with the same `group` in a row are one step: a drag, or a word typed. */
export interface History<T> {
  readonly past: readonly T[];
  readonly present: T;
  readonly future: readonly T[];
  readonly group: string | null;
}

const LIMIT = 200;

export function begin<T>(present: T): History<T> {
  return { past: [], present, future: [], group: null };
}

export function change<T>(history: History<T>, next: T, group: string | null = null): History<T> {
  if (next === history.present) return history;
  const joins = group !== null && group === history.group;
  const past = joins ? history.past : [...history.past, history.present].slice(-LIMIT);
  return { past, present: next, future: [], group };
}

export function undo<T>(history: History<T>): History<T> {
  const previous = history.past.at(-1);
  if (previous === undefined) return history;
  return {
    past: history.past.slice(0, -1),
    present: previous,
    future: [history.present, ...history.future],
    group: null,
  };
}

export function redo<T>(history: History<T>): History<T> {
  const [next, ...future] = history.future;
  if (next === undefined) return history;
  return { past: [...history.past, history.present], present: next, future, group: null };
}
