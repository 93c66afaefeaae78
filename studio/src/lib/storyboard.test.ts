import { describe, expect, it } from "vitest";
import * as sb from "@/lib/storyboard";

const board = (...lengths: number[]): sb.Board =>
  lengths.reduce((made, length, index) => sb.addShot(made, `s${index}`, `shot ${index}`, length), {
    ...sb.emptyBoard("m"),
    seconds: 1,
  });
const spans = (made: sb.Board) => made.shots.map((shot) => [shot.id, shot.start, sb.end(shot)]);

describe("held media", () => {
  const card = { kind: "image" as const, media: "m", name: "", strength: 1, mediaStart: 0, mediaSeconds: null };
  const made: sb.Board = {
    ...sb.emptyBoard("m"),
    fps: 10,
    media: [
      { ...card, id: "a", start: 1, length: 2 },
      { ...card, id: "b", start: 4, length: 2, kind: "video", mediaStart: 0.5, mediaSeconds: 3 },
    ],
  };
  const at = (board: sb.Board, index: number) => {
    const one = board.media[index] as sb.MediaCard;
    return [one.start, sb.end(one), one.mediaStart];
  };
  it("are as long as one drags them, up to their neighbours", () => {
    expect(at(sb.resizeMedia(made, "a", "end", 3.5), 0)).toEqual([1, 3.5, 0]);
    expect(at(sb.resizeMedia(made, "a", "end", 7), 0)).toEqual([1, 4, 0]);
    expect(at(sb.resizeMedia(made, "a", "end", 0), 0)).toEqual([1, 1.1, 0]);
    expect(at(sb.resizeMedia(made, "a", "start", -3), 0)).toEqual([0, 3, 0]);
  });
  it("are cut at the front as clips, never before their first frame or after their last", () => {
    expect(at(sb.resizeMedia(made, "b", "start", 5), 1)).toEqual([5, 6, 1.5]);
    expect(at(sb.resizeMedia(made, "b", "start", 3), 1)).toEqual([3.5, 6, 0]);
    expect(at(sb.resizeMedia(made, "b", "end", 20), 1)).toEqual([4, 6.5, 0.5]);
  });
  it("make the clip longer where they reach past its end", () => {
    const picture = { ...made, media: made.media.slice(0, 1) };
    expect(sb.resizeMedia(picture, "a", "end", 10).seconds).toBe(10);
  });
});

describe("shots on the axis", () => {
  it("are laid one after the other and make room", () => {
    expect(spans(board(2, 3))).toEqual([
      ["s0", 0, 2],
      ["s1", 2, 5],
    ]);
    expect(board(2, 3).seconds).toBe(5);
  });
  it("never reach past the longest clip", () => {
    const full = board(80, 80);
    expect(spans(full)[1]).toEqual(["s1", 80, 120]);
    expect(sb.addShot(full, "x")).toBe(full);
  });
  it("move into free room, stop at neighbours, and change places past their middle", () => {
    const made = { ...board(2, 2), seconds: 8 };
    const moved = sb.moveShot(made, "s1", 5);
    expect(spans(moved)[1]).toEqual(["s1", 5, 7]);
    expect(spans(sb.moveShot(moved, "s1", 1))).toEqual(spans({ ...made }));
    expect(spans(sb.moveShot(made, "s1", -0.5))).toEqual([
      ["s1", 0, 2],
      ["s0", 2, 4],
    ]);
  });
  it("keep their gap between them when they change places", () => {
    const made = sb.moveShot({ ...board(1, 2), seconds: 8 }, "s1", 3);
    expect(spans(sb.reorder(made, "s0", 1))).toEqual([
      ["s1", 0, 2],
      ["s0", 4, 5],
    ]);
  });
  it("resize at both edges, and push what follows when asked", () => {
    const made = board(2, 2);
    expect(spans(sb.resizeShot(made, "s0", "end", 3))).toEqual(spans(made));
    expect(spans(sb.resizeShot(made, "s0", "end", 3, true))).toEqual([
      ["s0", 0, 3],
      ["s1", 3, 5],
    ]);
    expect(spans(sb.resizeShot(made, "s1", "start", 2.5))[1]).toEqual(["s1", 2.5, 4]);
    expect(sb.resizeShot(made, "s0", "end", 0).shots[0]?.length).toBe(0.25);
  });
  it("split at a frame, but not into slivers", () => {
    const made = board(4);
    expect(spans(sb.splitShot(made, "s0", 1.51, "n"))).toEqual([
      ["s0", 0, 1.5],
      ["n", 1.5, 4],
    ]);
    expect(sb.splitShot(made, "s0", 0.1, "n")).toBe(made);
  });
  it("are split at the playhead, or in the middle while it is elsewhere", () => {
    const made = board(4, 2);
    expect(sb.splitPoint(made, "s0", 1.5)).toBe(1.5);
    expect(sb.splitPoint(made, "s0", 0)).toBe(2);
    expect(sb.splitPoint(made, "s1", 1.5)).toBe(5);
  });
  it("duplicate right behind themselves", () => {
    expect(spans(sb.duplicateShot(board(2, 3), "s0", "n"))).toEqual([
      ["s0", 0, 2],
      ["n", 2, 4],
      ["s1", 4, 7],
    ]);
  });
});

describe("media", () => {
  const card = (id: string, start: number, length: number): sb.MediaCard => ({
    id,
    kind: "image",
    media: "file-1",
    name: "a.png",
    start,
    length,
    strength: 1,
    mediaStart: 0,
    mediaSeconds: null,
  });
  it("takes the nearest place that is free", () => {
    const made = sb.addMedia(sb.addMedia(board(6), card("a", 0, 2)), card("b", 1, 1));
    expect(made.media.map((one) => [one.id, one.start])).toEqual([
      ["a", 0],
      ["b", 2],
    ]);
    expect(sb.changeMedia(made, "b", { start: 0.2 }).media[1]?.start).toBe(2);
  });
  it("is never longer than the clip that it shows", () => {
    const made = sb.addMedia(board(6), { ...card("a", 0, 2), kind: "video", mediaSeconds: 3, mediaStart: 1 });
    expect(sb.changeMedia(made, "a", { length: 5 }).media[0]?.length).toBe(2);
  });
  it("a single frame is a pin without an end", () => {
    const made = sb.addMedia(board(2), card("a", 1, 1 / 24));
    expect(sb.toTimeline(made).pins).toEqual([
      { media: "file-1", kind: "image", start: 1, end: null, strength: 1, strength_end: null, media_start: 0 },
    ]);
  });
});

describe("the timeline of a board", () => {
  it("has whole frames and no span past the end", () => {
    const made = sb.toTimeline({ ...board(1.01, 2), seconds: 3.01 });
    expect(made.spec.num_frames).toBe(72);
    expect(made.shots.map((shot) => [shot.start, shot.end])).toEqual([
      [0, 1],
      [1, 3],
    ]);
  });
  it("names what is wrong and what is notable", () => {
    expect(sb.problems(sb.emptyBoard("m")).map((one) => one.code)).toEqual(["no_shots"]);
    const made = sb.setPrompt({ ...board(0.5, 2), seconds: 8 }, "s1", " ");
    expect(sb.problems(made).map((one) => one.code)).toEqual(["short_shot", "empty_prompt", "long_gap"]);
  });
});

describe("a shot list", () => {
  it.each([
    [
      "1. (3s) A dog runs\n2. (2.5 s) It stops",
      [
        ["A dog runs", 3],
        ["It stops", 2.5],
      ],
    ],
    ["Shot 1: duration: 5.0sec / Scene: A lake at dawn", [["A lake at dawn", 5]]],
    [
      "Shot 1:\nduration: 5.0sec\nScene: A lake\nwith fog\n\nShot 2:\nScene: A boat",
      [
        ["A lake with fog", 5],
        ["A boat", 4],
      ],
    ],
    [
      "1) A cat, 3 s\n2) A bird",
      [
        ["A cat,", 3],
        ["A bird", 4],
      ],
    ],
    [
      "A cat sleeps.\n\nA bird sings.",
      [
        ["A cat sleeps.", 4],
        ["A bird sings.", 4],
      ],
    ],
    ["1 - 2,5s: Rain", [["Rain", 2.5]]],
    ["", []],
    ["   \n\n ", []],
  ])("reads %j", (text, expected) => {
    expect(sb.parseShotList(text).map((shot) => [shot.prompt, shot.length])).toEqual(expected);
  });
  it("goes out and comes back the same", () => {
    const made = board(2, 3.5);
    expect(sb.parseShotList(sb.toShotList(made))).toEqual(made.shots.map(({ prompt, length }) => ({ prompt, length })));
  });
  it("says how many shots did not fit", () => {
    const listed = Array.from({ length: 40 }, (_, index) => ({ prompt: `p${index}`, length: 4 }));
    let count = 0;
    const laid = sb.layOut(sb.emptyBoard("m"), listed, () => `n${count++}`);
    expect([laid.board.shots.length, laid.left, laid.board.seconds]).toEqual([30, 10, 120]);
  });
});
