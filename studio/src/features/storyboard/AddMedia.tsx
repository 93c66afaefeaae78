import { useRef, useState } from "react";
import { facts, itemQuery } from "@/api/library";
import { client } from "@/api/query";
import type { Item } from "@/api/types";
import { uploadFile } from "@/api/videos";
import { Button } from "@/components/controls";
import { Dialog } from "@/components/overlays";
import { tellFailure } from "@/components/toasts";
import { fileReference, localId } from "@/features/compose/references";
import { ClipPicker } from "@/features/library/ClipPicker";
import { useBoard } from "@/features/storyboard/board";
import { t } from "@/lib/i18n";
import * as sb from "@/lib/storyboard";

/** Puts a picture or a clip onto the board, at the playhead. */
export function AddMedia({ open, onClose, at }: { open: boolean; onClose: () => void; at: number }) {
  const { edit, choose } = useBoard();
  const file = useRef<HTMLInputElement>(null);
  const [picking, setPicking] = useState(false);
  const put = (card: Omit<sb.MediaCard, "id" | "start" | "strength" | "mediaStart">) => {
    const id = localId("m");
    edit((now) =>
      sb.addMedia(now, {
        ...card,
        id,
        start: Math.min(at, Math.max(0, now.seconds - card.length)),
        strength: 1,
        mediaStart: 0,
      }),
    );
    choose(id);
    onClose();
  };
  const takeFile = async (one: File) => {
    try {
      const reference = await fileReference(one, one.name);
      const { id } = await uploadFile(one, one.name);
      URL.revokeObjectURL(reference.url);
      put({
        kind: reference.kind,
        media: id,
        name: one.name,
        length: reference.seconds ?? 1,
        mediaSeconds: reference.seconds,
      });
    } catch (error) {
      tellFailure(t("{name} was not added", { name: one.name }), error);
    }
  };
  const takeClip = async (item: Item) => {
    try {
      const detail = await client.fetchQuery(itemQuery(item.id));
      const { seconds } = facts(detail);
      put({
        kind: "video",
        media: item.id,
        name: item.title || item.prompt || item.id,
        length: seconds,
        mediaSeconds: seconds,
      });
    } catch (error) {
      tellFailure(t("The clip could not be added"), error);
    }
  };
  return (
    <>
      <Dialog
        open={open && !picking}
        onClose={onClose}
        title={t("Hold a picture or clip at a time")}
        description={t("It is put at the playhead and can be moved afterwards.")}
      >
        <div className="grid gap-2 sm:grid-cols-2">
          <Button className="h-20!" onClick={() => file.current?.click()}>
            {t("From this computer")}
          </Button>
          <Button className="h-20!" onClick={() => setPicking(true)}>
            {t("From the library")}
          </Button>
        </div>
      </Dialog>
      <input
        ref={file}
        type="file"
        hidden
        aria-label={t("Picture or clip")}
        accept="image/png,image/jpeg,image/webp,video/mp4,video/webm"
        onChange={(event) => {
          const one = event.target.files?.[0];
          if (one) void takeFile(one);
          event.target.value = "";
        }}
      />
      <ClipPicker
        open={picking}
        onClose={() => {
          setPicking(false);
          onClose();
        }}
        title={t("Hold a clip")}
        onPick={(item) => void takeClip(item)}
      />
    </>
  );
}
