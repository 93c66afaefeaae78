import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ArrowLeft, ArrowUp, Redo2, Undo2 } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { ApiFailure } from "@/api/client";
import { documentQuery, modelsQuery, saveDocument } from "@/api/library";
import { client } from "@/api/query";
import { sendTool } from "@/api/videos";
import { Button, IconButton } from "@/components/controls";
import { Failure } from "@/components/states";
import { tell, tellFailure } from "@/components/toasts";
import { CannotUse } from "@/features/compose/CannotUse";
import { Estimate } from "@/features/compose/Estimate";
import { findModel, lacks } from "@/features/compose/models";
import { localId } from "@/features/compose/references";
import { BoardSettings } from "@/features/storyboard/BoardSettings";
import { useBoard } from "@/features/storyboard/board";
import { CardEditor } from "@/features/storyboard/CardEditor";
import { Lanes } from "@/features/storyboard/Lanes";
import { said } from "@/lib/failures";
import { duration } from "@/lib/format";
import { useHotkeys } from "@/lib/hotkeys";
import { t } from "@/lib/i18n";
import * as sb from "@/lib/storyboard";
import { router } from "@/router";

const route = getRouteApi("/storyboard/$id");
const SAVE_AFTER = 600; // milliseconds without a change
const SAVE_AGAIN = 2000;

/** The keyboard goes to the words of the chosen shot. */
export function toWords(): void {
  requestAnimationFrame(() =>
    requestAnimationFrame(() => document.querySelector<HTMLTextAreaElement>("[data-words] textarea")?.focus()),
  );
}

export function StoryboardPage() {
  const { id } = route.useParams();
  const saved = useQuery({
    ...documentQuery<sb.Board>(id),
    refetchOnMount: "always",
    staleTime: Number.POSITIVE_INFINITY,
  });
  const opened = useBoard((board) => board.id);
  useEffect(() => {
    if (saved.data && saved.data.id === id && useBoard.getState().id !== id)
      useBoard.getState().open(id, saved.data.name, { ...sb.emptyBoard(), ...saved.data.content });
  }, [saved.data, id]);
  useEffect(
    () => () => {
      useBoard.setState({ id: null });
      client.removeQueries({ queryKey: ["documents", "one", id] });
    },
    [id],
  );
  if (saved.isError) {
    return (
      <div className="grid h-full place-items-center p-6">
        <Failure error={saved.error} retry={() => void saved.refetch()} title={t("This storyboard cannot be opened")} />
      </div>
    );
  }
  return opened === id ? <Editor id={id} /> : <div aria-hidden className="shimmer m-6 h-64 rounded-xl" />;
}

function Editor({ id }: { id: string }) {
  const { name, history, chosen, edit, choose, rename, undo, redo } = useBoard();
  const board = history.present;
  const saving = useSaving(id);
  const [busy, setBusy] = useState(false);
  const models = useQuery(modelsQuery);
  const model = findModel(models.data ?? [], board.model);
  const found = sb.problems(board);
  const timeline = sb.toTimeline(board);
  const needed = needs(board);
  const missing = lacks(model, needed);
  const stop = found.some((one) => one.severity === "error");
  const add = () => {
    const shot = localId("s");
    edit((now) => sb.addShot(now, shot, "", 3));
    choose(shot);
    toWords();
  };
  useHotkeys({
    "mod+z": undo,
    "mod+shift+z": redo,
    "mod+y": redo,
    "mod+enter": () => void generate(),
    a: add,
    d: () => chosen && edit((now) => sb.duplicateShot(now, chosen, localId("s"))),
    s: () =>
      chosen &&
      edit((now) => sb.splitShot(now, chosen, sb.splitPoint(now, chosen, useBoard.getState().playhead), localId("s"))),
    delete: () => chosen && edit((now) => sb.remove(now, chosen)),
    backspace: () => chosen && edit((now) => sb.remove(now, chosen)),
  });

  const generate = async () => {
    if (stop || missing || busy) return;
    setBusy(true);
    try {
      const seed = /^\d+$/.test(board.seed.trim()) ? Number(board.seed) : null;
      const video = await sendTool("storyboard", timeline, model?.id ?? board.model, { seed });
      await client.invalidateQueries({ queryKey: ["library"] });
      tell({
        title: t("Queued"),
        action: {
          label: t("Follow it"),
          run: () => void router.navigate({ to: "/clip/$id", params: { id: video.id } }),
        },
      });
    } catch (error) {
      tellFailure(t("Not queued"), error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <div className="flex h-full flex-col">
      <header className="flex flex-wrap items-center gap-2 border-b border-line px-4 py-2.5">
        <Link
          to="/storyboard"
          aria-label={t("All storyboards")}
          className="grid size-9 place-items-center rounded-lg text-text-2 hover:bg-hover hover:text-text"
        >
          <ArrowLeft aria-hidden className="size-4.5" />
        </Link>
        <input
          aria-label={t("Name of the storyboard")}
          value={name}
          maxLength={200}
          onChange={(event) => rename(event.target.value)}
          className="h-9 min-w-0 flex-1 rounded-lg border border-transparent bg-transparent px-2 text-lg font-semibold hover:border-line-strong"
        />
        <span className="hidden text-xs text-text-3 sm:block" aria-live="polite">
          {saving}
        </span>
        {!stop && !missing && (
          <span className="hidden px-2 text-xs text-text-3 lg:block">
            <Estimate
              model={model?.id ?? board.model}
              size={`${board.width}x${board.height}`}
              seconds={timeline.spec.num_frames / board.fps}
              count={1}
            />
          </span>
        )}
        <IconButton label={t("Undo")} keys="mod+z" side="bottom" disabled={!history.past.length} onClick={undo}>
          <Undo2 aria-hidden />
        </IconButton>
        <IconButton label={t("Redo")} keys="mod+shift+z" side="bottom" disabled={!history.future.length} onClick={redo}>
          <Redo2 aria-hidden />
        </IconButton>
        <Button look="primary" busy={busy} disabled={stop || missing !== null} onClick={() => void generate()}>
          {t("Generate {time}", { time: duration(Number(board.seconds.toFixed(2))) })}{" "}
          <ArrowUp aria-hidden className="size-4" />
        </Button>
      </header>
      <div className="flex min-h-0 flex-1 flex-col overflow-y-auto lg:flex-row lg:overflow-hidden">
        <div className="min-w-0 flex-1 p-4 lg:overflow-y-auto md:p-6">
          <CardEditor add={add} />
          {missing && (
            <p role="status" className="mt-5 text-sm text-warn">
              <CannotUse words={missing} needs={needed} onUse={(able) => edit((now) => ({ ...now, model: able }))} />
            </p>
          )}
          <Notes problems={found} />
        </div>
        <BoardSettings />
      </div>
      <Lanes add={add} />
    </div>
  );
}

function needs(board: sb.Board): string[] {
  const wanted = new Set<string>();
  if (board.shots.length > 1 || (board.shots[0]?.start ?? 0) > 0) wanted.add("shots");
  for (const card of board.media) {
    wanted.add(card.kind === "image" ? "image_pin" : "video_pin");
    if (card.start > 0) wanted.add("later_pin");
    if (card.strength < 1) wanted.add("partial_strength");
  }
  if (board.loop) wanted.add("loop");
  if (board.negativePrompt.trim()) wanted.add("negative_prompt");
  return [...wanted];
}

/** Saves a moment after the last change, and again by itself while the server is away; says how that stands. */
function useSaving(id: string): string {
  const edits = useBoard((board) => board.edits);
  const [words, setWords] = useState("");
  const saved = useRef(0);
  useEffect(() => {
    if (!edits || edits === saved.current) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const save = async () => {
      const { id: open } = useBoard.getState();
      if (open !== id) return;
      try {
        await store(id);
        saved.current = edits;
        setWords(t("Saved"));
        await client.invalidateQueries({ queryKey: ["documents", "storyboard"] });
      } catch (error) {
        if (error instanceof ApiFailure) setWords(t("Not saved: {why}", { why: said(error).text }));
        else {
          setWords(t("Not saved yet: it is tried again by itself"));
          if (!over) timer = setTimeout(() => void save(), SAVE_AGAIN);
        }
      }
    };
    setWords(t("Not saved yet"));
    timer = setTimeout(() => void save(), SAVE_AFTER);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [edits, id]);
  // Neither another page nor a closed window may lose the last words.
  useEffect(() => {
    const keep = (outlive: boolean) => {
      const { edits: last } = useBoard.getState();
      if (last && last !== saved.current) void store(id, outlive).catch(() => undefined);
    };
    const leave = () => keep(true);
    window.addEventListener("pagehide", leave);
    return () => {
      window.removeEventListener("pagehide", leave);
      keep(false);
    };
  }, [id]);
  return words;
}

function store(id: string, outlive = false): Promise<unknown> {
  const { name, history } = useBoard.getState();
  return saveDocument("storyboard", name.trim() || t("Untitled storyboard"), history.present, id, outlive);
}

function Notes({ problems }: { problems: sb.Problem[] }) {
  const gap = (one: sb.Problem) => ({ time: duration(one.seconds ?? 0), at: duration(one.at ?? 0) });
  const words = (one: sb.Problem): string => {
    switch (one.code) {
      case "no_shots":
        return t("A storyboard needs at least one shot.");
      case "empty_prompt":
        return t("This shot has no words yet.");
      case "short_shot":
        return t("A shot of {time} reads as a hard flash.", { time: duration(one.seconds ?? 0) });
      case "long_gap":
        return t("A gap of {time} at {at}: the model will invent a lot here.", gap(one));
      default:
        return t("A gap of {time} at {at} that the model fills.", gap(one));
    }
  };
  const choose = useBoard((board) => board.choose);
  if (!problems.length) return null;
  return (
    <ul className="mt-5 flex flex-col gap-1.5 text-sm" aria-label={t("Notes")}>
      {problems.map((one, index) => (
        <li key={index} className={one.severity === "error" ? "text-warn" : "text-text-3"}>
          {one.id ? (
            <button
              type="button"
              className="text-left underline decoration-dotted underline-offset-4"
              onClick={() => choose(one.id)}
            >
              {words(one)}
            </button>
          ) : (
            words(one)
          )}
        </li>
      ))}
    </ul>
  );
}
