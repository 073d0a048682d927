import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { followTail, type TailListener } from "../src/api/tail";

/** Streams that the test writes to, one for each request. */
class FakeServer {
  readonly lastIds: (string | null)[] = [];
  readonly streams: ReadableStreamDefaultController<Uint8Array>[] = [];
  refusal: { status: number; code: string } | null = null;

  readonly fetch = (request: Request): Promise<Response> => {
    this.lastIds.push(request.headers.get("Last-Event-ID"));
    if (this.refusal) {
      const { status, code } = this.refusal;
      const body = JSON.stringify({ code, title: code, status });
      return Promise.resolve(
        new Response(body, { status, headers: { "content-type": "application/problem+json" } }),
      );
    }
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.streams.push(controller);
        request.signal.addEventListener("abort", () => {
          try {
            controller.error(new DOMException("aborted", "AbortError"));
          } catch {
            // It had ended.
          }
        });
      },
    });
    return Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } }));
  };

  write(text: string) {
    this.streams.at(-1)?.enqueue(new TextEncoder().encode(text));
  }
}

describe("following a tail", () => {
  let server: FakeServer;
  let stop: AbortController;
  let states: string[];
  let begins: number;
  let events: string[];

  const follow = () => {
    const listener: TailListener = {
      onState: (state) => states.push(state),
      onBegin: () => (begins += 1),
      onEvents: (heard) => events.push(...heard),
    };
    const question = { workspace: "clinic", log: "access", query: {} } as const;
    return followTail(question, listener, stop.signal);
  };
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  beforeEach(() => {
    vi.useFakeTimers();
    server = new FakeServer();
    stop = new AbortController();
    [states, begins, events] = [[], 0, []];
    vi.stubGlobal("fetch", server.fetch);
  });
  afterEach(async () => {
    stop.abort();
    await pass(60_000);
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  it("continues behind the last event that it has heard of", async () => {
    void follow();
    await pass(10);
    server.write("retry: 1000\nid: 41\n\n");
    await pass(10);
    expect([states, begins]).toEqual([["connecting", "open"], 1]);
    server.write('id: 42\ndata: {"seq":42}\n\nid: 4');
    await pass(10);
    expect(events).toEqual(['{"seq":42}']);
    server.streams.at(-1)?.close();
    await pass(2_000);
    expect(server.lastIds).toEqual([null, "42"]);
    server.write("id: 42\n\n");
    await pass(10);
    // It knows what came before.
    expect(begins).toBe(1);
  });

  it("takes a silence of 40 seconds for a broken connection", async () => {
    void follow();
    await pass(10);
    server.write("id: 41\n\n");
    await pass(39_000);
    server.write(":\nid: 41\n\n");
    await pass(39_000);
    expect(server.lastIds).toHaveLength(1);
    await pass(3_000);
    expect(server.lastIds).toEqual([null, "41"]);
    expect(states).toEqual(["connecting", "open", "waiting"]);
  });

  it("waits longer and longer while it is refused a place, and begins anew after a long time", async () => {
    void follow();
    await pass(10);
    server.write("id: 41\n\n");
    await pass(10);
    server.refusal = { status: 503, code: "busy" };
    server.streams.at(-1)?.close();
    await pass(60_000);
    const tries = server.lastIds.length;
    expect(tries).toBeGreaterThan(4);
    expect(tries).toBeLessThan(10);
    await pass(11 * 60_000);
    server.refusal = null;
    await pass(31_000);
    expect(server.lastIds.at(-1)).toBeNull();
    server.write("id: 900\n\n");
    await pass(10);
    expect([states.at(-1), begins]).toEqual(["open", 2]);
  });

  it("ends where another try would have the same answer", async () => {
    server.refusal = { status: 403, code: "forbidden" };
    await follow();
    expect(states).toEqual(["connecting", "ended"]);
    expect(server.lastIds).toHaveLength(1);
  });

  it("stops when it is told to", async () => {
    const followed = follow();
    await pass(10);
    server.write("id: 41\n\n");
    await pass(10);
    stop.abort();
    await pass(10);
    await followed;
    await pass(60_000);
    expect(server.lastIds).toHaveLength(1);
  });
});
