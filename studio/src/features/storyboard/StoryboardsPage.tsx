import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Clapperboard, Plus, Trash2 } from "lucide-react";
import { send } from "@/api/client";
import { documentsQuery, modelsQuery, saveDocument } from "@/api/library";
import { client } from "@/api/query";
import { Button, IconButton } from "@/components/controls";
import { confirm } from "@/components/overlays";
import { Empty, Failure } from "@/components/states";
import { tellFailure } from "@/components/toasts";
import { defaultModel } from "@/features/compose/models";
import { localId } from "@/features/compose/references";
import { ago } from "@/lib/format";
import { t } from "@/lib/i18n";
import { addShot, type Board, emptyBoard } from "@/lib/storyboard";
import { router } from "@/router";

export function exampleBoard(model: string): Board {
  const shots: [string, number][] = [
    [t("a small boat drifts on a calm lake at dawn, wide shot"), 2],
    [t("a white bird flies over the lake, the camera follows"), 2],
    [t("the boat reaches the shore at sunset, close-up"), 2],
  ];
  return shots.reduce((board, [prompt, length]) => addShot(board, localId("s"), prompt, length), {
    ...emptyBoard(model),
    width: 448,
    height: 256,
    seconds: 6,
  });
}

export function StoryboardsPage() {
  const boards = useQuery(documentsQuery("storyboard"));
  const models = useQuery(modelsQuery);
  const model = defaultModel(models.data ?? [])?.id ?? "";
  const add = async (content: Board, name: string) => {
    try {
      const made = await saveDocument("storyboard", name, content);
      await client.invalidateQueries({ queryKey: ["documents", "storyboard"] });
      await router.navigate({ to: "/storyboard/$id", params: { id: made.id } });
    } catch (error) {
      tellFailure(t("No storyboard was made"), error);
    }
  };
  const remove = async (id: string, name: string) => {
    const sure = await confirm({
      title: t("Delete the storyboard {name}?", { name }),
      text: t("Clips made from it stay."),
      action: t("Delete"),
      danger: true,
    });
    if (!sure) return;
    await send("DELETE", `v1/library/documents/${id}`).catch((error) => tellFailure(t("Not deleted"), error));
    await client.invalidateQueries({ queryKey: ["documents", "storyboard"] });
  };
  const fresh = () =>
    void add(
      { ...addShot({ ...emptyBoard(model), width: 448, height: 256, seconds: 4 }, localId("s")), seconds: 4 },
      t("Untitled storyboard"),
    );
  const list = boards.data ?? [];
  return (
    <div className="h-full overflow-y-auto p-4 md:p-8">
      <div className="mx-auto max-w-4xl">
        <header className="mb-5 flex flex-wrap items-center gap-3">
          <div className="mr-auto">
            <h1 className="text-xl font-semibold">{t("Storyboards")}</h1>
            <p className="text-text-3">{t("Several shots on one time axis, generated as one clip.")}</p>
          </div>
          {list.length > 0 && (
            <Button look="primary" onClick={fresh}>
              <Plus aria-hidden className="size-4" /> {t("New storyboard")}
            </Button>
          )}
        </header>
        {boards.isError && <Failure error={boards.error} retry={() => void boards.refetch()} />}
        {boards.data && !list.length && (
          <Empty
            icon={<Clapperboard aria-hidden />}
            title={t("Tell it in shots")}
            action={
              <>
                <Button look="primary" onClick={fresh}>
                  {t("Begin with one shot")}
                </Button>
                <Button onClick={() => void add(exampleBoard(model), t("A morning on the lake"))}>
                  {t("Open an example")}
                </Button>
              </>
            }
          >
            {t(
              "Each shot has its own words and length. Pin pictures and clips where they should appear; the model fills the gaps.",
            )}
          </Empty>
        )}
        <ul className="flex flex-col gap-2">
          {list.map((one) => (
            <li
              key={one.id}
              className="group flex items-center gap-3 rounded-xl border border-line bg-panel pr-3 transition-colors hover:border-line-strong"
            >
              <Link
                to="/storyboard/$id"
                params={{ id: one.id }}
                className="focus-inset flex min-w-0 flex-1 items-center gap-4 rounded-xl p-4"
              >
                <Clapperboard aria-hidden className="size-5 shrink-0 text-text-3" />
                <span className="min-w-0 flex-1 truncate font-medium">{one.name}</span>
                <span className="text-sm text-text-3">{ago(one.updated_at, Date.now() / 1000)}</span>
              </Link>
              <IconButton
                label={t("Delete {name}", { name: one.name })}
                small
                onClick={() => void remove(one.id, one.name)}
              >
                <Trash2 aria-hidden />
              </IconButton>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
