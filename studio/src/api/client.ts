/** Requests to our own server, and its errors in words. Everything is relative to <base>, so any root path works. */

export const root = new URL(document.querySelector("base")?.href ?? "/", location.href);

export function address(path: string, query?: Record<string, string | number | boolean | null | undefined>): string {
  const url = new URL(path.replace(/^\//, ""), root);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, String(value));
  }
  return url.href;
}

/** A refusal or failure that the server put into words. */
export class ApiFailure extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string | null,
    readonly param: string | null,
    readonly requestId: string | null,
    readonly retryAfter: number | null,
  ) {
    super(message);
  }
}

/** No answer at all: the server is down, or the network to it. */
export class Unreachable extends Error {}

async function failure(response: Response): Promise<ApiFailure> {
  let error: Record<string, unknown> = {};
  try {
    error = ((await response.json()) as { error?: Record<string, unknown> }).error ?? {};
  } catch {
    // not our envelope: a proxy in between answered
  }
  const text = (value: unknown) => (typeof value === "string" && value ? value : null);
  return new ApiFailure(
    text(error.message) ?? `${response.status} ${response.statusText}`.trim(),
    response.status,
    text(error.code),
    text(error.param),
    response.headers.get("x-request-id"),
    Number(response.headers.get("retry-after")) || null,
  );
}

export async function request(
  path: string,
  init?: RequestInit & { query?: Parameters<typeof address>[1] },
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address(path, init?.query), { ...init, credentials: "same-origin" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Unreachable("The server does not answer.");
  }
  if (!response.ok) throw await failure(response);
  return response;
}

export async function get<T>(path: string, query?: Parameters<typeof address>[1], signal?: AbortSignal): Promise<T> {
  return (await request(path, { query, signal })).json() as Promise<T>;
}

export async function send<T>(
  method: "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  body?: unknown,
  how: Pick<RequestInit, "keepalive"> = {},
): Promise<T> {
  const init: RequestInit = { method, ...how };
  if (body instanceof FormData) init.body = body;
  else if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "content-type": "application/json" };
  }
  const response = await request(path, init);
  return (response.status === 204 ? null : await response.json()) as T;
}

/** The same request sent twice by accident (a double click, a retry after a lost answer) makes one job. */
export async function create<T>(path: string, body: unknown, key: string): Promise<T> {
  const headers: Record<string, string> = { "idempotency-key": key };
  if (!(body instanceof FormData)) headers["content-type"] = "application/json";
  const response = await request(path, {
    method: "POST",
    headers,
    body: body instanceof FormData ? body : JSON.stringify(body),
  });
  return (await response.json()) as T;
}

/** Saves what an address answers under the name that the server gives it, without holding it in memory. */
export function download(path: string, query?: Parameters<typeof address>[1]): void {
  const link = document.createElement("a");
  link.href = address(path, query);
  link.download = "";
  document.body.append(link);
  link.click();
  link.remove();
}

export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
