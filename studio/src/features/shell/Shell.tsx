import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useRouter, useRouterState } from "@tanstack/react-router";
import { Clapperboard, Command, Images, ListVideo, Pause, Settings, Sparkles, UserRound, WifiOff } from "lucide-react";
import { lazy, type ReactNode, Suspense, useEffect, useRef, useState } from "react";
import { studioQuery } from "@/api/library";
import { follow, useLive, usePaused } from "@/api/live";
import { client } from "@/api/query";
import { Button, cx, Tip } from "@/components/controls";
import { Questions } from "@/components/overlays";
import { Toasts } from "@/components/toasts";
import { useEndings } from "@/features/queue/endings";
import { pauseQueue, togglePause } from "@/features/queue/pause";
import { QueuePanel } from "@/features/queue/QueuePanel";
import { SignIn } from "@/features/shell/SignIn";
import { useUi } from "@/features/shell/ui";
import { isMac, useHotkeys } from "@/lib/hotkeys";
import { plural, t } from "@/lib/i18n";
import { spoken } from "@/lib/progress";

const loadPalette = () => import("@/features/palette/Palette");
const Palette = lazy(loadPalette);
const Shortcuts = lazy(() => import("@/features/palette/Shortcuts"));

const PLACES = [
  { to: "/", icon: Sparkles, label: () => t("Create"), key: "1" },
  { to: "/storyboard", icon: Clapperboard, label: () => t("Storyboard"), key: "2" },
  { to: "/library", icon: Images, label: () => t("Library"), key: "3" },
  { to: "/characters", icon: UserRound, label: () => t("Characters"), key: "4" },
] as const;

const railItem =
  "focus-inset group relative flex min-w-0 flex-1 flex-col items-center gap-1 rounded-xl px-0.5 py-2 text-[10px] font-medium tracking-tight transition-colors md:w-full md:flex-none md:text-2xs md:tracking-normal";

export function Shell() {
  const studio = useQuery(studioQuery);
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const signedIn = studio.data?.signed_in !== false;

  useEffect(() => (signedIn ? follow(client) : undefined), [signedIn]);
  useEndings();
  useShellKeys();
  const router = useRouter();
  // What is typed right after its key must not go astray while it loads; and no page may be missing when the server is.
  useEffect(() => {
    const timer = setTimeout(() => {
      const pages = [loadPalette(), ...PLACES.map(({ to }) => router.preloadRoute({ to }))];
      void Promise.allSettled(pages);
    }, 1500);
    return () => clearTimeout(timer);
  }, [router]);

  // A new page is read from its beginning, and the keyboard goes on from there.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for every page
  useEffect(() => {
    if (document.activeElement === document.body) main.current?.focus({ preventScroll: true });
  }, [path]);

  if (studio.data && !signedIn) return <SignIn />;
  return (
    <div className="flex h-dvh flex-col-reverse md:flex-row">
      <button
        type="button"
        onClick={() => main.current?.focus()}
        className="sr-only z-80 rounded-lg bg-raised px-4 py-2 focus:not-sr-only focus:fixed focus:top-3 focus:left-3"
      >
        {t("Skip to content")}
      </button>
      <Rail />
      <div className="flex min-h-0 min-w-0 flex-1 flex-col">
        <OfflineBar />
        <PausedBar />
        <main ref={main} tabIndex={-1} className="min-h-0 min-w-0 flex-1 outline-none">
          <Outlet />
        </main>
      </div>
      <QueuePanel />
      <Toasts />
      <Questions />
      <Announcer />
      <Overlays />
    </div>
  );
}

function Rail() {
  const count = useLive((live) => live.jobs.length);
  const paused = usePaused();
  const { queueOpen, set } = useUi();
  return (
    <nav
      aria-label={t("Studio")}
      className="z-30 flex shrink-0 border-line bg-panel max-md:border-t max-md:px-1 max-md:pb-[env(safe-area-inset-bottom)] md:w-[88px] md:flex-col md:gap-1 md:border-r md:px-1.5 md:py-3"
    >
      <Link to="/" aria-label="Daybreak" className="focus-inset mx-auto mb-2 hidden rounded-xl p-1.5 md:block">
        <Sun />
      </Link>
      {PLACES.map(({ to, icon: Icon, label, key }) => (
        <Tip key={to} label={label()} keys={`alt+${key}`} side="right">
          <Link
            to={to}
            activeOptions={{ exact: to === "/", includeSearch: false }}
            className={railItem}
            activeProps={{ className: "bg-hover text-text", "aria-current": "page" }}
            inactiveProps={{ className: "text-text-3 hover:text-text" }}
          >
            <Icon aria-hidden className="size-5" strokeWidth={1.75} />
            <span className="max-w-full truncate">{label()}</span>
          </Link>
        </Tip>
      ))}
      <div className="hidden flex-1 md:block" />
      <RailButton label={t("Find")} keys={`mod+k`} onClick={() => set({ paletteOpen: true })} className="max-md:hidden">
        <Command aria-hidden className="size-5" strokeWidth={1.75} />
      </RailButton>
      <RailButton
        label={t("Queue")}
        keys="q"
        active={queueOpen}
        spoken={queueName(count, paused)}
        onClick={() => set({ queueOpen: !queueOpen })}
      >
        <QueueSign count={count} paused={paused} />
      </RailButton>
      <Link
        to="/settings"
        className={railItem}
        activeProps={{ className: "bg-hover text-text", "aria-current": "page" }}
        inactiveProps={{ className: "text-text-3 hover:text-text" }}
      >
        <Settings aria-hidden className="size-5" strokeWidth={1.75} />
        <span className="max-w-full truncate">{t("Settings")}</span>
      </Link>
    </nav>
  );
}

function RailButton({
  label,
  keys,
  active,
  spoken: name,
  className,
  onClick,
  children,
}: {
  label: string;
  keys: string;
  active?: boolean;
  spoken?: string | undefined;
  className?: string;
  onClick: () => void;
  children: ReactNode;
}) {
  return (
    <Tip label={label} keys={keys} side="right">
      <button
        type="button"
        aria-label={name ?? label}
        aria-expanded={active}
        onClick={onClick}
        className={cx(railItem, active ? "bg-hover text-text" : "text-text-3 hover:text-text", className)}
      >
        {children}
        <span className="max-w-full truncate">{label}</span>
      </button>
    </Tip>
  );
}

function queueName(count: number, paused: boolean): string | undefined {
  const jobs = count ? plural(count, "Queue, {count} job", "Queue, {count} jobs") : t("Queue");
  return paused ? t("{queue}, paused", { queue: jobs }) : jobs;
}

/** The queue's picture: a ring that fills with the running job, and how many there are. */
function QueueSign({ count, paused }: { count: number; paused: boolean }) {
  const running = useLive((live) => live.jobs.find((job) => job.status === "in_progress"));
  if (paused && !running) return <Pause aria-hidden className="size-5 text-accent-text" strokeWidth={1.75} />;
  if (!count) return <ListVideo aria-hidden className="size-5" strokeWidth={1.75} />;
  const part = running?.steps_total ? running.steps_done / running.steps_total : 0;
  return (
    <svg viewBox="0 0 24 24" aria-hidden className="size-5">
      <circle cx="12" cy="12" r="10" fill="none" stroke="var(--line-strong)" strokeWidth="2.5" />
      <circle
        cx="12"
        cy="12"
        r="10"
        fill="none"
        stroke="var(--accent)"
        strokeWidth="2.5"
        strokeLinecap="round"
        strokeDasharray={`${part * 62.8} 62.8`}
        transform="rotate(-90 12 12)"
      />
      <text x="12" y="16" textAnchor="middle" fontSize="10.5" fontWeight="600" fill="currentColor">
        {count > 99 ? "99+" : count}
      </text>
    </svg>
  );
}

export function Sun({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" aria-hidden className={cx("size-8", className)}>
      <path d="M5 20a11 11 0 0 1 22 0z" fill="var(--accent)" />
      <rect x="5" y="22" width="22" height="2" rx="1" fill="var(--accent-2)" opacity=".8" />
      <rect x="9.5" y="26" width="13" height="1.8" rx=".9" fill="var(--accent-2)" opacity=".45" />
    </svg>
  );
}

function OfflineBar() {
  const online = useLive((live) => live.online);
  if (online !== false) return null;
  return (
    <div role="status" className="flex items-center gap-2.5 border-b border-line bg-bad-soft px-4 py-2 text-sm">
      <WifiOff aria-hidden className="size-4 shrink-0 text-bad" />
      <span>
        <strong className="font-medium text-bad">{t("The server does not answer.")}</strong>{" "}
        {t("Nothing is lost; this window connects again by itself.")}
      </span>
    </div>
  );
}

/** Whoever generates and gets nothing has to see why on every page. */
function PausedBar() {
  const paused = usePaused();
  const { jobs, online } = useLive();
  const queueOpen = useUi((ui) => ui.queueOpen);
  if (!paused || online === false) return null;
  const waiting = jobs.filter((job) => job.status === "queued").length;
  return (
    <div
      role="status"
      className={cx(
        "flex items-center gap-2.5 border-b border-line bg-accent-soft py-1 pr-2 pl-4 text-sm",
        queueOpen && "xl:hidden", // the panel says it beside
      )}
    >
      <Pause aria-hidden className="size-4 shrink-0 text-accent-text" />
      <span className="min-w-0 flex-1 py-1">
        <strong className="font-medium text-accent-text">{t("The queue is paused.")}</strong>{" "}
        <span className="text-text-2">
          {waiting ? plural(waiting, "{count} clip waits.", "{count} clips wait.") : t("What you generate will wait.")}
        </span>
      </span>
      <Button small look="ghost" onClick={() => void pauseQueue(false)}>
        {t("Go on")}
      </Button>
    </div>
  );
}

/** Says how the running job stands, for those who listen; at most every ten seconds. */
function Announcer() {
  const [words, setWords] = useState("");
  useEffect(() => {
    const timer = setInterval(() => {
      const { jobs } = useLive.getState();
      const running = jobs.find((job) => job.status === "in_progress");
      setWords(running ? spoken(running) : "");
    }, 10_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <div aria-live="polite" className="sr-only">
      {words}
    </div>
  );
}

function Overlays() {
  const { paletteOpen, shortcutsOpen } = useUi();
  return (
    <Suspense>
      {paletteOpen && <Palette />}
      {shortcutsOpen && <Shortcuts />}
    </Suspense>
  );
}

function useShellKeys(): void {
  const navigate = useNavigate();
  const { queueOpen, set } = useUi();
  useHotkeys({
    "mod+k": () => set({ paletteOpen: true }),
    "?": () => set({ shortcutsOpen: true }),
    q: () => set({ queueOpen: !queueOpen }),
    "shift+q": () => void togglePause(),
    "/": () =>
      void navigate({ to: "/library" }).then(() => document.querySelector<HTMLInputElement>("[data-search]")?.focus()),
    n: () =>
      void navigate({ to: "/" }).then(() =>
        document.querySelector<HTMLTextAreaElement>("[data-compose] textarea")?.focus(),
      ),
    ...Object.fromEntries(PLACES.map(({ to, key }) => [`alt+${isMac ? key : key}`, () => void navigate({ to })])),
  });
}
