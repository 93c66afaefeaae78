import { useQuery } from "@tanstack/react-query";
import { Plus, Trash2, UserRound } from "lucide-react";
import { useRef, useState } from "react";
import { charactersQuery, itemQuery } from "@/api/library";
import { client } from "@/api/query";
import type { Character, ItemDetail } from "@/api/types";
import { deleteCharacter } from "@/api/videos";
import { Button, IconButton } from "@/components/controls";
import { confirm } from "@/components/overlays";
import { Empty, Failure } from "@/components/states";
import { tellFailure } from "@/components/toasts";
import { CharacterDialog } from "@/features/characters/CharacterDialog";
import { useDraft } from "@/features/compose/draft";
import { ClipPicker } from "@/features/library/ClipPicker";
import { ago } from "@/lib/format";
import { t } from "@/lib/i18n";
import { router } from "@/router";

export function CharactersPage() {
  const characters = useQuery(charactersQuery);
  const input = useRef<HTMLInputElement>(null);
  const [file, setFile] = useState<File | null>(null);
  const [clip, setClip] = useState<ItemDetail | null>(null);
  const [picking, setPicking] = useState(false);
  const list = characters.data ?? [];
  const remove = async (one: Character) => {
    const sure = await confirm({
      title: t("Delete {name}?", { name: one.name ?? "" }),
      text: t("Clips that show it stay; prompts can no longer name it."),
      action: t("Delete"),
      danger: true,
    });
    if (!sure) return;
    await deleteCharacter(one.id).catch((error) => tellFailure(t("Not deleted"), error));
    await client.invalidateQueries({ queryKey: ["characters"] });
  };
  const use = (one: Character) => {
    const { prompt, set } = useDraft.getState();
    set({ prompt: `${prompt.trimEnd()}${prompt.trim() ? " " : ""}@${one.name} ` });
    void router.navigate({ to: "/" });
  };
  const buttons = (
    <>
      <Button look="primary" onClick={() => setPicking(true)}>
        <Plus aria-hidden className="size-4" /> {t("From a clip")}
      </Button>
      <Button onClick={() => input.current?.click()}>{t("From a file")}</Button>
    </>
  );
  return (
    <div className="h-full overflow-y-auto p-4 md:p-8">
      <div className="mx-auto max-w-4xl">
        <header className="mb-5 flex flex-wrap items-center gap-3">
          <div className="mr-auto">
            <h1 className="text-xl font-semibold">{t("Characters")}</h1>
            <p className="text-text-3">
              {t("People, animals, things: name them in a prompt with @ and they appear again.")}
            </p>
          </div>
          {list.length > 0 && <div className="flex gap-2">{buttons}</div>}
        </header>
        {characters.isError && <Failure error={characters.error} retry={() => void characters.refetch()} />}
        {characters.data && !list.length && (
          <Empty icon={<UserRound aria-hidden />} title={t("Nobody is here yet")} action={buttons}>
            {t(
              "Take a clip of two to four seconds in which the character is seen well. At most two can be named in one prompt.",
            )}
          </Empty>
        )}
        <ul className="grid gap-2 sm:grid-cols-2">
          {list.map((one) => (
            <li key={one.id} className="flex items-center gap-3 rounded-xl border border-line bg-panel p-3">
              <span
                aria-hidden
                className="dawn grid size-10 shrink-0 place-items-center rounded-full font-semibold text-on-accent"
              >
                {one.name?.slice(0, 1).toUpperCase()}
              </span>
              <span className="min-w-0 flex-1">
                <span className="block truncate font-medium">@{one.name}</span>
                <span className="text-xs text-text-3">{ago(one.created_at, Date.now() / 1000)}</span>
              </span>
              <Button small onClick={() => use(one)}>
                {t("Use")}
              </Button>
              <IconButton label={t("Delete {name}", { name: one.name ?? "" })} small onClick={() => void remove(one)}>
                <Trash2 aria-hidden />
              </IconButton>
            </li>
          ))}
        </ul>
        <input
          ref={input}
          type="file"
          hidden
          aria-label={t("Clip of the character")}
          accept="video/mp4,video/webm,video/quicktime"
          onChange={(event) => {
            setFile(event.target.files?.[0] ?? null);
            event.target.value = "";
          }}
        />
        <ClipPicker
          open={picking}
          onClose={() => setPicking(false)}
          title={t("A clip that shows the character")}
          onPick={(item) => void client.fetchQuery(itemQuery(item.id)).then(setClip)}
        />
        {file && <CharacterDialog file={file} onClose={() => setFile(null)} />}
        {clip && <CharacterDialog clip={clip} onClose={() => setClip(null)} />}
      </div>
    </div>
  );
}
