import { QueryClient } from "@tanstack/react-query";
import { ApiFailure } from "@/api/client";

export const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      gcTime: 5 * 60_000,
      refetchOnWindowFocus: false, // the stream of events tells what changed
      retry: (count, error) => !(error instanceof ApiFailure && error.status < 500) && count < 2,
      retryDelay: (attempt) => Math.min(400 * 2 ** attempt, 4000),
    },
    mutations: { retry: false },
  },
});
