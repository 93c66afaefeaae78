/** What is going on right now: one stream of the whole project, held by one window and shared with the others.
 *
 * A browser opens at most six connections to a server over HTTP/1.1; a stream per window, or per job, would use them up.
 * The window that holds the lock reads the stream and passes every event on; when it closes, another takes over.
 */
import type { QueryClient } from "@tanstack/react-query";
import { create } from "zustand";
import { address, get } from "@/api/client";
import type { components } from "@/api/schema";
import type { JobError, Status } from "@/api/types";

export type LiveJob = components["schemas"]["QueueJob"];

export interface Ended {
  id: string;
  status: Status;
  prompt: string;
  error: JobError | null;
}

interface LiveState {
  jobs: LiveJob[];
  /** Since when nothing is begun, in Unix seconds; null while the queue moves. */
  pausedAt: number | null;
  /** null until the first word from the server. */
  online: boolean | null;
  /** Milliseconds of this window's clock when the last queue event came. */
  heard: number;
}

export const useLive = create<LiveState>(() => ({ jobs: [], pausedAt: null, online: null, heard: 0 }));

export const useLiveJob = (id: string): LiveJob | undefined =>
  useLive((live) => live.jobs.find((job) => job.id === id));

type Message =
  | { type: "queue"; jobs: LiveJob[] }
  | { type: "paused"; at: number | null }
  | { type: "changed" }
  | { type: "ended"; ended: Ended[] }
  | { type: "online"; online: boolean };

export const usePaused = (): boolean => useLive((live) => live.pausedAt !== null);

const listeners = new Set<(ended: Ended) => void>();

/** Calls back for every job that ends while this window is open. */
export function onEnded(listener: (ended: Ended) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Starts listening; returns what stops it. */
export function follow(client: QueryClient): () => void {
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("daybreak") : null;
  const stopped = new AbortController();
  let refresh: ReturnType<typeof setTimeout> | undefined; // the one that is due

  const take = (message: Message): void => {
    if (message.type === "queue") useLive.setState({ jobs: message.jobs, online: true, heard: Date.now() });
    if (message.type === "paused") useLive.setState({ pausedAt: message.at });
    if (message.type === "online") {
      const was = useLive.getState().online;
      useLive.setState({ online: message.online });
      if (message.online && was === false) void client.invalidateQueries();
    }
    if (message.type === "ended") for (const one of message.ended) for (const listener of listeners) listener(one);
    if (message.type === "changed" || message.type === "ended") {
      if (refresh !== undefined) return;
      refresh = setTimeout(() => {
        refresh = undefined;
        void client.invalidateQueries({ queryKey: ["library"] });
      }, 250);
    }
  };
  const tell = (message: Message): void => {
    take(message);
    channel?.postMessage(message);
  };
  if (channel) channel.onmessage = (event: MessageEvent<Message>) => take(event.data);

  const lead = () => new Promise<void>((done) => read(tell, stopped.signal, done));
  if (navigator.locks)
    navigator.locks.request("daybreak.stream", { signal: stopped.signal }, lead).catch(() => undefined);
  else void lead();
  // A window that only listens must not show an empty queue until the next event.
  get<components["schemas"]["QueueList"]>("v1/library/queue")
    .then(({ data, paused_at }) => {
      take({ type: "queue", jobs: data });
      take({ type: "paused", at: paused_at });
    })
    .catch(() => take({ type: "online", online: false }));

  return () => {
    stopped.abort();
    channel?.close();
  };
}

function read(tell: (message: Message) => void, signal: AbortSignal, done: () => void): void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wait = 500;

  const open = (): void => {
    source = new EventSource(address("v1/library/events"));
    source.onopen = () => {
      wait = 500;
      tell({ type: "online", online: true });
    };
    source.addEventListener("queue", (event) => tell({ type: "queue", jobs: JSON.parse(event.data) as LiveJob[] }));
    source.addEventListener("paused", (event) =>
      tell({ type: "paused", at: (JSON.parse(event.data) as { paused_at: number | null }).paused_at }),
    );
    source.addEventListener("changed", () => tell({ type: "changed" }));
    source.addEventListener("ended", (event) => tell({ type: "ended", ended: JSON.parse(event.data) as Ended[] }));
    source.onerror = () => {
      source?.close();
      tell({ type: "online", online: false });
      timer = setTimeout(open, wait);
      wait = Math.min(wait * 1.7, 5000);
    };
  };
  open();
  signal.addEventListener("abort", () => {
    source?.close();
    clearTimeout(timer);
    done();
  });
}
