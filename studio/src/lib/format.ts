import { locale, t } from "@/lib/i18n";

/** 75.5 -> "1:15.5" where tenths count, "1:15" where they do not. */
export function clock(seconds: number, decimals = 1): string {
  const rounded = Number(Math.max(0, seconds).toFixed(decimals));
  const minutes = Math.floor(rounded / 60);
  const rest = (rounded - 60 * minutes).toFixed(decimals);
  return `${minutes}:${rest.padStart(decimals ? 3 + decimals : 2, "0")}`;
}

/** Time of an editor: minutes, seconds, frames. */
export function timecode(seconds: number, fps: number): string {
  const frame = Math.round(seconds * fps);
  const whole = Math.floor(frame / fps + 1e-9);
  const frames = Math.round(frame - whole * fps);
  return [Math.floor(whole / 60), whole % 60, frames].map((part) => String(part).padStart(2, "0")).join(":");
}

/** A length for people: "8 s", "1 min 20 s", "2 h 5 min". */
export function duration(seconds: number): string {
  if (seconds < 10 && !Number.isInteger(seconds)) return t("{seconds} s", { seconds: seconds.toFixed(1) });
  const whole = Math.round(seconds);
  if (whole < 60) return t("{seconds} s", { seconds: whole });
  if (whole < 3600) {
    const rest = whole % 60;
    const minutes = t("{minutes} min", { minutes: Math.floor(whole / 60) });
    return rest ? `${minutes} ${t("{seconds} s", { seconds: rest })}` : minutes;
  }
  return t("{hours} h {minutes} min", { hours: Math.floor(whole / 3600), minutes: Math.floor((whole % 3600) / 60) });
}

/** A rough length for an estimate, which must not look more exact than it is. */
export function roughly(seconds: number): string {
  if (seconds < 1.5) return t("about a second");
  const step = seconds < 20 ? 1 : seconds < 90 ? 5 : seconds < 600 ? 30 : 60;
  return t("about {time}", { time: duration(Math.max(step, Math.round(seconds / step) * step)) });
}

export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Memory, which is counted in powers of two: "24 GiB". */
export function gibibytes(count: number): string {
  const value = count / 2 ** 30;
  return `${value >= 10 ? Math.round(value) : value.toFixed(1)} GiB`;
}

/** When something happened, as people say it; the exact time goes into a tooltip. */
export function ago(unix: number, now: number): string {
  const passed = Math.max(0, now - unix);
  const format = new Intl.RelativeTimeFormat(locale(), { numeric: "auto", style: "short" });
  if (passed < 45) return t("just now");
  if (passed < 3600) return format.format(-Math.round(passed / 60), "minute");
  if (passed < 86400) return format.format(-Math.round(passed / 3600), "hour");
  if (passed < 86400 * 7) return format.format(-Math.round(passed / 86400), "day");
  return new Date(unix * 1000).toLocaleDateString(locale(), { day: "numeric", month: "short", year: "numeric" });
}

/** "14:05", or with its date where that was another day. */
export function clockTime(unix: number, now: number): string {
  const then = new Date(unix * 1000);
  const today = then.toDateString() === new Date(now * 1000).toDateString();
  return then.toLocaleString(locale(), today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
}

export function moment(unix: number): string {
  return new Date(unix * 1000).toLocaleString(locale(), { dateStyle: "medium", timeStyle: "medium" });
}

export function clip(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1).trimEnd()}…` : text;
}

/** "1280x720" -> {width, height}, or null. */
export function parseSize(size: string): { width: number; height: number } | null {
  const match = /^(\d+)x(\d+)$/.exec(size);
  return match ? { width: Number(match[1]), height: Number(match[2]) } : null;
}

export function aspectName(width: number, height: number): string {
  const known: [number, string][] = [
    [16 / 9, "16:9"],
    [9 / 16, "9:16"],
    [1, "1:1"],
    [4 / 3, "4:3"],
    [3 / 4, "3:4"],
    [7 / 4, "7:4"],
    [4 / 7, "4:7"],
    [21 / 9, "21:9"],
    [3 / 2, "3:2"],
    [2 / 3, "2:3"],
  ];
  const ratio = width / height;
  return known.find(([value]) => Math.abs(value - ratio) < 0.02)?.[1] ?? `${ratio.toFixed(2)}:1`;
}
