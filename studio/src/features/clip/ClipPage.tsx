import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { ArrowLeft, Ellipsis, Heart } from "lucide-react";
import { useRef, useState } from "react";
import { facts, itemQuery, media, useChangeItem } from "@/api/library";
import { useLiveJob } from "@/api/live";
import type { ItemDetail } from "@/api/types";
import { Badge, cx, IconButton } from "@/components/controls";
import { Menu } from "@/components/overlays";
import { starKeys } from "@/components/Stars";
import { Failure } from "@/components/states";
import { Details } from "@/features/clip/Details";
import { Player, type PlayerHandle, type Span } from "@/features/clip/Player";
import { Unfinished } from "@/features/clip/Unfinished";
import { favourite, itemActions, rate, trash } from "@/features/library/actions";
import { BlendTool } from "@/features/tools/BlendTool";
import { ExportTool } from "@/features/tools/ExportTool";
import { ExtendTool } from "@/features/tools/ExtendTool";
import { LoopTool } from "@/features/tools/LoopTool";
import { RecutTool } from "@/features/tools/RecutTool";
import { RemixTool } from "@/features/tools/RemixTool";
import { useHotkeys } from "@/lib/hotkeys";
import { t } from "@/lib/i18n";
import { router, TOOLS, type Tool } from "@/router";

const route = getRouteApi("/clip/$id");

export function ClipPage() {
  const { id } = route.useParams();
  const item = useQuery(itemQuery(id));
  if (item.isError) {
    return (
      <div className="grid h-full place-items-center p-6">
        <Failure error={item.error} retry={() => void item.refetch()} title={t("This clip cannot be shown")} />
      </div>
    );
  }
  return item.data ? (
    <Clip key={item.data.id} item={item.data} />
  ) : (
    <div aria-hidden className="shimmer m-6 aspect-video rounded-xl" />
  );
}

export interface ToolProps {
  item: ItemDetail;
  player: React.RefObject<PlayerHandle | null>;
  span: Span;
  setSpan: (span: Span) => void;
}

const TITLES: Record<Tool, () => string> = {
  details: () => t("Details"),
  remix: () => t("Remix"),
  recut: () => t("Re-cut"),
  extend: () => t("Extend"),
  loop: () => t("Loop"),
  blend: () => t("Blend"),
  export: () => t("Export"),
};
const USES_SPAN: readonly Tool[] = ["loop", "export"];

function Clip({ item }: { item: ItemDetail }) {
  const { tool = "details" } = route.useSearch();
  const navigate = route.useNavigate();
  const history = useRouter().history;
  const live = useLiveJob(item.id);
  const player = useRef<PlayerHandle>(null);
  const known = facts(item);
  const [span, setSpan] = useState<Span>({ from: 0, to: known.seconds });
  const done = item.status === "completed";
  const open = (next: Tool) =>
    void navigate({ search: { tool: next === "details" ? undefined : next }, replace: true });
  const shown: Tool = done ? tool : "details";

  useHotkeys({
    escape: () => (history.canGoBack() ? history.back() : void router.navigate({ to: "/library" })),
    ...starKeys((rating) => void rate([item.id], rating)),
    f: () => void favourite([item.id], !item.favourite),
    r: () => open("remix"),
    e: () => open("extend"),
    c: () => void router.navigate({ to: "/compare", search: { clips: item.id } }),
    delete: () => void trash([item.id]).then((gone) => (gone ? router.navigate({ to: "/library" }) : undefined)),
  });

  return (
    <div className="flex h-full min-h-0 flex-col max-lg:overflow-y-auto lg:flex-row">
      <section className="flex min-h-0 min-w-0 flex-1 flex-col gap-3 p-4 max-lg:flex-none md:p-5">
        <header className="flex items-center gap-2">
          <IconButton
            label={t("Back")}
            keys="escape"
            side="bottom"
            onClick={() => (history.canGoBack() ? history.back() : void router.navigate({ to: "/library" }))}
          >
            <ArrowLeft aria-hidden />
          </IconButton>
          <Title item={item} />
          {item.procedural && <Badge>{t("procedural")}</Badge>}
          {item.trashed_at && <Badge tone="warn">{t("in the trash")}</Badge>}
          <IconButton
            label={item.favourite ? t("No longer a favourite") : t("Favourite")}
            keys="f"
            active={item.favourite}
            side="bottom"
            onClick={() => void favourite([item.id], !item.favourite)}
          >
            <Heart aria-hidden className={item.favourite ? "fill-current" : ""} />
          </IconButton>
          <Menu
            label={t("Actions")}
            trigger={
              <IconButton label={t("Actions")} side="bottom">
                <Ellipsis aria-hidden />
              </IconButton>
            }
            actions={itemActions(item)}
          />
        </header>
        <div className="flex min-h-0 flex-1 flex-col max-lg:flex-none">
          {done ? (
            <Player
              ref={player}
              src={media.video(item.id)}
              poster={media.thumbnail(item.id)}
              label={item.title || item.prompt || t("Clip")}
              fps={known.fps}
              seconds={known.seconds}
              width={known.width}
              height={known.height}
              span={USES_SPAN.includes(shown) ? span : undefined}
              onSpan={setSpan}
            />
          ) : (
            <Unfinished item={item} live={live} />
          )}
        </div>
      </section>
      <aside className="flex min-h-0 w-full shrink-0 flex-col border-line bg-panel max-lg:border-t lg:w-[416px] lg:border-l 2xl:w-[460px]">
        <div
          role="tablist"
          aria-label={t("What to do with the clip")}
          className="flex overflow-x-auto border-b border-line px-3 pt-2"
        >
          {TOOLS.map((name) => (
            <button
              key={name}
              type="button"
              role="tab"
              id={`tab-${name}`}
              aria-selected={shown === name}
              aria-controls="tool-panel"
              tabIndex={shown === name ? 0 : -1}
              disabled={!done && name !== "details"}
              onClick={() => open(name)}
              onKeyDown={(event) => {
                const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
                if (!step || !done) return;
                event.preventDefault();
                event.stopPropagation();
                const next = TOOLS[(TOOLS.indexOf(shown) + step + TOOLS.length) % TOOLS.length] as Tool;
                open(next);
                document.getElementById(`tab-${next}`)?.focus();
              }}
              className={cx(
                "focus-inset relative h-9 shrink-0 px-2 text-sm 2xl:px-3 transition-colors disabled:opacity-40",
                shown === name
                  ? "font-medium text-text after:absolute after:inset-x-2 after:bottom-0 after:h-0.5 after:rounded-full after:bg-accent"
                  : "text-text-3 hover:text-text",
              )}
            >
              {TITLES[name]()}
            </button>
          ))}
        </div>
        <div
          role="tabpanel"
          id="tool-panel"
          aria-labelledby={`tab-${shown}`}
          className="min-h-0 flex-1 overflow-y-auto p-5 max-lg:overflow-visible"
        >
          <ToolPanel tool={shown} item={item} player={player} span={span} setSpan={setSpan} />
        </div>
      </aside>
    </div>
  );
}

function ToolPanel({ tool, ...props }: ToolProps & { tool: Tool }) {
  switch (tool) {
    case "remix":
      return <RemixTool {...props} />;
    case "recut":
      return <RecutTool {...props} />;
    case "extend":
      return <ExtendTool {...props} />;
    case "loop":
      return <LoopTool {...props} />;
    case "blend":
      return <BlendTool {...props} />;
    case "export":
      return <ExportTool {...props} />;
    default:
      return <Details {...props} />;
  }
}

function Title({ item }: { item: ItemDetail }) {
  const change = useChangeItem();
  const [editing, setEditing] = useState(false);
  const name = item.title || item.prompt || item.id;
  if (!editing) {
    return (
      <h1 className="min-w-0 flex-1">
        <button
          type="button"
          title={t("Give it a title")}
          onClick={() => setEditing(true)}
          className="max-w-full truncate rounded-md px-1.5 text-left text-lg font-semibold hover:bg-hover"
        >
          {name}
        </button>
      </h1>
    );
  }
  const save = (title: string) => {
    setEditing(false);
    if (title.trim() !== (item.title ?? "")) change.mutate({ id: item.id, change: { title: title.trim() } });
  };
  return (
    <input
      aria-label={t("Title")}
      // biome-ignore lint/a11y/noAutofocus: it was asked for just now
      autoFocus
      defaultValue={item.title ?? ""}
      maxLength={200}
      placeholder={item.prompt ?? ""}
      onBlur={(event) => save(event.target.value)}
      onKeyDown={(event) => {
        if (event.key === "Enter") save(event.currentTarget.value);
        if (event.key === "Escape") {
          event.stopPropagation();
          setEditing(false);
        }
      }}
      className="h-9 min-w-0 flex-1 rounded-lg border border-line-strong bg-ground px-2 text-lg font-semibold"
    />
  );
}
