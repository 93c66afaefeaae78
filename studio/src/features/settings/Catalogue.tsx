import { useMutation, useQuery } from "@tanstack/react-query";
import { CircleCheck, Download, ExternalLink, TriangleAlert, Volume2, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { send } from "@/api/client";
import { catalogueQuery } from "@/api/library";
import { client } from "@/api/query";
import type { CatalogueEntry, Catalogue as Facts } from "@/api/types";
import { Badge, Button, Progress, Segmented } from "@/components/controls";
import { Copyable, Failure } from "@/components/states";
import { tell, tellFailure } from "@/components/toasts";
import { bytes, duration, gibibytes } from "@/lib/format";
import { t } from "@/lib/i18n";

const RUNNING = ["running", "stopping"];

/** The open models that can be had: what each permits and needs, whether it fits here and if not why, and getting it. */
export function Catalogue() {
  const catalogue = useQuery({
    ...catalogueQuery,
    refetchInterval: ({ state }) => (state.data?.data.some(runs) ? 1000 : false),
  });
  const [shown, setShown] = useState<"all" | "fits">("all");
  useArrivals(catalogue.data);
  if (catalogue.isError) return <Failure error={catalogue.error} retry={() => void catalogue.refetch()} />;
  if (!catalogue.data) return <div aria-hidden className="shimmer h-60 rounded-xl" />;
  const { data, machine, pull_problem } = catalogue.data;
  const open = data.filter((entry) => !entry.installed);
  const fitting = open.filter((entry) => entry.fits);
  const busy = data.find(runs);
  return (
    <section aria-labelledby="catalogue-title" className="flex flex-col gap-3">
      <div className="flex flex-wrap items-end justify-between gap-x-4 gap-y-2">
        <div>
          <h3 id="catalogue-title" className="text-lg font-semibold">
            {t("Models to get")}
          </h3>
          <p className="mt-0.5 text-sm text-text-3">
            {machine.gpu
              ? t("This machine has {memory} of memory and a GPU with {gpu}; {free} are free on its disk.", {
                  memory: gibibytes(machine.memory),
                  gpu: gibibytes(machine.gpu),
                  free: bytes(machine.disk_free),
                })
              : t("This machine has {memory} of memory and no NVIDIA GPU; {free} are free on its disk.", {
                  memory: gibibytes(machine.memory),
                  free: bytes(machine.disk_free),
                })}
          </p>
        </div>
        <Segmented
          small
          label={t("Which models")}
          value={shown}
          onChange={setShown}
          choices={[
            { value: "all", label: t("All ({count})", { count: open.length }) },
            { value: "fits", label: t("Fit here ({count})", { count: fitting.length }) },
          ]}
        />
      </div>
      {pull_problem && <p className="rounded-xl bg-hover px-3.5 py-2.5 text-sm text-text-2">{pull_problem}</p>}
      {shown === "fits" && !fitting.length && (
        <p className="py-4 text-text-2">
          {t("None of them fits this machine. Under All, each says what it would take.")}
        </p>
      )}
      <ul className="flex flex-col gap-3">
        {[...fitting, ...(shown === "all" ? open.filter((entry) => !entry.fits) : [])].map((entry) => (
          <Entry
            key={entry.id}
            entry={entry}
            room={machine.disk_free}
            blocked={pull_problem !== null || (busy !== undefined && busy.id !== entry.id)}
          />
        ))}
      </ul>
    </section>
  );
}

function runs(entry: CatalogueEntry): boolean {
  return RUNNING.includes(entry.pull?.state ?? "");
}

/** Says when a model has come, and shows it among the installed ones. */
function useArrivals(facts: Facts | undefined): void {
  const before = useRef<ReadonlySet<string>>(undefined);
  useEffect(() => {
    if (!facts) return;
    const there = facts.data.filter((entry) => entry.installed).map((entry) => entry.id);
    for (const id of there) {
      if (!before.current || before.current.has(id)) continue;
      tell({ title: t("{model} is installed", { model: id }), tone: "good" });
      void client.invalidateQueries({ queryKey: ["models"] });
    }
    before.current = new Set(there);
  }, [facts]);
}

function Entry({ entry, room, blocked }: { entry: CatalogueEntry; room: number; blocked: boolean }) {
  const { licence, memory } = entry;
  return (
    <li className="flex flex-col gap-2.5 rounded-xl border border-line bg-panel p-4">
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1.5">
        <h4 className="font-semibold">{entry.title}</h4>
        <Badge>{bytes(entry.bytes)}</Badge>
        {entry.audio && (
          <Badge>
            <Volume2 aria-hidden className="size-3" /> {t("with sound")}
          </Badge>
        )}
      </div>
      <p className="text-sm text-text-3 tabular">
        {t("{size} for {length}: {whole} of GPU memory at once, or {streamed} block by block", {
          size: (entry.sizes[0] ?? "").replace("x", "×"),
          length: duration(entry.seconds),
          whole: gibibytes(memory.whole),
          streamed: gibibytes(memory.streamed),
        })}
      </p>
      <p className="flex items-start gap-2 text-text-2">
        {entry.fits ? (
          <CircleCheck aria-hidden className="mt-0.5 size-4 shrink-0 text-good" />
        ) : (
          <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-warn" />
        )}
        <span>
          <strong className="font-medium text-text">
            {entry.fits ? t("It {fits}.", { fits: entry.how }) : t("It does not fit this machine.")}
          </strong>{" "}
          {sentence(entry.fix)}
        </span>
      </p>
      <details className="text-sm text-text-2">
        <summary className="w-fit rounded text-text-3 hover:text-text">
          <span className="font-medium text-text-2">{licence.name}</span> · {t("what it permits")}
        </summary>
        <div className="mt-1.5 flex flex-col gap-1 pl-4">
          <p>{licence.permits}</p>
          {[licence.check, ...entry.to_check].filter(Boolean).map((words) => (
            <p key={words}>
              {t("Check before you rely on it")}: {words}.
            </p>
          ))}
          <a
            href={licence.where}
            target="_blank"
            rel="noreferrer"
            className="inline-flex w-fit items-center gap-1 text-accent-text underline"
          >
            {t("Its text")} <ExternalLink aria-hidden className="size-3.5" />
          </a>
        </div>
      </details>
      <Getting entry={entry} tight={entry.bytes > room} blocked={blocked} />
    </li>
  );
}

function Getting({ entry, tight, blocked }: { entry: CatalogueEntry; tight: boolean; blocked: boolean }) {
  const { pull } = entry;
  const act = useMutation({
    mutationFn: (method: "POST" | "DELETE") =>
      send<CatalogueEntry>(method, `v1/catalogue/${encodeURIComponent(entry.id)}/pull`),
    onSettled: () => client.invalidateQueries({ queryKey: ["catalogue"] }),
    onError: (error) => tellFailure(t("Not pulled"), error),
  });
  if (pull && runs(entry)) {
    const percent = pull.total ? (100 * pull.done) / pull.total : 0;
    return (
      <div className="flex items-center gap-3">
        <div className="min-w-0 flex-1">
          <p className="mb-1.5 flex justify-between gap-3 text-sm text-text-2 tabular">
            <span>{pull.state === "stopping" ? t("Stopping") : t("Coming")}</span>
            <span>
              {bytes(pull.done)} / {bytes(pull.total)}
            </span>
          </p>
          <Progress value={percent} label={t("Download of {model}", { model: entry.title })} />
        </div>
        <Button small disabled={pull.state === "stopping"} onClick={() => act.mutate("DELETE")}>
          <X aria-hidden className="size-4" /> {t("Stop")}
        </Button>
      </div>
    );
  }
  return (
    <>
      {pull?.state === "failed" && (
        <p role="alert" className="rounded-lg bg-bad-soft px-3 py-2 text-sm text-bad">
          {t("The download ended")}: {pull.error}
        </p>
      )}
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <Copyable
          text={entry.command}
          className="max-w-full rounded-lg border border-line bg-ground px-2.5 py-1.5 font-mono text-xs text-text-2"
        />
        <Button small disabled={blocked || tight || act.isPending} onClick={() => act.mutate("POST")}>
          <Download aria-hidden className="size-4" />
          {tight ? t("No room on the disk") : pull && pull.state !== "done" ? t("Go on") : t("Get it")}
          <span className="sr-only">: {entry.title}</span>
        </Button>
      </div>
    </>
  );
}

/** Words of the server that go on after a full stop. */
function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
