import { useQuery } from "@tanstack/react-query";
import { Trash2, Webhook } from "lucide-react";
import { useState } from "react";
import { get, send } from "@/api/client";
import type { WebhookEndpoint } from "@/api/types";
import { Button, Field, IconButton, inputLook } from "@/components/controls";
import { Empty } from "@/components/states";
import { tell, tellFailure } from "@/components/toasts";
import { Listed, NewSecret, useRemoval } from "@/features/settings/Listed";
import { t } from "@/lib/i18n";

const EVENTS = ["video.completed", "video.failed"];
const PATH = "v1/webhook_endpoints";

/** Addresses that are told when a clip is done; signed as Standard Webhooks has it. */
export function Webhooks() {
  const list = useQuery({
    queryKey: ["webhooks"],
    queryFn: async () => (await get<{ data: WebhookEndpoint[] }>(PATH, { limit: 100 })).data,
  });
  return (
    <Listed
      query={list}
      intro={t("Addresses that this server calls when a clip is done or has failed.")}
      make={t("New webhook")}
      empty={
        <Empty icon={<Webhook aria-hidden />} title={t("Nobody is called yet")}>
          {t("A program of yours can go on by itself as soon as a clip is there.")}
        </Empty>
      }
      row={(endpoint) => <Endpoint endpoint={endpoint} />}
      dialog={(close) => <NewWebhook onClose={close} />}
    />
  );
}

function Endpoint({ endpoint }: { endpoint: WebhookEndpoint }) {
  const remove = useRemoval("webhooks", PATH, t("Not deleted"));
  const test = () =>
    send<{ status_code: number }>("POST", `${PATH}/${endpoint.id}/test`, { event_type: "video.completed" }).then(
      ({ status_code }) => tell({ title: t("It answered {status}", { status: status_code }) }),
      (error) => tellFailure(t("The test did not arrive"), error),
    );
  return (
    <>
      <span className="min-w-0 flex-1">
        <span className="font-medium">{endpoint.name}</span>
        <span className="block truncate font-mono text-sm text-text-3">{endpoint.url}</span>
        <span className="text-sm text-text-3">{endpoint.event_types.join(", ")}</span>
      </span>
      <Button small onClick={() => void test()}>
        {t("Test")}
      </Button>
      <IconButton
        label={t("Delete {name}", { name: endpoint.name })}
        small
        onClick={() =>
          void remove(endpoint.id, {
            title: t("Delete {name}?", { name: endpoint.name }),
            text: t("This address is told nothing more."),
            action: t("Delete"),
          })
        }
      >
        <Trash2 aria-hidden />
      </IconButton>
    </>
  );
}

function NewWebhook({ onClose }: { onClose: () => void }) {
  const [url, setUrl] = useState("https://");
  return (
    <NewSecret
      list="webhooks"
      title={t("New webhook")}
      made={t("Its signing secret")}
      action={t("Add")}
      failure={t("Not added")}
      ready={url.trim().length >= 10}
      make={async (name) =>
        (await send<WebhookEndpoint>("POST", PATH, { name, url: url.trim(), event_types: EVENTS })).signing_secret ?? ""
      }
      onClose={onClose}
    >
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
    </NewSecret>
  );
}
