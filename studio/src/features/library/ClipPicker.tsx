import { Images } from "lucide-react";
import { useDeferredValue, useState } from "react";
import type { Item } from "@/api/types";
import { inputLook } from "@/components/controls";
import { Dialog } from "@/components/overlays";
import { Empty } from "@/components/states";
import { Grid } from "@/features/library/Grid";
import { t } from "@/lib/i18n";

const NONE: ReadonlySet<string> = new Set();

/** Picks a finished clip of the library. */
export function ClipPicker({
  open,
  onClose,
  onPick,
  title,
}: {
  open: boolean;
  onClose: () => void;
  onPick: (item: Item) => void;
  title: string;
}) {
  const [words, setWords] = useState("");
  const q = useDeferredValue(words);
  return (
    <Dialog open={open} onClose={onClose} title={title} wide>
      <input
        type="search"
        value={words}
        aria-label={t("Search in prompts")}
        placeholder={t("Search in prompts, titles and tags")}
        onChange={(event) => setWords(event.target.value)}
        className={`${inputLook} mb-3`}
      />
      <div className="-mx-5 h-[56dvh]">
        <Grid
          label={t("Clips")}
          filters={{ q: q || undefined, status: "completed" }}
          width={190}
          selected={NONE}
          onSelect={() => undefined}
          onPick={(item) => {
            onPick(item);
            onClose();
          }}
          empty={
            <Empty
              icon={<Images aria-hidden />}
              title={q ? t("No clip has these words") : t("There are no finished clips yet")}
            />
          }
        />
      </div>
    </Dialog>
  );
}
