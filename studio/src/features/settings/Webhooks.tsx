import { useQuery } from "@tanstack/react-query";
import { Trash2, Webhook } from "lucide-react";
import { useState } from "react";
import { get, send } from "@/api/client";
import { client } from "@/api/query";
import type { WebhookEndpoint } from "@/api/types";
import { Button, Field, IconButton, inputLook } from "@/components/controls";
import { confirm, Dialog } from "@/components/overlays";
import { Copyable, Empty, Failure } from "@/components/states";
import { tell, tellFailure } from "@/components/toasts";
import { t } from "@/lib/i18n";

const EVENTS = ["video.completed", "video.failed"];

/** Addresses that are told when a clip is done; signed as Standard Webhooks has it. */
export function Webhooks() {
  const list = useQuery({
    queryKey: ["webhooks"],
    queryFn: async () => (await get<{ data: WebhookEndpoint[] }>("v1/webhook_endpoints", { limit: 100 })).data,
  });
  const [making, setMaking] = useState(false);
  const refresh = () => client.invalidateQueries({ queryKey: ["webhooks"] });
  const test = (endpoint: WebhookEndpoint) =>
    send<{ status_code: number }>("POST", `v1/webhook_endpoints/${endpoint.id}/test`, {
      event_type: "video.completed",
    }).then(
      ({ status_code }) => tell({ title: t("It answered {status}", { status: status_code }) }),
      (error) => tellFailure(t("The test did not arrive"), error),
    );
  const remove = async (endpoint: WebhookEndpoint) => {
    const sure = await confirm({
      title: t("Delete {name}?", { name: endpoint.name }),
      text: t("This address is told nothing more."),
      action: t("Delete"),
      danger: true,
    });
    if (!sure) return;
    await send("DELETE", `v1/webhook_endpoints/${endpoint.id}`).catch((error) => tellFailure(t("Not deleted"), error));
    await refresh();
  };
  if (list.isError) return <Failure error={list.error} retry={() => void list.refetch()} />;
  return (
    <div className="flex flex-col gap-4">
      <div className="flex items-center justify-between gap-4">
        <p className="text-text-2">{t("Addresses that this server calls when a clip is done or has failed.")}</p>
        <Button look="primary" onClick={() => setMaking(true)}>
          {t("New webhook")}
        </Button>
      </div>
      {list.data && !list.data.length && <Empty icon={<Webhook aria-hidden />} title={t("Nobody is called yet")} />}
      <ul className="flex flex-col gap-2">
        {list.data?.map((endpoint) => (
          <li key={endpoint.id} className="flex items-center gap-3 rounded-xl border border-line bg-panel p-3.5">
            <span className="min-w-0 flex-1">
              <span className="font-medium">{endpoint.name}</span>
              <span className="block truncate font-mono text-sm text-text-3">{endpoint.url}</span>
              <span className="text-sm text-text-3">{endpoint.event_types.join(", ")}</span>
            </span>
            <Button small onClick={() => void test(endpoint)}>
              {t("Test")}
            </Button>
            <IconButton label={t("Delete {name}", { name: endpoint.name })} small onClick={() => void remove(endpoint)}>
              <Trash2 aria-hidden />
            </IconButton>
          </li>
        ))}
      </ul>
      {making && <NewWebhook onClose={() => setMaking(false)} refresh={refresh} />}
    </div>
  );
}

function NewWebhook({ onClose, refresh }: { onClose: () => void; refresh: () => Promise<void> }) {
  const [name, setName] = useState("");
  const [url, setUrl] = useState("https://");
  const [secret, setSecret] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const make = async () => {
    setError(null);
    try {
      const made = await send<WebhookEndpoint>("POST", "v1/webhook_endpoints", {
        name: name.trim(),
        url: url.trim(),
        event_types: EVENTS,
      });
      setSecret(made.signing_secret ?? "");
      await refresh();
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title={secret ? t("Its signing secret") : t("New webhook")}
      description={secret ? t("Copy it now: it cannot be shown again.") : undefined}
      footer={
        secret ? (
          <Button look="primary" onClick={onClose}>
            {t("Done")}
          </Button>
        ) : (
          <Button look="primary" disabled={!name.trim() || url.length < 10} onClick={() => void make()}>
            {t("Add")}
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
                onChange={(event) => setName(event.target.value)}
                className={inputLook}
              />
            )}
          </Field>
          <Field label={t("Address")}>
            {(id) => (
              <input
                id={id}
                type="url"
                value={url}
                onChange={(event) => setUrl(event.target.value)}
                className={inputLook}
              />
            )}
          </Field>
          {error !== null && <Failure error={error} title={t("Not added")} />}
        </div>
      )}
    </Dialog>
  );
}
