import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { address, get, send } from "@/api/client";
import type {
  Catalogue,
  Character,
  DocumentSummary,
  Facets,
  Filters,
  Folder,
  Item,
  ItemDetail,
  ItemPage,
  LineageNode,
  Model,
  SavedDocument,
  StudioInfo,
  Usage,
} from "@/api/types";

export const PAGE = 60;

export const pageQuery = (filters: Filters, page: number) =>
  queryOptions({
    queryKey: ["library", "page", filters, page],
    queryFn: ({ signal }) => get<ItemPage>("v1/library", { ...filters, offset: page * PAGE, limit: PAGE }, signal),
    placeholderData: keepPreviousData,
  });

export const itemQuery = (id: string) =>
  queryOptions({
    queryKey: ["library", "item", id],
    queryFn: ({ signal }) => get<ItemDetail>(`v1/library/items/${id}`, undefined, signal),
  });

export const lineageQuery = (id: string) =>
  queryOptions({
    queryKey: ["library", "lineage", id],
    queryFn: ({ signal }) => get<{ data: LineageNode[] }>(`v1/library/items/${id}/lineage`, undefined, signal),
  });

export const facetsQuery = queryOptions({
  queryKey: ["library", "facets"],
  queryFn: ({ signal }) => get<Facets>("v1/library/facets", undefined, signal),
});

export const modelsQuery = queryOptions({
  queryKey: ["models"],
  queryFn: async ({ signal }) => (await get<{ data: Model[] }>("v1/models", undefined, signal)).data,
  staleTime: 60_000,
});

export const catalogueQuery = queryOptions({
  queryKey: ["catalogue"],
  queryFn: ({ signal }) => get<Catalogue>("v1/catalogue", undefined, signal),
});

export const charactersQuery = queryOptions({
  queryKey: ["characters"],
  queryFn: async ({ signal }) =>
    (await get<{ data: Character[] }>("v1/videos/characters", { limit: 100 }, signal)).data,
});

export const usageQuery = queryOptions({
  queryKey: ["library", "usage"],
  queryFn: ({ signal }) => get<Usage>("v1/library/usage", undefined, signal),
});

export const studioQuery = queryOptions({
  queryKey: ["studio"],
  queryFn: ({ signal }) => get<StudioInfo>("studio/info", undefined, signal),
  staleTime: 60_000,
});

export interface EstimateQuestion {
  model: string;
  size: string;
  seconds: number;
  count: number;
}

export const estimateQuery = (question: EstimateQuestion) =>
  queryOptions({
    queryKey: ["library", "estimate", question],
    queryFn: ({ signal }) =>
      get<{ seconds: number | null; waiting: number | null; samples: number }>(
        "v1/library/estimate",
        { ...question },
        signal,
      ),
    staleTime: 5_000,
    placeholderData: keepPreviousData,
  });

export const documentsQuery = (kind: string) =>
  queryOptions({
    queryKey: ["documents", kind],
    queryFn: async ({ signal }) =>
      (await get<{ data: DocumentSummary[] }>("v1/library/documents", { kind }, signal)).data,
  });

export const fullDocumentsQuery = <T>(kind: string) =>
  queryOptions({
    queryKey: ["documents", kind, "full"],
    queryFn: async ({ signal }) =>
      (await get<{ data: SavedDocument<T>[] }>("v1/library/documents", { kind, content: true }, signal)).data,
  });

export const documentQuery = <T>(id: string) =>
  queryOptions({
    queryKey: ["documents", "one", id],
    queryFn: ({ signal }) => get<SavedDocument<T>>(`v1/library/documents/${id}`, undefined, signal),
  });

/** With `outlive` it arrives even if the window is closed meanwhile; browsers allow that for up to 64 KiB. */
export function saveDocument<T>(
  kind: string,
  name: string,
  content: T,
  id?: string,
  outlive = false,
): Promise<SavedDocument<T>> {
  return id
    ? send("PUT", `v1/library/documents/${id}`, { name, content }, { keepalive: outlive })
    : send("POST", "v1/library/documents", { kind, name, content });
}

export type Change = Partial<Pick<Item, "title" | "favourite" | "rating" | "folder_id" | "tags">>;

/** One change of many clips. What was there before comes back, so that it can be undone. */
export type BulkAction =
  | { action: "favourite" | "unfavourite" | "trash" | "restore" | "delete" | "cancel" }
  | { action: "rate"; rating: number }
  | { action: "move"; folder_id: string | null }
  | { action: "tag" | "untag"; tag: string };

export function bulk(ids: readonly string[], action: BulkAction): Promise<{ changed: string[] }> {
  return send("POST", "v1/library/bulk", { ids, ...action });
}

export function useChangeItem() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, change }: { id: string; change: Change }) =>
      send<ItemDetail>("PATCH", `v1/library/items/${id}`, change),
    onSuccess: (item) => {
      client.setQueryData(itemQuery(item.id).queryKey, item);
      void client.invalidateQueries({ queryKey: ["library"] });
    },
  });
}

export const folders = {
  create: (name: string) => send<Folder>("POST", "v1/library/folders", { name }),
  rename: (id: string, name: string) => send<Folder>("PATCH", `v1/library/folders/${id}`, { name }),
  remove: (id: string) => send("DELETE", `v1/library/folders/${id}`),
};

export const media = {
  video: (id: string) => address(`v1/videos/${id}/content`),
  thumbnail: (id: string) => address(`v1/videos/${id}/content`, { variant: "thumbnail" }),
  preview: (id: string, step: number) => address(`v1/library/items/${id}/preview`, { step }),
};

/** The largest number of seconds, frames and pixels that a clip is known by. */
export function facts(item: ItemDetail): { width: number; height: number; seconds: number; fps: number } {
  const video = item.assets.find((asset) => asset.variant === "video");
  const made = item.timeline.spec;
  const fps = video?.fps || made.fps;
  const frames = video?.num_frames || made.num_frames;
  return { width: video?.width || made.width, height: video?.height || made.height, fps, seconds: frames / fps };
}
