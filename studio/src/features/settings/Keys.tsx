import { useQuery } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { get, send } from "@/api/client";
import { studioQuery } from "@/api/library";
import { client } from "@/api/query";
import type { ApiKey } from "@/api/types";
import { Badge, Button, Field, inputLook } from "@/components/controls";
import { confirm, Dialog } from "@/components/overlays";
import { Copyable, Empty, Failure } from "@/components/states";
import { tellFailure } from "@/components/toasts";
import { ago, moment } from "@/lib/format";
import { t } from "@/lib/i18n";

const SCOPES: [string, () => string][] = [
  ["videos.read", () => t("see clips")],
  ["videos.write", () => t("make and change clips")],
  ["files.read", () => t("see files and batches")],
  ["files.write", () => t("upload files, start batches")],
  ["webhooks.read", () => t("see webhooks")],
  ["webhooks.write", () => t("change webhooks")],
  ["admin", () => t("everything, keys too")],
];

export function Keys() {
  const keys = useQuery({
    queryKey: ["keys"],
    queryFn: async () => (await get<{ data: ApiKey[] }>("v1/library/keys")).data,
  });
  const studio = useQuery(studioQuery);
  const [making, setMaking] = useState(false);
  const revoke = async (key: ApiKey) => {
    const sure = await confirm({
      title: t("Revoke {name}?", { name: key.name }),
      text: t("Programs that use it are refused from now on."),
      action: t("Revoke"),
      danger: true,
    });
    if (!sure) return;
    await send("DELETE", `v1/library/keys/${key.id}`).catch((error) => tellFailure(t("Not revoked"), error));
    await client.invalidateQueries({ queryKey: ["keys"] });
  };
  const now = Date.now() / 1000;
  if (keys.isError) return <Failure error={keys.error} retry={() => void keys.refetch()} />;
  return (
    <div className="flex flex-col gap-4">
      <div className="flex items-center justify-between gap-4">
        <p className="text-text-2">{t("A key opens this project to a program. Its secret is shown once.")}</p>
        <Button look="primary" onClick={() => setMaking(true)}>
          {t("New key")}
        </Button>
      </div>
      {keys.data && !keys.data.length && (
        <Empty icon={<KeyRound aria-hidden />} title={t("There are no keys")}>
          {studio.data?.needs_key
            ? null
            : t(
                "On this machine alone none is needed. As soon as there is one, the server asks for a key at its next start: make one for yourself, too.",
              )}
        </Empty>
      )}
      <ul className="flex flex-col gap-2">
        {keys.data?.map((key) => {
          const dead = key.revoked_at !== null || (key.expires_at !== null && key.expires_at < now);
          return (
            <li
              key={key.id}
              className="flex flex-wrap items-center gap-x-4 gap-y-1 rounded-xl border border-line bg-panel p-3.5"
            >
              <span className="min-w-0 flex-1">
                <span className="font-medium">{key.name}</span>{" "}
                <span className="font-mono text-sm text-text-3">…{key.hint}</span>
                <span className="block text-sm text-text-3">
                  {key.scopes.join(", ")} · <span title={moment(key.created_at)}>{ago(key.created_at, now)}</span>
                </span>
              </span>
              {dead ? (
                <Badge>{key.revoked_at !== null ? t("revoked") : t("expired")}</Badge>
              ) : (
                <Button small onClick={() => void revoke(key)}>
                  {t("Revoke")}
                </Button>
              )}
            </li>
          );
        })}
      </ul>
      {making && <NewKey onClose={() => setMaking(false)} />}
    </div>
  );
}

function NewKey({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState(new Set(["videos.read", "videos.write", "files.read", "files.write"]));
  const [secret, setSecret] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const make = async () => {
    setBusy(true);
    try {
      const made = await send<{ secret: string }>("POST", "v1/library/keys", {
        name: name.trim(),
        scopes: [...scopes],
      });
      setSecret(made.secret);
      await client.invalidateQueries({ queryKey: ["keys"] });
    } catch (error) {
      tellFailure(t("No key was made"), error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title={secret ? t("Your new key") : t("New key")}
      description={secret ? t("Copy it now: it cannot be shown again.") : undefined}
      footer={
        secret ? (
          <Button look="primary" onClick={onClose}>
            {t("Done")}
          </Button>
        ) : (
          <Button look="primary" busy={busy} disabled={!name.trim() || !scopes.size} onClick={() => void make()}>
            {t("Make the key")}
          </Button>
        )
      }
    >
      {secret ? (
        <Copyable
          text={secret}
          className="w-full rounded-lg border border-line-strong bg-ground p-3 font-mono text-sm"
        />
      ) : (
        <div className="flex flex-col gap-4">
          <Field label={t("Name")}>
            {(id) => (
              <input
                id={id}
                maxLength={200}
                value={name}
                placeholder={t("what it is for")}
                onChange={(event) => setName(event.target.value)}
                className={inputLook}
              />
            )}
          </Field>
          <fieldset className="flex flex-col gap-1.5">
            <legend className="mb-1.5 text-sm font-medium text-text-2">{t("It may")}</legend>
            {SCOPES.map(([scope, words]) => (
              <label key={scope} className="flex items-center gap-2.5">
                <input
                  type="checkbox"
                  checked={scopes.has(scope)}
                  onChange={(event) => {
                    const next = new Set(scopes);
                    if (event.target.checked) next.add(scope);
                    else next.delete(scope);
                    setScopes(next);
                  }}
                  className="size-4 accent-(--accent)"
                />
                {words()} <span className="font-mono text-xs text-text-3">{scope}</span>
              </label>
            ))}
          </fieldset>
        </div>
      )}
    </Dialog>
  );
}
