import { useState } from "react";
import { media } from "@/api/library";
import { client } from "@/api/query";
import type { ItemDetail } from "@/api/types";
import { createCharacter } from "@/api/videos";
import { Button, Field, inputLook } from "@/components/controls";
import { Dialog } from "@/components/overlays";
import { tell, tellFailure } from "@/components/toasts";
import { t } from "@/lib/i18n";

/** Names the subject of a clip, so that prompts can call it with @. The clip comes from the library or from a file. */
export function CharacterDialog({ clip, file, onClose }: { clip?: ItemDetail; file?: File; onClose: () => void }) {
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    try {
      await createCharacter(name.trim(), file ?? { id: clip?.id ?? "" });
      await client.invalidateQueries({ queryKey: ["characters"] });
      tell({
        title: t("{name} can be named in prompts", { name: name.trim() }),
        text: t("Write @{name} where it should appear.", { name: name.trim() }),
      });
      onClose();
    } catch (error) {
      tellFailure(t("No character was made"), error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("New character")}
      description={t("A short clip in which it is seen well, alone and whole, works best.")}
      footer={
        <Button look="primary" busy={busy} disabled={!name.trim()} onClick={() => void save()}>
          {t("Save")}
        </Button>
      }
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim()) void save();
        }}
      >
        {clip && (
          <img src={media.thumbnail(clip.id)} alt="" className="max-h-48 self-start rounded-xl object-contain" />
        )}
        {file && <p className="text-text-2">{file.name}</p>}
        <Field label={t("Name")} hint={t("As it will stand in prompts. Only use people who agreed to it.")}>
          {(id) => (
            <input
              id={id}
              value={name}
              maxLength={80}
              autoComplete="off"
              onChange={(event) => setName(event.target.value.replace(/@/g, ""))}
              className={inputLook}
            />
          )}
        </Field>
      </form>
    </Dialog>
  );
}
