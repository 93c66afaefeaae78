import { useQuery } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { get, send } from "@/api/client";
import { studioQuery } from "@/api/library";
import type { ApiKey } from "@/api/types";
import { Badge, Button } from "@/components/controls";
import { Empty } from "@/components/states";
import { Listed, NewSecret, useRemoval } from "@/features/settings/Listed";
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
  return (
    <Listed
      query={keys}
      intro={t("A key opens this project to a program. Its secret is shown once.")}
      make={t("New key")}
      empty={
        <Empty icon={<KeyRound aria-hidden />} title={t("There are no keys")}>
          {studio.data?.needs_key
            ? null
            : t(
                "On this machine alone none is needed. As soon as there is one, the server asks for a key at its next start: make one for yourself, too.",
              )}
        </Empty>
      }
      row={(key) => <Key apiKey={key} />}
      dialog={(close) => <NewKey onClose={close} />}
    />
  );
}

function Key({ apiKey: key }: { apiKey: ApiKey }) {
  const revoke = useRemoval("keys", "v1/library/keys", t("Not revoked"));
  const now = Date.now() / 1000;
  const dead = key.revoked_at !== null || (key.expires_at !== null && key.expires_at < now);
  return (
    <>
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
        <Button
          small
          onClick={() =>
            void revoke(key.id, {
              title: t("Revoke {name}?", { name: key.name }),
              text: t("Programs that use it are refused from now on."),
              action: t("Revoke"),
            })
          }
        >
          {t("Revoke")}
        </Button>
      )}
    </>
  );
}

function NewKey({ onClose }: { onClose: () => void }) {
  const [scopes, setScopes] = useState<readonly string[]>(["videos.read", "videos.write", "files.read", "files.write"]);
  return (
    <NewSecret
      list="keys"
      title={t("New key")}
      made={t("Your new key")}
      action={t("Make the key")}
      failure={t("No key was made")}
      hint={t("what it is for")}
      ready={scopes.length > 0}
      make={async (name) => (await send<{ secret: string }>("POST", "v1/library/keys", { name, scopes })).secret}
      onClose={onClose}
    >
      <fieldset className="flex flex-col gap-1.5">
        <legend className="mb-1.5 text-sm font-medium text-text-2">{t("It may")}</legend>
        {SCOPES.map(([scope, words]) => (
          <label key={scope} className="flex items-center gap-2.5">
            <input
              type="checkbox"
              checked={scopes.includes(scope)}
              onChange={({ target }) =>
                setScopes(target.checked ? [...scopes, scope] : scopes.filter((one) => one !== scope))
              }
              className="size-4 accent-(--accent)"
            />
            {words()} <span className="font-mono text-xs text-text-3">{scope}</span>
          </label>
        ))}
      </fieldset>
    </NewSecret>
  );
}
