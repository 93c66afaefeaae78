/** A storyboard: shots with their own prompts and media held at times, on the axis of one clip. Pure arithmetic. */
import { MAX_SECONDS, MIN_SPAN, onFrame, type Pin, type Shot, type Timeline, tidy } from "@/lib/timeline";

export interface ShotCard {
  id: string;
  prompt: string;
  start: number;
  length: number;
}

export interface MediaCard {
  id: string;
  kind: "image" | "video";
  media: string;
  name: string;
  start: number;
  length: number;
  strength: number;
  mediaStart: number;
  /** How long the clip is, if it is one. */
  mediaSeconds: number | null;
}

export interface Board {
  model: string;
  width: number;
  height: number;
  fps: number;
  seconds: number;
  loop: boolean;
  negativePrompt: string;
  seed: string;
  shots: ShotCard[];
  media: MediaCard[];
}

type Span = { start: number; length: number };
export type Lane = "shots" | "media";

export const end = (card: Span): number => tidy(card.start + card.length);

export function emptyBoard(model = ""): Board {
  return {
    model,
    width: 1280,
    height: 720,
    fps: 24,
    seconds: 8,
    loop: false,
    negativePrompt: "",
    seed: "",
    shots: [],
    media: [],
  };
}

function inOrder<T extends Span>(cards: readonly T[]): T[] {
  return [...cards].sort((a, b) => a.start - b.start);
}

/** Holes of a lane where a card could lie. */
function holes(cards: readonly Span[], seconds: number): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  let reached = 0;
  for (const card of inOrder(cards)) {
    if (card.start - reached > 1e-6) found.push({ from: reached, to: card.start });
    reached = Math.max(reached, end(card));
  }
  if (seconds - reached > 1e-6) found.push({ from: reached, to: seconds });
  return found;
}

/** The start nearest to the wanted one at which a span of `length` fits among the others; null where none does. */
export function nearestFit(others: readonly Span[], length: number, wanted: number, seconds: number): number | null {
  let best: number | null = null;
  for (const hole of holes(others, seconds)) {
    if (hole.to - hole.from < length - 1e-6) continue;
    const at = Math.min(Math.max(wanted, hole.from), hole.to - length);
    if (best === null || Math.abs(at - wanted) < Math.abs(best - wanted)) best = at;
  }
  return best === null ? null : tidy(best);
}

/** Times that cards snap to: whole quarters of a second, the edges of other cards, the playhead. */
export function snap(
  time: number,
  board: Board,
  ignore: string,
  within: number,
  extra: readonly number[] = [],
): number {
  const edges = [...board.shots, ...board.media]
    .filter((card) => card.id !== ignore)
    .flatMap((card) => [card.start, end(card)]);
  const candidates = [0, board.seconds, ...edges, ...extra, Math.round(time * 4) / 4];
  const nearest = candidates.reduce((a, b) => (Math.abs(b - time) < Math.abs(a - time) ? b : a));
  return Math.abs(nearest - time) <= within ? nearest : onFrame(time, board.fps);
}

function replaceShots(board: Board, shots: ShotCard[]): Board {
  return { ...board, shots: inOrder(shots) };
}

/** A board as long as what lies on it needs, never shorter than it was. */
function roomFor(board: Board, until: number): Board {
  return until > board.seconds ? { ...board, seconds: Math.min(MAX_SECONDS, tidy(until)) } : board;
}

export function addShot(board: Board, id: string, prompt = "", length = 4): Board {
  const last = board.shots.at(-1);
  const start = last ? end(last) : 0;
  if (start > MAX_SECONDS - MIN_SPAN) return board;
  const fitted = Math.min(length, MAX_SECONDS - start);
  return replaceShots(roomFor(board, start + fitted), [...board.shots, { id, prompt, start, length: fitted }]);
}

export function setPrompt(board: Board, id: string, prompt: string): Board {
  return { ...board, shots: board.shots.map((shot) => (shot.id === id ? { ...shot, prompt } : shot)) };
}

/** Moves a shot; past the middle of a neighbour without room, the two change places. */
export function moveShot(board: Board, id: string, wanted: number): Board {
  const card = board.shots.find((shot) => shot.id === id);
  if (!card) return board;
  const others = board.shots.filter((shot) => shot.id !== id);
  const middle = wanted + card.length / 2;
  const index = board.shots.indexOf(card);
  const left = board.shots[index - 1];
  const right = board.shots[index + 1];
  if (left && middle < left.start + left.length / 2) return swap(board, index - 1);
  if (right && middle > right.start + right.length / 2) return swap(board, index);
  const low = left ? end(left) : 0;
  const high =
    (right ? right.start : Math.max(board.seconds, Math.min(MAX_SECONDS, wanted + card.length))) - card.length;
  const start = tidy(Math.min(Math.max(wanted, low), Math.max(low, high)));
  if (start === card.start) return board;
  return replaceShots(roomFor(board, start + card.length), [...others, { ...card, start }]);
}

/** The shots at `index` and after it change places; the gap between them stays between them. */
function swap(board: Board, index: number): Board {
  const first = board.shots[index];
  const second = board.shots[index + 1];
  if (!first || !second) return board;
  const gap = second.start - end(first);
  const moved = [
    { ...second, start: first.start },
    { ...first, start: tidy(first.start + second.length + gap) },
  ];
  return replaceShots(board, [...board.shots.slice(0, index), ...moved, ...board.shots.slice(index + 2)]);
}

export function reorder(board: Board, id: string, by: -1 | 1): Board {
  const index = board.shots.findIndex((shot) => shot.id === id);
  return index < 0 ? board : swap(board, by < 0 ? index - 1 : index);
}

/** Moves one edge. `push` moves what comes after along, so that nothing overlaps and no gap opens. */
export function resizeShot(board: Board, id: string, edge: "start" | "end", time: number, push = false): Board {
  const index = board.shots.findIndex((shot) => shot.id === id);
  const card = board.shots[index];
  if (!card) return board;
  const left = board.shots[index - 1];
  const right = board.shots[index + 1];
  if (edge === "start") {
    const start = tidy(Math.min(Math.max(time, left ? end(left) : 0), end(card) - MIN_SPAN));
    return replaceShots(
      board,
      board.shots.map((shot) => (shot.id === id ? { ...card, start, length: tidy(end(card) - start) } : shot)),
    );
  }
  const limit = right && !push ? right.start : MAX_SECONDS;
  const until = Math.max(card.start + MIN_SPAN, Math.min(time, limit));
  const moved = until - end(card);
  const shots = board.shots.map((shot, at) => {
    if (shot.id === id) return { ...card, length: tidy(until - card.start) };
    return push && at > index ? { ...shot, start: tidy(shot.start + moved) } : shot;
  });
  const last = shots.at(-1);
  if (last && end(last) > MAX_SECONDS + 1e-6) return board;
  return replaceShots(roomFor(board, last ? end(last) : 0), shots);
}

/** Where a shot is split: at the playhead, or in its middle while the playhead is elsewhere. */
export function splitPoint(board: Board, id: string, playhead: number): number {
  const card = board.shots.find((shot) => shot.id === id);
  if (!card || (playhead >= card.start + MIN_SPAN && playhead <= end(card) - MIN_SPAN)) return playhead;
  return card.start + card.length / 2;
}

export function splitShot(board: Board, id: string, at: number, newId: string): Board {
  const card = board.shots.find((shot) => shot.id === id);
  if (!card) return board;
  const cut = onFrame(at, board.fps);
  if (cut < card.start + MIN_SPAN || cut > end(card) - MIN_SPAN) return board;
  const first = { ...card, length: tidy(cut - card.start) };
  const second = { ...card, id: newId, start: tidy(cut), length: tidy(end(card) - cut) };
  return replaceShots(
    board,
    board.shots.flatMap((shot) => (shot.id === id ? [first, second] : [shot])),
  );
}

/** A copy right after the shot; what comes later moves along. */
export function duplicateShot(board: Board, id: string, newId: string): Board {
  const index = board.shots.findIndex((shot) => shot.id === id);
  const card = board.shots[index];
  const last = board.shots.at(-1);
  if (!card || !last || end(last) + card.length > MAX_SECONDS) return board;
  const copy = { ...card, id: newId, start: end(card) };
  const later = board.shots.slice(index + 1).map((shot) => ({ ...shot, start: tidy(shot.start + card.length) }));
  const shots = [...board.shots.slice(0, index + 1), copy, ...later];
  return replaceShots(roomFor(board, end(shots.at(-1) as ShotCard)), shots);
}

export function remove(board: Board, id: string): Board {
  return {
    ...board,
    shots: board.shots.filter((card) => card.id !== id),
    media: board.media.filter((card) => card.id !== id),
  };
}

export function addMedia(board: Board, card: MediaCard): Board {
  const length = Math.min(card.length, MAX_SECONDS);
  const start = nearestFit(board.media, length, card.start, Math.max(board.seconds, card.start + length));
  const at = start ?? Math.max(0, ...board.media.map(end));
  if (at + length > MAX_SECONDS) return board;
  return roomFor({ ...board, media: inOrder([...board.media, { ...card, start: at, length }]) }, at + length);
}

export function changeMedia(board: Board, id: string, change: Partial<MediaCard>): Board {
  const card = board.media.find((one) => one.id === id);
  if (!card) return board;
  const next = { ...card, ...change };
  const longest = next.kind === "video" && next.mediaSeconds ? next.mediaSeconds - next.mediaStart : MAX_SECONDS;
  next.length = tidy(Math.min(Math.max(next.length, 1 / board.fps), longest, board.seconds));
  const others = board.media.filter((one) => one.id !== id);
  const start = nearestFit(others, next.length, next.start, board.seconds);
  if (start === null) return board;
  return { ...board, media: inOrder([...others, { ...next, start }]) };
}

/** Moves one edge of a held picture or clip, up to its neighbour. The front of a clip is cut, its frames stay in place. */
export function resizeMedia(board: Board, id: string, edge: "start" | "end", time: number): Board {
  const index = board.media.findIndex((one) => one.id === id);
  const card = board.media[index];
  if (!card) return board;
  const shortest = 1 / board.fps;
  if (edge === "end") {
    const limit = board.media[index + 1]?.start ?? MAX_SECONDS;
    const longest = card.mediaSeconds === null ? MAX_SECONDS : card.mediaSeconds - card.mediaStart;
    const until = tidy(Math.max(card.start + shortest, Math.min(time, limit, card.start + longest)));
    return changeMedia(roomFor(board, until), id, { length: until - card.start });
  }
  const left = board.media[index - 1];
  const cut = card.kind === "video";
  const low = Math.max(left ? end(left) : 0, cut ? card.start - card.mediaStart : 0);
  const start = tidy(Math.min(Math.max(time, low), end(card) - shortest));
  const mediaStart = cut ? tidy(card.mediaStart + start - card.start) : card.mediaStart;
  return changeMedia(board, id, { start, length: end(card) - start, mediaStart });
}

export function setSeconds(board: Board, seconds: number): Board {
  const used = Math.max(MIN_SPAN, ...[...board.shots, ...board.media].map(end));
  return { ...board, seconds: tidy(Math.min(MAX_SECONDS, Math.max(seconds, used))) };
}

/** Closes every gap between shots and cuts the clip to what is on it. */
export function closeGaps(board: Board): Board {
  let at = 0;
  const shots = board.shots.map((shot) => {
    const moved = { ...shot, start: tidy(at) };
    at += shot.length;
    return moved;
  });
  const used = Math.max(at, ...board.media.map(end), MIN_SPAN);
  return { ...board, shots, seconds: tidy(used) };
}

export type Problem = { id: string | null; severity: "error" | "note"; code: string; seconds?: number; at?: number };

/** What stands in the way of generating, and what the maker may want to know. */
export function problems(board: Board): Problem[] {
  const found: Problem[] = [];
  if (!board.shots.length) found.push({ id: null, severity: "error", code: "no_shots" });
  for (const shot of board.shots) {
    if (!shot.prompt.trim()) found.push({ id: shot.id, severity: "error", code: "empty_prompt" });
    if (shot.length < 1) found.push({ id: shot.id, severity: "note", code: "short_shot", seconds: shot.length });
  }
  for (const hole of board.shots.length ? holes(board.shots, board.seconds) : []) {
    const length = tidy(hole.to - hole.from);
    found.push({ id: null, severity: "note", code: length > 4 ? "long_gap" : "gap", seconds: length, at: hole.from });
  }
  return found;
}

export function toTimeline(board: Board): Timeline {
  const frames = Math.max(1, Math.round(board.seconds * board.fps));
  const seconds = frames / board.fps;
  const shots: Shot[] = board.shots.map((shot) => ({
    prompt: shot.prompt.trim(),
    start: onFrameTidy(shot.start, board.fps),
    end: Math.min(onFrameTidy(end(shot), board.fps), tidy(seconds)),
  }));
  const pins: Pin[] = board.media.map((card) => ({
    media: card.media,
    kind: card.kind,
    start: onFrameTidy(card.start, board.fps),
    end:
      card.kind === "image" && card.length <= 1.5 / board.fps
        ? null
        : Math.min(onFrameTidy(end(card), board.fps), tidy(seconds)),
    strength: card.strength,
    strength_end: null,
    media_start: card.mediaStart,
  }));
  return {
    shots,
    spec: { num_frames: frames, width: board.width, height: board.height, fps: board.fps },
    pins,
    negative_prompt: board.negativePrompt.trim(),
    loop: board.loop,
  };
}

function onFrameTidy(seconds: number, fps: number): number {
  return tidy(onFrame(seconds, fps));
}

const NUMBERED = /^\s*(?:(?:shot|scene|einstellung|plan)\s*)?(\d{1,3})\s*[.):\-–—]\s*(.*)$/i;
const LENGTH =
  /[([]?\s*(?:duration\s*[:=]?\s*)?(\d+(?:[.,]\d+)?)\s*(?:s|sec|secs|second|seconds)\b\.?\s*[)\]]?\s*[:,;\-–—]?\s*/i;
const LABEL = /^\s*(?:scene|prompt|action|description)\s*[:=]\s*/i;

export interface ListedShot {
  prompt: string;
  length: number;
}

/** Reads a numbered shot list as people write it: "1. (3s) A dog runs", "Shot 2: duration: 5.0sec / Scene: …".
 *
 * Lines without a number belong to the shot above. Text without any number is one shot per paragraph.
 */
export function parseShotList(text: string, fallback = 4): ListedShot[] {
  const lines = text.replace(/\r/g, "").split("\n");
  const numbered = lines.some((line) => NUMBERED.test(line));
  const blocks: string[] = [];
  if (numbered) {
    for (const line of lines) {
      const match = NUMBERED.exec(line);
      if (match) blocks.push(match[2] ?? "");
      else if (blocks.length && line.trim()) blocks[blocks.length - 1] += `\n${line.trim()}`;
    }
  } else blocks.push(...text.split(/\n\s*\n/));
  const shots: ListedShot[] = [];
  for (const block of blocks) {
    const match =
      LENGTH.exec(block.slice(0, 60)) ?? /\(\s*(\d+(?:[.,]\d+)?)\s*s(?:ec(?:onds?)?)?\s*\)\s*$/i.exec(block);
    const length = match ? Number((match[1] ?? "").replace(",", ".")) : fallback;
    const prompt = (match ? block.replace(match[0], " ") : block)
      .split(/[\n/](?=\s*(?:scene|prompt|action|description)\s*[:=])|\n/i)
      .map((line) => line.replace(LABEL, "").trim())
      .filter(Boolean)
      .join(" ")
      .replace(/\s+/g, " ")
      .trim();
    if (prompt) shots.push({ prompt, length: Math.min(MAX_SECONDS, Math.max(MIN_SPAN, length || fallback)) });
  }
  return shots;
}

/** The board with a shot list laid out one after the other; what would end after the longest clip is left out. */
export function layOut(
  board: Board,
  listed: readonly ListedShot[],
  newId: () => string,
): { board: Board; left: number } {
  let next: Board = { ...board, shots: [] };
  let left = 0;
  for (const shot of listed) {
    const last = next.shots.at(-1);
    if ((last ? end(last) : 0) + shot.length > MAX_SECONDS + 1e-6) left += 1;
    else next = addShot(next, newId(), shot.prompt, shot.length);
  }
  const used = Math.max(MIN_SPAN, ...[...next.shots, ...next.media].map(end));
  return { board: { ...next, seconds: tidy(used) }, left };
}

export function toShotList(board: Board): string {
  return board.shots.map((shot, index) => `${index + 1}. (${tidy(shot.length)} s) ${shot.prompt}`).join("\n");
}
