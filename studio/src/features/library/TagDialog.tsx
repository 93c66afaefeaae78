import { useState } from "react";
import { Button, Field, inputLook } from "@/components/controls";
import { Dialog } from "@/components/overlays";
import { tag } from "@/features/library/actions";
import { t } from "@/lib/i18n";

export function TagDialog({
  open,
  onClose,
  ids,
  known,
}: {
  open: boolean;
  onClose: () => void;
  ids: string[];
  known: string[];
}) {
  const [name, setName] = useState("");
  const apply = async (on: boolean) => {
    if (!name.trim()) return;
    await tag(ids, name.trim(), on);
    setName("");
    onClose();
  };
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={t("Tag")}
      footer={
        <>
          <Button look="ghost" onClick={() => void apply(false)} disabled={!name.trim()}>
            {t("Take it off")}
          </Button>
          <Button look="primary" onClick={() => void apply(true)} disabled={!name.trim()}>
            {t("Add the tag")}
          </Button>
        </>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void apply(true);
        }}
      >
        <Field label={t("Name of the tag")}>
          {(id) => (
            <input
              id={id}
              list="known-tags"
              maxLength={60}
              value={name}
              onChange={(event) => setName(event.target.value)}
              className={inputLook}
            />
          )}
        </Field>
        <datalist id="known-tags">
          {known.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      </form>
      {known.length > 0 && (
        <div className="mt-3 flex flex-wrap gap-1.5">
          {known.slice(0, 24).map((one) => (
            <Button key={one} small onClick={() => setName(one)}>
              {one}
            </Button>
          ))}
        </div>
      )}
    </Dialog>
  );
}
