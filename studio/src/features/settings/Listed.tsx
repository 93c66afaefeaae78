import { type UseQueryResult, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";
import { send } from "@/api/client";
import { Button, Field, inputLook } from "@/components/controls";
import { confirm, Dialog } from "@/components/overlays";
import { Copyable, Failure } from "@/components/states";
import { tellFailure } from "@/components/toasts";
import { t } from "@/lib/i18n";

/** Things that a project has and that are made with a secret which is shown once: keys, webhooks. */
export function Listed<T extends { id: string }>({
  query,
  intro,
  make,
  empty,
  row,
  dialog,
}: {
  query: UseQueryResult<T[]>;
  intro: string;
  make: string;
  empty: ReactNode;
  row: (one: T) => ReactNode;
  dialog: (close: () => void) => ReactNode;
}) {
  const [making, setMaking] = useState(false);
  if (query.isError) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return (
    <div className="flex flex-col gap-4">
      <div className="flex items-center justify-between gap-4">
        <p className="text-text-2">{intro}</p>
        <Button look="primary" onClick={() => setMaking(true)}>
          {make}
        </Button>
      </div>
      {query.data?.length === 0 && empty}
      <ul className="flex flex-col gap-2">
        {query.data?.map((one) => (
          <li
            key={one.id}
            className="flex flex-wrap items-center gap-x-4 gap-y-1 rounded-xl border border-line bg-panel p-3.5"
          >
            {row(one)}
          </li>
        ))}
      </ul>
      {making && dialog(() => setMaking(false))}
    </div>
  );
}

/** Takes one away after a question; the list is read again. */
export function useRemoval(list: string, path: string, failure: string) {
  const client = useQueryClient();
  return async (id: string, question: { title: string; text: string; action: string }): Promise<void> => {
    if (!(await confirm({ ...question, danger: true }))) return;
    await send("DELETE", `${path}/${id}`).catch((error) => tellFailure(failure, error));
    await client.invalidateQueries({ queryKey: [list] });
  };
}

interface NewSecretProps {
  list: string;
  title: string;
  made: string;
  action: string;
  failure: string;
  hint?: string;
  ready: boolean;
  make: (name: string) => Promise<string>;
  onClose: () => void;
  children: ReactNode;
}

/** Asks for a name and for what `children` ask, makes the thing, and shows its secret once. */
export function NewSecret({
  list,
  title,
  made,
  action,
  failure,
  hint,
  ready,
  make,
  onClose,
  children,
}: NewSecretProps) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [secret, setSecret] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const begin = async () => {
    setBusy(true);
    setError(null);
    try {
      setSecret(await make(name.trim()));
      await client.invalidateQueries({ queryKey: [list] });
    } catch (reason) {
      setError(reason);
    } finally {
      setBusy(false);
    }
  };
  if (secret !== null) {
    return (
      <Dialog
        open
        onClose={onClose}
        title={made}
        description={t("Copy it now: it cannot be shown again.")}
        footer={
          <Button look="primary" onClick={onClose}>
            {t("Done")}
          </Button>
        }
      >
        <Copyable
          text={secret}
          className="w-full rounded-lg border border-line-strong bg-ground p-3 font-mono text-sm"
        />
      </Dialog>
    );
  }
  return (
    <Dialog
      open
      onClose={onClose}
      title={title}
      footer={
        <Button look="primary" busy={busy} disabled={!name.trim() || !ready} onClick={() => void begin()}>
          {action}
        </Button>
      }
    >
      <div className="flex flex-col gap-4">
        <Field label={t("Name")}>
          {(id) => (
            <input
              id={id}
              maxLength={200}
              value={name}
              placeholder={hint}
              onChange={(event) => setName(event.target.value)}
              className={inputLook}
            />
          )}
        </Field>
        {children}
        {error !== null && <Failure error={error} title={failure} />}
      </div>
    </Dialog>
  );
}
