import { Copy, Plus, Scissors, Trash2 } from "lucide-react";
import { Button, Field, IconButton, inputLook, Range } from "@/components/controls";
import { PromptBox } from "@/features/compose/PromptBox";
import { localId } from "@/features/compose/references";
import { useBoard } from "@/features/storyboard/board";
import { pictureOf } from "@/features/storyboard/picture";
import { duration } from "@/lib/format";
import { t } from "@/lib/i18n";
import * as sb from "@/lib/storyboard";
import { MAX_SECONDS } from "@/lib/timeline";

/** The words and numbers of the chosen card. */
export function CardEditor({ add }: { add: () => void }) {
  const { history, chosen } = useBoard();
  const board = history.present;
  const shot = board.shots.find((one) => one.id === chosen);
  const media = board.media.find((one) => one.id === chosen);
  if (shot) return <ShotEditor key={shot.id} shot={shot} number={board.shots.indexOf(shot) + 1} />;
  if (media) return <MediaEditor key={media.id} card={media} />;
  return (
    <div className="grid place-items-center gap-3 py-10 text-center text-text-3">
      <p>
        {board.shots.length
          ? t("Choose a card on the time axis below.")
          : t("Add the first shot and say what it shows.")}
      </p>
      <Button onClick={add}>
        <Plus aria-hidden className="size-4" /> {t("Add a shot")}
      </Button>
    </div>
  );
}

function Seconds({ label, value, onChange }: { label: string; value: number; onChange: (value: number) => void }) {
  return (
    <Field label={label}>
      {(id) => (
        <input
          id={id}
          type="number"
          min={0}
          max={MAX_SECONDS}
          step={0.25}
          value={Number(value.toFixed(3))}
          onChange={(event) => Number.isFinite(event.target.valueAsNumber) && onChange(event.target.valueAsNumber)}
          className={`${inputLook} w-28 tabular`}
        />
      )}
    </Field>
  );
}

function ShotEditor({ shot, number }: { shot: sb.ShotCard; number: number }) {
  const { edit, playhead, choose, history } = useBoard();
  const cut = sb.splitPoint(history.present, shot.id, playhead);
  return (
    <section aria-label={t("Shot {number}", { number })} className="flex max-w-3xl flex-col gap-4">
      <header className="flex items-center gap-1">
        <h2 className="mr-auto text-lg font-semibold">{t("Shot {number}", { number })}</h2>
        <IconButton
          label={cut === playhead ? t("Split at the playhead") : t("Split in the middle")}
          keys="s"
          onClick={() => edit((now) => sb.splitShot(now, shot.id, cut, localId("s")))}
        >
          <Scissors aria-hidden />
        </IconButton>
        <IconButton
          label={t("Duplicate")}
          keys="d"
          onClick={() => {
            const copy = localId("s");
            edit((now) => sb.duplicateShot(now, shot.id, copy));
            choose(copy);
          }}
        >
          <Copy aria-hidden />
        </IconButton>
        <IconButton label={t("Delete")} keys="delete" onClick={() => edit((now) => sb.remove(now, shot.id))}>
          <Trash2 aria-hidden />
        </IconButton>
      </header>
      <div data-words className="rounded-xl border border-line-strong bg-panel px-3 py-2 focus-within:border-control">
        <PromptBox
          value={shot.prompt}
          label={t("What shot {number} shows", { number })}
          placeholder={t("What this shot shows")}
          rows={4}
          onChange={(prompt) => edit((now) => sb.setPrompt(now, shot.id, prompt), `words ${shot.id}`)}
        />
      </div>
      <div className="flex flex-wrap gap-4">
        <Seconds
          label={t("Begins at, seconds")}
          value={shot.start}
          onChange={(start) => edit((now) => sb.moveShot(now, shot.id, start), `start ${shot.id}`)}
        />
        <Seconds
          label={t("Length, seconds")}
          value={shot.length}
          onChange={(length) =>
            edit((now) => sb.resizeShot(now, shot.id, "end", shot.start + length, true), `length ${shot.id}`)
          }
        />
      </div>
    </section>
  );
}

function MediaEditor({ card }: { card: sb.MediaCard }) {
  const { edit, history } = useBoard();
  const frame = 1 / history.present.fps;
  const change = (next: Partial<sb.MediaCard>) => edit((now) => sb.changeMedia(now, card.id, next), `media ${card.id}`);
  return (
    <section aria-label={card.name} className="flex max-w-3xl flex-col gap-4">
      <header className="flex items-center gap-3">
        {pictureOf(card) && (
          <img src={pictureOf(card) ?? undefined} alt="" className="h-20 rounded-lg object-contain" />
        )}
        <h2 className="mr-auto line-clamp-2 font-semibold">{card.name}</h2>
        <IconButton label={t("Delete")} keys="delete" onClick={() => edit((now) => sb.remove(now, card.id))}>
          <Trash2 aria-hidden />
        </IconButton>
      </header>
      <div className="flex flex-wrap items-end gap-4">
        <Seconds label={t("Begins at, seconds")} value={card.start} onChange={(start) => change({ start })} />
        <Seconds label={t("Length, seconds")} value={card.length} onChange={(length) => change({ length })} />
        {card.kind === "video" && (
          <Seconds
            label={t("Plays from, seconds")}
            value={card.mediaStart}
            onChange={(mediaStart) => change({ mediaStart })}
          />
        )}
        {card.kind === "image" && (
          <Button small className="mb-0.5" onClick={() => change({ length: frame })}>
            {t("Only one frame")}
          </Button>
        )}
      </div>
      <Field
        label={t("How firmly it is held")}
        trailing={`${Math.round(card.strength * 100)} %`}
        hint={t("At 100 % it is seen as it is; below, the model makes it its own.")}
      >
        {() => (
          <Range
            label={t("How firmly it is held")}
            min={0.1}
            max={1}
            step={0.05}
            value={card.strength}
            onChange={(strength) => change({ strength })}
            shown={`${Math.round(card.strength * 100)} %`}
            className="max-w-sm"
          />
        )}
      </Field>
      {card.mediaSeconds !== null && (
        <p className="text-sm text-text-3">{t("The clip is {time} long.", { time: duration(card.mediaSeconds) })}</p>
      )}
    </section>
  );
}
