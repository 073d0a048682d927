import type { Problem } from "./types";

/** A failed request. The message is the server's where it sent one. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;
  readonly problem: Problem | null;

  constructor(status: number, code: string, message: string, problem: Problem | null = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.problem = problem;
    this.requestId = problem?.request_id ?? null;
  }

  /** The same request may succeed later: true for network errors, overloads and server errors. */
  get retryable(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export function networkError(): ApiError {
  return new ApiError(0, "network", "Logbook cannot reach the server. Check your connection and try again.");
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "code" in body && "title" in body;
}

/** A proxy may return HTML or an empty body, so the body is used only when it has the shape of a problem. */
export function toApiError(status: number, body: unknown): ApiError {
  if (isProblem(body)) return new ApiError(status, body.code, body.detail || body.title, body);
  const message =
    status >= 500
      ? "The server failed to process the request."
      : `The server rejected the request (${status}).`;
  return new ApiError(status, "unknown", message);
}

/** The server's message about one field of the request, if there is one. */
export function fieldError(error: Error | null, field: string): string | null {
  if (!(error instanceof ApiError)) return null;
  return error.problem?.errors?.find((detail) => detail.pointer === `/${field}`)?.detail ?? null;
}

/** The server's messages about the entries of a list of the request, by place in the list. */
export function entryErrors(error: Error | null, list: string): Map<number, string> {
  const found = new Map<number, string>();
  if (!(error instanceof ApiError)) return found;
  for (const { pointer, detail } of error.problem?.errors ?? []) {
    const place = pointer?.startsWith(`/${list}/`) ? Number(pointer.slice(list.length + 2)) : NaN;
    if (Number.isInteger(place)) found.set(place, detail);
  }
  return found;
}

/** Whether the server found this fault in one field of the request. */
export function hasFieldError(error: Error | null, field: string, code: string): boolean {
  if (!(error instanceof ApiError)) return false;
  return (error.problem?.errors ?? []).some(
    (detail) => detail.pointer === `/${field}` && detail.code === code,
  );
}

/** The server's message about one parameter. Null for every other error, which then appears with the results. */
export function parameterError(error: unknown, parameter: string): string | null {
  if (!(error instanceof ApiError)) return null;
  return error.problem?.errors?.find((detail) => detail.parameter === parameter)?.detail ?? null;
}

const TITLES: Record<string, string> = {
  network: "No connection",
  forbidden: "Access denied",
  not_found: "Not found",
  unavailable: "The server is busy",
  queue_full: "The server is busy",
  invalid_parameter: "This link is not valid",
  unknown_parameter: "This link is not valid",
};

export interface ErrorDescription {
  title: string;
  message: string;
  details: { parameter: string | null; text: string }[];
  requestId: string | null;
}

/** Describes an error in plain values, for ui/ErrorNotice, which does not know the API. */
export function describeError(error: unknown): ErrorDescription {
  if (!(error instanceof ApiError)) {
    return {
      title: "Something went wrong",
      message: "The page ran into an unexpected error.",
      details: [],
      requestId: null,
    };
  }
  return {
    title: TITLES[error.code] ?? "Something went wrong",
    message: error.message,
    details: (error.problem?.errors ?? []).map(({ parameter, detail }) => ({
      parameter: parameter ?? null,
      text: detail,
    })),
    requestId: error.requestId,
  };
}
