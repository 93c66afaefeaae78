import { useQueries } from "@tanstack/react-query";
import { PAGE, pageQuery } from "@/api/library";
import type { Filters, Item } from "@/api/types";

/** The part of a long list that is in sight: only its pages are asked for, wherever the list was scrolled to. */
export function useWindow(filters: Filters, first: number, last: number) {
  const from = Math.floor(Math.max(0, first) / PAGE);
  const to = Math.floor(Math.max(0, last) / PAGE);
  const pages = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  const results = useQueries({ queries: pages.map((page) => pageQuery(filters, page)) });
  const known = results.find((result) => result.data);
  return {
    total: known?.data?.total,
    error: results.find((result) => result.isError)?.error ?? null,
    retry: () => results.forEach((result) => void result.refetch()),
    item: (index: number): Item | undefined => {
      const result = results[Math.floor(index / PAGE) - from];
      // A page that stands in for another one has the wrong clips for these places.
      return result?.isPlaceholderData
        ? result.data?.offset === Math.floor(index / PAGE) * PAGE
          ? result.data.data[index % PAGE]
          : undefined
        : result?.data?.data[index % PAGE];
    },
  };
}
