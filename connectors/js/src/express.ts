import { randomUUID } from "node:crypto";
import { isIP } from "node:net";
import { runWith } from "./context.js";

/** What is needed of a request of Express, or of one of Node. */
interface Request {
  ip?: string | undefined;
  socket: { remoteAddress?: string | undefined };
  headers: Record<string, string | string[] | undefined>;
}

export type Middleware = (request: Request, response: unknown, next: () => void) => void;

/**
 * Gives the events of a request its address, its user agent, and as correlation its `X-Request-Id` or one of its own.
 *
 * The address is `request.ip`: behind a proxy, tell Express whom to trust (`app.set("trust proxy", …)`).
 */
export function express(request: Request, _response: unknown, next: () => void): void {
  // A request of Express knows which proxies are trusted, one of Node does not.
  const client = request.ip ?? request.socket.remoteAddress ?? "";
  // The zone of a link-local address (`fe80::1%eth0`) means something on this machine alone.
  const address = client.replace(/%.*/, "");
  const { "user-agent": agent, "x-request-id": id } = request.headers;
  const fields = {
    ip_address: isIP(address) ? address : undefined,
    // Logbook's limit: a longer one would put the event into quarantine.
    user_agent: typeof agent === "string" ? agent.slice(0, 2000) : undefined,
    correlation_id: typeof id === "string" && id.length > 0 && id.length <= 255 ? id : randomUUID(),
  };
  runWith(fields, next);
}
