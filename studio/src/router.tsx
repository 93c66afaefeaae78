import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "@/api/client";
import type { Filters } from "@/api/types";
import { CreatePage } from "@/features/compose/CreatePage";
import { Lost, PageFailure } from "@/features/shell/Lost";
import { Shell } from "@/features/shell/Shell";
import { dateOf, LAPSES, type Lapse, type Made } from "@/lib/made";

const rootRoute = createRootRoute({ component: Shell, notFoundComponent: Lost });

const create = createRoute({ getParentRoute: () => rootRoute, path: "/", component: CreatePage });

const text = (value: unknown): string | undefined => (typeof value === "string" && value ? value : undefined);
const oneOf = <T extends string>(value: unknown, choices: readonly T[]): T | undefined =>
  choices.find((choice) => choice === value);

export interface LibrarySearch extends Omit<Filters, "created_from" | "created_before">, Made {}

const RATINGS = [0, 1, 2, 3, 4, 5] as const;

const library = createRoute({
  getParentRoute: () => rootRoute,
  path: "/library",
  validateSearch: (search: Record<string, unknown>): LibrarySearch => ({
    q: text(search.q),
    folder: text(search.folder),
    tag: text(search.tag),
    model: text(search.model),
    kind: text(search.kind),
    size: text(search.size),
    rating: RATINGS.find((rating) => rating === search.rating),
    made: oneOf(search.made, Object.keys(LAPSES) as Lapse[]),
    from: dateOf(text(search.from)) ? text(search.from) : undefined,
    to: dateOf(text(search.to)) ? text(search.to) : undefined,
    favourite: search.favourite === true ? true : undefined,
    trashed: search.trashed === true ? true : undefined,
    status: oneOf(search.status, ["queued", "in_progress", "completed", "failed", "unfinished"] as const),
    order: oneOf(search.order, ["newest", "oldest", "longest", "title", "best"] as const),
  }),
  component: lazyRouteComponent(() => import("@/features/library/LibraryPage"), "LibraryPage"),
});

export const TOOLS = ["details", "remix", "recut", "extend", "loop", "blend", "export"] as const;
export type Tool = (typeof TOOLS)[number];

const clip = createRoute({
  getParentRoute: () => rootRoute,
  path: "/clip/$id",
  validateSearch: (search: Record<string, unknown>): { tool?: Tool | undefined } => ({
    tool: oneOf(search.tool, TOOLS),
  }),
  component: lazyRouteComponent(() => import("@/features/clip/ClipPage"), "ClipPage"),
});

const storyboards = createRoute({
  getParentRoute: () => rootRoute,
  path: "/storyboard",
  component: lazyRouteComponent(() => import("@/features/storyboard/StoryboardsPage"), "StoryboardsPage"),
});

const storyboard = createRoute({
  getParentRoute: () => rootRoute,
  path: "/storyboard/$id",
  component: lazyRouteComponent(() => import("@/features/storyboard/StoryboardPage"), "StoryboardPage"),
});

const compare = createRoute({
  getParentRoute: () => rootRoute,
  path: "/compare",
  validateSearch: (search: Record<string, unknown>): { clips?: string | undefined } => ({ clips: text(search.clips) }),
  component: lazyRouteComponent(() => import("@/features/tools/ComparePage"), "ComparePage"),
});

const characters = createRoute({
  getParentRoute: () => rootRoute,
  path: "/characters",
  component: lazyRouteComponent(() => import("@/features/characters/CharactersPage"), "CharactersPage"),
});

const SECTIONS = ["look", "models", "keys", "webhooks", "storage", "connect", "shortcuts", "about"] as const;
export type Section = (typeof SECTIONS)[number];

const settings = createRoute({
  getParentRoute: () => rootRoute,
  path: "/settings",
  validateSearch: (search: Record<string, unknown>): { section?: Section | undefined } => ({
    section: oneOf(search.section, SECTIONS),
  }),
  component: lazyRouteComponent(() => import("@/features/settings/SettingsPage"), "SettingsPage"),
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([create, library, clip, storyboards, storyboard, compare, characters, settings]),
  basepath: root.pathname,
  defaultPreload: "intent",
  defaultErrorComponent: PageFailure,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
