// Asks the control plane. All that goes wrong is an ApiError, with what the person can do about it.
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

type JsonOf<T> = T extends { responses: { 200: { content: { "application/json": infer Body } } } }
  ? Body
  : never;
export type GetPath = {
  [Path in keyof paths]: paths[Path] extends { get: unknown } ? Path : never;
}[keyof paths];
export type Got<Path extends GetPath> = paths[Path] extends { get: infer Operation }
  ? JsonOf<Operation>
  : never;

export type Query = Record<string, string | number | boolean | undefined>;

export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly hint = "",
    readonly status = 0,
    readonly requestId = "",
  ) {
    super(message);
  }

  /** Whether nothing answered at all, so that what is shown may just be old. */
  get isUnreachable(): boolean {
    return this.status === 0;
  }
}

const listeners = new Set<() => void>();
let firstBuild = "";
let isOtherBuild = false;
let onSessionOver: () => void = () => undefined;

/** Call `listener` when the server begins to serve another build of this page. */
export function onUpgrade(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Tell whether the server serves another build than when this page was loaded. */
export function isUpgraded(): boolean {
  return isOtherBuild;
}

/** Call `handler` when an answer says that nobody is logged in. */
export function whenSessionOver(handler: () => void): void {
  onSessionOver = handler;
}

export function get<Path extends GetPath>(
  path: Path,
  query: Query = {},
  places: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Got<Path>> {
  let address: string = path;
  for (const [name, value] of Object.entries(places))
    address = address.replace(`{${name}}`, encodeURIComponent(value));
  return send<Got<Path>>("GET", address + written(query), undefined, signal);
}

export function order<Answer>(
  method: "POST" | "PUT" | "DELETE",
  path: string,
  body?: unknown,
): Promise<Answer> {
  return send<Answer>(method, path, body);
}

/** Return a query as it stands in an address; what is undefined or empty is left out. */
export function written(query: Query): string {
  const told = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== "") told.set(name, String(value));
  const text = told.toString();
  return text ? `?${text}` : "";
}

async function send<Answer>(
  method: string,
  address: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<Answer> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (method !== "GET") headers["x-steadyhand-console"] = "1";
  if (body !== undefined) headers["content-type"] = "application/json";
  let answer: Response;
  try {
    answer = await fetch(address, {
      method,
      headers,
      credentials: "same-origin",
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? AbortSignal.timeout(10_000),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError("unreachable", "the control plane does not answer", "is it running?");
  }
  const build = answer.headers.get("x-steadyhand-build");
  if (build) noted(build);
  if (answer.ok) return (answer.status === 204 ? undefined : await answer.json()) as Answer;
  const problem = await problemOf(answer);
  if (answer.status === 401 && !address.startsWith("/api/v1/session")) onSessionOver();
  throw problem;
}

function noted(build: string): void {
  firstBuild ||= build;
  const is = build !== firstBuild;
  if (is === isOtherBuild) return;
  isOtherBuild = is;
  for (const listener of listeners) listener();
}

async function problemOf(answer: Response): Promise<ApiError> {
  try {
    const { error } = (await answer.json()) as Schemas["ProblemBody"];
    return new ApiError(error.code, error.message, error.hint, answer.status, error.request_id);
  } catch {
    return new ApiError("unreadable", `status ${answer.status} without a reason`, "", answer.status);
  }
}
