/** When clips were made, as a library is asked for it: a lapse that moves with the days, or dates that stay. */

export const LAPSES = { today: 1, week: 7, month: 30, year: 365 } as const;
export type Lapse = keyof typeof LAPSES;

export interface Made {
  made?: Lapse | undefined;
  /** Dates of this machine's calendar, "2026-11-25", both of them included. */
  from?: string | undefined;
  to?: string | undefined;
}

/** Midnight at which a date of this machine's calendar begins; null for what is none. */
export function dateOf(text: string | undefined): Date | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text ?? "");
  if (!match) return null;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  const date = new Date(year, month - 1, day);
  return date.getMonth() === month - 1 && date.getDate() === day ? date : null;
}

/** A date as it is written in an address and a field. */
export function written(date: Date): string {
  const two = (number: number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** A day on or back: days are not all of 24 hours. */
function shifted(date: Date, days: number): Date {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days);
}

/** What to ask the server for, in Unix seconds. A lapse has today in it and stays the same until midnight. */
export function spanOf(search: Made, now: Date): { created_from?: number; created_before?: number } {
  const start = search.made ? shifted(now, 1 - LAPSES[search.made]) : dateOf(search.from);
  const last = search.made ? null : dateOf(search.to);
  return {
    ...(start && { created_from: start.getTime() / 1000 }),
    ...(last && { created_before: shifted(last, 1).getTime() / 1000 }),
  };
}
