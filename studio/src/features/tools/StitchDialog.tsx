import { useQueries } from "@tanstack/react-query";
import { ArrowDown, ArrowUp, X } from "lucide-react";
import { useState } from "react";
import { itemQuery, media } from "@/api/library";
import { client } from "@/api/query";
import { sendTool } from "@/api/videos";
import { Button, IconButton } from "@/components/controls";
import { Dialog } from "@/components/overlays";
import { Failure } from "@/components/states";
import { tell, tellFailure } from "@/components/toasts";
import { sourceOf } from "@/features/tools/ToolForm";
import { duration } from "@/lib/format";
import { plural, t } from "@/lib/i18n";
import { MAX_SECONDS, stitch } from "@/lib/timeline";
import { router } from "@/router";

/** Several clips one after the other, as one. Nothing is generated: each stays frame by frame. */
export function StitchDialog({ ids, onClose }: { ids: string[]; onClose: () => void }) {
  const [order, setOrder] = useState(ids);
  const [busy, setBusy] = useState(false);
  const results = useQueries({ queries: order.map((id) => itemQuery(id)) });
  const items = results.flatMap((result) => (result.data?.status === "completed" ? [result.data] : []));
  const error = results.find((result) => result.isError)?.error;
  const sources = items.map(sourceOf);
  const total = sources.reduce((sum, one) => sum + one.seconds, 0);
  const move = (index: number, by: number) => {
    const next = [...order];
    const [taken] = next.splice(index, 1);
    next.splice(index + by, 0, taken as string);
    setOrder(next);
  };
  const send = async () => {
    setBusy(true);
    try {
      const model = items[0]?.model ?? "";
      const video = await sendTool(
        "stitch",
        stitch(sources.map((source) => ({ source, from: 0, to: source.seconds }))),
        model,
      );
      await client.invalidateQueries({ queryKey: ["library"] });
      tell({
        title: t("Queued"),
        action: {
          label: t("Follow it"),
          run: () => void router.navigate({ to: "/clip/$id", params: { id: video.id } }),
        },
      });
      onClose();
    } catch (failure) {
      tellFailure(t("Not queued"), failure);
    } finally {
      setBusy(false);
    }
  };
  const problem =
    items.length < 2
      ? t("Two finished clips or more are needed.")
      : total > MAX_SECONDS
        ? t("Together they are longer than {seconds} seconds.", { seconds: MAX_SECONDS })
        : null;
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("Stitch into one clip")}
      description={t("One after the other, each as it is. The first decides size and frame rate.")}
      footer={
        <>
          <span className="mr-auto text-sm text-text-3 tabular">
            {problem ??
              `${plural(items.length, "{count} clip", "{count} clips")}, ${duration(Number(total.toFixed(1)))}`}
          </span>
          <Button look="primary" busy={busy} disabled={problem !== null} onClick={() => void send()}>
            {t("Stitch")}
          </Button>
        </>
      }
    >
      {error && <Failure error={error} />}
      <ol className="flex flex-col gap-2">
        {order.map((id, index) => {
          const item = results[index]?.data;
          return (
            <li key={id} className="flex items-center gap-3 rounded-xl border border-line bg-raised p-2">
              <span className="w-5 text-center text-sm text-text-3 tabular">{index + 1}</span>
              <img src={media.thumbnail(id)} alt="" className="h-11 w-20 rounded-md bg-ground object-cover" />
              <span className="min-w-0 flex-1">
                <span className="line-clamp-1 text-sm">{item?.title || item?.prompt || id}</span>
                <span className="text-xs text-text-3">
                  {item
                    ? item.status === "completed"
                      ? `${item.seconds} s · ${item.size.replace("x", "×")}`
                      : t("not finished, left out")
                    : "…"}
                </span>
              </span>
              <IconButton label={t("Earlier")} small disabled={index === 0} onClick={() => move(index, -1)}>
                <ArrowUp aria-hidden />
              </IconButton>
              <IconButton label={t("Later")} small disabled={index === order.length - 1} onClick={() => move(index, 1)}>
                <ArrowDown aria-hidden />
              </IconButton>
              <IconButton label={t("Leave out")} small onClick={() => setOrder(order.filter((one) => one !== id))}>
                <X aria-hidden />
              </IconButton>
            </li>
          );
        })}
      </ol>
    </Dialog>
  );
}
