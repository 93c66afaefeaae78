import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Camera, Copy, GitBranch, Repeat2, Sparkles, UserRoundPlus, X } from "lucide-react";
import { type ReactNode, useState } from "react";
import { saveBlob } from "@/api/client";
import { facetsQuery, facts, lineageQuery, media, useChangeItem } from "@/api/library";
import type { ItemDetail, LineageNode } from "@/api/types";
import { Badge, Button, cx, inputLook, Select } from "@/components/controls";
import { Menu } from "@/components/overlays";
import { StarButtons } from "@/components/Stars";
import { Copyable } from "@/components/states";
import { tellFailure } from "@/components/toasts";
import { CharacterDialog } from "@/features/characters/CharacterDialog";
import { reuseById } from "@/features/clip/again";
import type { ToolProps } from "@/features/clip/ClipPage";
import type { PlayerHandle } from "@/features/clip/Player";
import { type Use, useDraft } from "@/features/compose/draft";
import { fileReference } from "@/features/compose/references";
import { bytes, duration, moment } from "@/lib/format";
import { t } from "@/lib/i18n";
import { kindName } from "@/lib/kinds";
import { router } from "@/router";

/** Everything that is known about a clip, and what it can become. */
export function Details({ item, player }: ToolProps) {
  const [naming, setNaming] = useState(false);
  const done = item.status === "completed";
  return (
    <div className="flex flex-col gap-6">
      <Prompts item={item} />
      <div className="flex flex-wrap gap-2">
        <Button small onClick={() => void reuseById(item, true)}>
          <Repeat2 aria-hidden className="size-4" /> {t("Reuse all settings")}
        </Button>
        <Button small onClick={() => void reuseById(item, false)}>
          <Sparkles aria-hidden className="size-4" /> {t("With a new seed")}
        </Button>
        {done && (
          <Menu
            label={t("Frame")}
            trigger={
              <Button small>
                <Camera aria-hidden className="size-4" /> {t("Use a frame")}
              </Button>
            }
            actions={[
              { label: t("This frame as first frame"), run: () => void takeFrame(player, item, null, "first") },
              {
                label: t("Last frame as first frame"),
                hint: t("to go on from where it ends"),
                run: () => void takeFrame(player, item, facts(item).seconds, "first"),
              },
              {
                label: t("First frame as last frame"),
                hint: t("to lead up to it"),
                run: () => void takeFrame(player, item, 0, "last"),
              },
              null,
              { label: t("Save this frame as PNG"), run: () => void saveFrame(player, item) },
            ]}
          />
        )}
        {done && (
          <Button small onClick={() => setNaming(true)}>
            <UserRoundPlus aria-hidden className="size-4" /> {t("Save as character")}
          </Button>
        )}
      </div>
      <Filing item={item} />
      <Facts item={item} />
      <Lineage id={item.id} />
      {naming && <CharacterDialog clip={item} onClose={() => setNaming(false)} />}
    </div>
  );
}

function settled(): Promise<void> {
  return new Promise((done) => setTimeout(done, 250)); // until the frame that was sought is on screen
}

async function frameOf(player: React.RefObject<PlayerHandle | null>, at: number | null): Promise<Blob> {
  const handle = player.current;
  if (!handle) throw new Error(t("The clip is not loaded yet."));
  handle.pause();
  if (at !== null) {
    handle.seek(at);
    await settled();
  }
  return handle.capture();
}

async function takeFrame(
  player: React.RefObject<PlayerHandle | null>,
  item: ItemDetail,
  at: number | null,
  use: Use,
): Promise<void> {
  try {
    const blob = await frameOf(player, at);
    const reference = await fileReference(
      blob,
      t("Frame of {name}", { name: item.title || item.prompt || item.id }),
      use,
    );
    useDraft.getState().addReference(reference);
    useDraft.getState().set({ size: item.size });
    await router.navigate({ to: "/" });
  } catch (error) {
    tellFailure(t("The frame was not taken"), error);
  }
}

async function saveFrame(player: React.RefObject<PlayerHandle | null>, item: ItemDetail): Promise<void> {
  try {
    saveBlob(await frameOf(player, null), `${item.id}.png`);
  } catch (error) {
    tellFailure(t("The frame was not saved"), error);
  }
}

function Prompts({ item }: { item: ItemDetail }) {
  const { shots, negative_prompt } = item.timeline;
  return (
    <section aria-label={t("Prompt")} className="flex flex-col gap-3">
      {shots.length > 1 ? (
        <ol className="flex flex-col gap-2">
          {shots.map((shot, index) => (
            <li key={index} className="flex gap-3">
              <span className="w-16 shrink-0 pt-0.5 font-mono text-xs text-text-3 tabular">
                {shot.start.toFixed(1)}–
                {(
                  shot.end ??
                  shots[index + 1]?.start ??
                  item.timeline.spec.num_frames / item.timeline.spec.fps
                ).toFixed(1)}
              </span>
              <p className="min-w-0 break-words whitespace-pre-wrap">{shot.prompt}</p>
            </li>
          ))}
        </ol>
      ) : (
        <p className="break-words whitespace-pre-wrap">{item.prompt}</p>
      )}
      {negative_prompt && (
        <p className="text-sm break-words text-text-3">
          {t("Not:")} {negative_prompt}
        </p>
      )}
      {item.revised_prompt && item.revised_prompt !== item.prompt && (
        <p className="text-sm break-words text-text-3">
          {t("The model was told:")} {item.revised_prompt}
        </p>
      )}
      {item.not_followed.length > 0 && (
        <p className="text-sm break-words text-text-3">
          {t("It has no picture for:")} {item.not_followed.join(", ")}
        </p>
      )}
      <button
        type="button"
        onClick={() => void navigator.clipboard?.writeText(item.prompt ?? "")}
        className="flex w-fit items-center gap-1.5 rounded text-xs text-text-3 hover:text-text"
      >
        <Copy aria-hidden className="size-3.5" /> {t("Copy prompt")}
      </button>
    </section>
  );
}

function Filing({ item }: { item: ItemDetail }) {
  const change = useChangeItem();
  const facets = useQuery(facetsQuery);
  const [text, setText] = useState("");
  const save = (tags: string[]) =>
    change.mutate({ id: item.id, change: { tags } }, { onError: (error) => tellFailure(t("Not tagged"), error) });
  return (
    <section aria-label={t("Where it is kept")} className="flex flex-col gap-2.5">
      <StarButtons
        rating={item.rating}
        onChange={(rating) =>
          change.mutate(
            { id: item.id, change: { rating } },
            { onError: (error) => tellFailure(t("No stars were given"), error) },
          )
        }
      />
      <div className="flex flex-wrap items-center gap-1.5">
        {item.tags.map((tag) => (
          <span key={tag} className="inline-flex h-7 items-center gap-1 rounded-full bg-hover pr-1 pl-3 text-sm">
            {tag}
            <button
              type="button"
              aria-label={t("Take the tag {tag} off", { tag })}
              onClick={() => save(item.tags.filter((one) => one !== tag))}
              className="rounded-full p-1 text-text-3 hover:text-text"
            >
              <X aria-hidden className="size-3.5" />
            </button>
          </span>
        ))}
        <input
          aria-label={t("Add a tag")}
          placeholder={t("Add a tag")}
          list="all-tags"
          maxLength={60}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || !text.trim()) return;
            save([...item.tags, text.trim()]);
            setText("");
          }}
          className={cx(inputLook, "h-7! w-32! rounded-full! text-sm")}
        />
        <datalist id="all-tags">
          {facets.data?.tags.map((one) => (
            <option key={one.name} value={one.name} />
          ))}
        </datalist>
      </div>
      {Boolean(facets.data?.folders.length) && (
        <Select
          label={t("Folder")}
          className="w-fit"
          value={item.folder_id ?? ""}
          choices={[
            { value: "", label: t("No folder") },
            ...(facets.data?.folders ?? []).map((folder) => ({ value: folder.id, label: folder.name })),
          ]}
          onChange={(folder) => change.mutate({ id: item.id, change: { folder_id: folder || null } })}
        />
      )}
    </section>
  );
}

function Facts({ item }: { item: ItemDetail }) {
  const known = facts(item);
  const video = item.assets.find((asset) => asset.variant === "video");
  const { settings } = item;
  const rows: [string, ReactNode][] = [
    [t("Model"), item.model === item.engine_model ? item.model : `${item.model} → ${item.engine_model}`],
    [t("Size"), `${known.width} × ${known.height}`],
    [
      t("Length"),
      `${duration(Number(known.seconds.toFixed(2)))}, ${t("{count} frames at {fps}", { count: Math.round(known.seconds * known.fps), fps: known.fps })}`,
    ],
    [t("Seed"), settings.seed == null ? "–" : <Copyable key="seed" text={String(settings.seed)} />],
    [t("Steps"), settings.num_inference_steps ?? t("model's own")],
    [t("Guidance"), settings.guidance_scale ?? t("model's own")],
    [t("Made by"), kindName(item.tool ?? item.kind)],
    [t("Asked for"), moment(item.created_at)],
    ...(item.completed_at ? ([[t("Done"), moment(item.completed_at)]] as [string, ReactNode][]) : []),
    ...(item.duration ? ([[t("Work"), duration(item.duration)]] as [string, ReactNode][]) : []),
    ...(item.expires_at ? ([[t("Expires"), moment(item.expires_at)]] as [string, ReactNode][]) : []),
    ...(video ? ([[t("File"), `${bytes(video.bytes)}, ${video.content_type}`]] as [string, ReactNode][]) : []),
    [t("Id"), <Copyable key="id" text={item.id} className="font-mono text-xs" />],
    ...(video
      ? ([["SHA-256", <Copyable key="sha" text={video.sha256} className="font-mono text-xs" />]] as [
          string,
          ReactNode,
        ][])
      : []),
  ];
  return (
    <section aria-label={t("Facts")}>
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-5 gap-y-1.5 text-sm">
        {rows.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-text-3">{name}</dt>
            <dd className="min-w-0 truncate tabular">{value}</dd>
          </div>
        ))}
      </dl>
      {item.procedural && (
        <p className="mt-3 text-xs text-text-3">{t("Rendered by a program, not by a learned model.")}</p>
      )}
    </section>
  );
}

/** What came from what, as a tree; the clip itself is marked. */
function Lineage({ id }: { id: string }) {
  const lineage = useQuery(lineageQuery(id));
  const nodes = lineage.data?.data ?? [];
  if (nodes.length < 2) return null;
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const roots = nodes.filter((node) => !node.sources.some((source) => byId.has(source)));
  return (
    <section aria-labelledby="lineage-title">
      <h2 id="lineage-title" className="mb-2 flex items-center gap-2 text-sm font-medium text-text-2">
        <GitBranch aria-hidden className="size-4" /> {t("Where it comes from, and what came of it")}
      </h2>
      <ul className="flex flex-col gap-1">
        {roots.map((node) => (
          <Branch key={node.id} node={node} nodes={nodes} current={id} path={[]} />
        ))}
      </ul>
    </section>
  );
}

function Branch({
  node,
  nodes,
  current,
  path,
}: {
  node: LineageNode;
  nodes: LineageNode[];
  current: string;
  path: string[];
}) {
  const children = path.includes(node.id) ? [] : nodes.filter((one) => one.sources.includes(node.id));
  const name = node.title || node.prompt || (node.gone ? t("deleted clip") : node.id);
  const inside = (
    <>
      <span className="relative h-9 w-14 shrink-0 overflow-hidden rounded-md bg-ground">
        {!node.gone && node.status === "completed" && (
          <img src={media.thumbnail(node.id)} alt="" loading="lazy" className="size-full object-cover" />
        )}
      </span>
      <span className="min-w-0 flex-1">
        <span className="line-clamp-1 text-sm">{name}</span>
        <span className="flex gap-1.5 text-xs text-text-3">
          {node.kind && kindName(node.tool ?? node.kind)}
          {node.sources.length > 1 && <Badge>{t("{count} sources", { count: node.sources.length })}</Badge>}
        </span>
      </span>
    </>
  );
  return (
    <li>
      {node.gone ? (
        <span className="flex items-center gap-2.5 rounded-lg p-1.5 text-text-3">{inside}</span>
      ) : (
        <Link
          to="/clip/$id"
          params={{ id: node.id }}
          aria-current={node.id === current ? "true" : undefined}
          className={cx(
            "flex items-center gap-2.5 rounded-lg p-1.5",
            node.id === current ? "bg-accent-soft" : "hover:bg-hover",
          )}
        >
          {inside}
        </Link>
      )}
      {children.length > 0 && (
        <ul className="ml-4 flex flex-col gap-1 border-l border-line-strong pl-3">
          {children.map((child) => (
            <Branch key={child.id} node={child} nodes={nodes} current={current} path={[...path, node.id]} />
          ))}
        </ul>
      )}
    </li>
  );
}
