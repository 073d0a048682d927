import type { Problem } from "./types";

/** Every way a call can fail, in the server's words where it spoke, in ours where it did not. */
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

  /** Worth trying again unchanged: the network, an overload or a fault, never a refusal. */
  get retryable(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export function networkError(): ApiError {
  return new ApiError(0, "network", "The server cannot be reached. Check your connection and try again.");
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "code" in body && "title" in body;
}

/** A proxy may answer with HTML or nothing at all, so the body is trusted only when it has a problem's shape. */
export function toApiError(status: number, body: unknown): ApiError {
  if (isProblem(body)) return new ApiError(status, body.code, body.detail || body.title, body);
  const message =
    status >= 500 ? "The server had a problem answering." : `The server refused the request (${status}).`;
  return new ApiError(status, "unknown", message);
}

/** The server's words for one field, where it found fault with that one. */
export function fieldError(error: Error | null, field: string): string | null {
  if (!(error instanceof ApiError)) return null;
  return error.problem?.errors?.find((detail) => detail.pointer === `/${field}`)?.detail ?? null;
}

const TITLES: Record<string, string> = {
  network: "No connection",
  forbidden: "You may not see this",
  not_found: "Not found",
  unavailable: "The server is busy",
  queue_full: "The server is busy",
  invalid_parameter: "This link does not fit",
  unknown_parameter: "This link does not fit",
};

export interface ErrorDescription {
  title: string;
  message: string;
  details: { parameter: string | null; text: string }[];
  requestId: string | null;
}

/** An error in plain values, for a notice that knows nothing of the API. */
export function describeError(error: unknown): ErrorDescription {
  if (!(error instanceof ApiError)) {
    return {
      title: "Something went wrong",
      message: "The page could not show this.",
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
