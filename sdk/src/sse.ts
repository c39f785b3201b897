/**
 * For networks whose proxies do not allow websockets: the same client over server-sent events and REST. `connect({ url, webSocket:
 * eventStream() })` takes the address of the websocket, as usual.
 *
 * Lists (`@stepwire/client/lists`) have no stream: they are queried every 5 s. Not available: who has a task open, the clock of
 * `--test-clock`, and the check whether a restored server still has the log that was followed.
 */
import type { ClientFrame, JsonObject, Topic } from './frames.js';
import type { WebSocketConstructor } from './platform.js';
import { parsed, problem, restOf } from './problem.js';

/**
 * The server sends keep-alives every 5 s; this client sees pings at this interval, and a silence of twice as long counts as a loss.
 */
const PING_SECONDS = 15;

/** How often a list is queried, in milliseconds. */
const LIST_MS = 5_000;
/** What may have changed, for pages that list by a query of their own. */
const TOPICS: Topic[] = ['instances', 'tasks', 'incidents', 'timers', 'httpCalls', 'definitions', 'schedules', 'users', 'connections'];

/** The parts of a command that its body does not contain. */
interface Parts extends JsonObject {
  instance?: string;
  channel?: string;
  kind?: string;
  after?: number;
  token?: string;
  resume?: { instance: string; after: number }[];
  schemas?: boolean;
}

type Command = ClientFrame & Parts;

/** Objects with the interface of a websocket that the client uses. `fetchWith` is for tests, and for runtimes without `fetch`. */
export function eventStream(fetchWith: typeof fetch = (...request) => fetch(...request)): WebSocketConstructor {
  return class EventStreamSocket {
    onopen: (() => void) | null = null;
    onmessage: ((message: { data: string }) => void) | null = null;
    onerror: ((failed: { error: unknown }) => void) | null = null;
    onclose: ((closed: { code: number; reason: string }) => void) | null = null;
    readonly #base: string;
    readonly #over = new AbortController();
    /** Channel → controller that ends its stream. */
    readonly #streams = new Map<string, AbortController>();
    /** The user's token, and those of trees that a visitor has started, by their roots. */
    #token: string | undefined;
    readonly #tokens = new Map<string, string>();
    #closed = false;
    #schemas = false;
    #last = Promise.resolve();
    readonly #alive: ReturnType<typeof setInterval>;

    constructor(url: string) {
      this.#base = restOf(url);
      // Without a stream nothing shows that the server is alive, and nothing has to.
      this.#alive = setInterval(() => this.#streams.size === 0 && this.#tell({ type: 'ping' }), PING_SECONDS * 1000);
      queueMicrotask(() => this.onopen?.());
    }

    send(text: string): void {
      const frame = JSON.parse(text) as Command;
      this.#handle(frame).catch((error: unknown) => {
        if (this.#closed) return;
        this.onerror?.({ error });
        this.#end(1006, String(error));
      });
    }

    close(): void {
      this.#closed = true;
      this.#over.abort();
      clearInterval(this.#alive);
    }

    #tell(frame: JsonObject): void {
      if (!this.#closed) this.onmessage?.({ data: JSON.stringify(frame) });
    }

    #end(code: number, reason = ''): void {
      if (this.#closed) return;
      this.close();
      this.onclose?.({ code, reason });
    }

    async #handle({ type, id, ...frame }: Command): Promise<void> {
      if (type === 'pong') return;
      if (type === 'hello') return this.#hello(frame);
      const reply = (result: JsonObject) => this.#tell({ type: 'reply', id, result });
      const { channel, token, after } = frame as Parts;
      if (type === 'auth') {
        this.#keep(token!);
        reply({ expiresAt: claims(token!).exp && new Date(Number(claims(token!).exp) * 1000).toISOString() });
      } else if (type === 'presence') {
        // It lasts as long as a connection, and there is none.
        reply({});
      } else if (type === 'unsubscribe') {
        this.#streams.get(channel!)?.abort();
        reply({});
      } else if (type === 'clock' || type === 'idle') {
        const message = `expected a command that REST has, but '${type}' is not one; use a websocket`;
        this.#tell({ type: 'error', id, code: 'unsupported', message, retryable: false });
      } else if (type !== 'subscribe') {
        // One after the other, as over a websocket.
        await (this.#last = this.#last.then(() => this.#command(type, id, frame)));
      } else {
        const problem = await (channel!.startsWith('instance/') ? this.#follow(channel!, after) : this.#list(channel!));
        if (problem) this.#tell({ ...problem, id });
        else reply({ channel });
      }
    }

    #hello({ token, resume = [], schemas = false }: Parts): void {
      this.#schemas = schemas;
      if (token) this.#keep(token);
      this.#tell({ type: 'welcome', connection: 'event-stream', user: null, pingSeconds: PING_SECONDS });
      for (const { instance, after } of resume) {
        const channel = `instance/${instance}`;
        this.#follow(channel, after).then(
          (problem) => problem && this.#tell({ ...problem, channel }),
          (error: unknown) => this.#end(1006, String(error)),
        );
      }
    }

    /** The token of a visitor's tree names its root; any other is that of the user. */
    #keep(token: string): void {
      const { instance } = claims(token);
      if (typeof instance === 'string') this.#tokens.set(instance, token);
      this.#token = token;
    }

    #headers(instance: unknown): Record<string, string> {
      const token = this.#tokens.get(instance as string) ?? this.#token;
      return token ? { authorization: `Bearer ${token}` } : {};
    }

    async #command(type: string, id: string | undefined, { instance, subscribe: _follow, kind, ...body }: Parts): Promise<void> {
      let path = type === 'start' ? '/instances' : `/instances/${instance}/${type === 'patch' ? 'data' : type}`;
      let method = type === 'patch' ? 'PATCH' : 'POST';
      if (type === 'draft') {
        const { element, action, data } = body;
        path = `/instances/${instance}/drafts/${element}/${encodeURIComponent(String(action))}`;
        method = data ? 'PUT' : 'DELETE';
        body = data ? { data } : {};
      }
      if (type === 'publish') {
        path = `/${kind ?? 'message'}s`;
        body.instance = instance;
      }
      const answer = await fetchWith(this.#base + path, {
        method,
        headers: { ...this.#headers(instance), 'content-type': 'application/json', 'idempotency-key': id! },
        ...(method !== 'DELETE' && { body: JSON.stringify(body) }),
        signal: this.#over.signal,
      });
      const said = parsed(await answer.text());
      if (!answer.ok) return this.#tell({ ...errorOf(answer, said), id });
      const { seq, duplicate = false, ...result } = said;
      if (typeof result.token === 'string') this.#keep(result.token);
      this.#tell({ type: 'reply', id, seq, duplicate, result });
    }

    /** Queries a list now and then regularly. Resolves when it has arrived, or to the error. */
    async #list(channel: string): Promise<JsonObject | undefined> {
      const own = this.#replace(channel);
      if (channel === 'changes') {
        this.#tell({ type: 'snapshot', channel, seq: 0 });
        setTimeout(() => own.signal.aborted || this.#tell({ type: 'changes', channel, seq: 1, prev: 0, topics: TOPICS }), LIST_MS);
        return undefined;
      }
      const process = channel.slice('process/'.length);
      const path = channel === 'tasks' ? '/tasks' : `/instances${process === '*' ? '' : `?${new URLSearchParams({ process })}`}`;
      let before = '';
      const look = async (): Promise<JsonObject | undefined> => {
        const answer = await fetchWith(this.#base + path, { headers: this.#headers(undefined), signal: own.signal });
        const text = await answer.text();
        if (!answer.ok) {
          this.#streams.delete(channel);
          return errorOf(answer, parsed(text));
        }
        this.#tell({ type: 'ping' });
        const { next, ...lines } = parsed(text);
        if (text !== before) this.#tell({ type: 'snapshot', channel, seq: 0, more: next !== null, ...lines });
        before = text;
        setTimeout(() => own.signal.aborted || void look().then(ended, lost), LIST_MS);
        return undefined;
      };
      const ended = (problem: JsonObject | undefined) => problem && this.#tell({ ...problem, channel });
      const lost = (error: unknown) => own.signal.aborted || this.#end(1006, String(error));
      return look();
    }

    /** A new controller that ends a channel; the previous one is ended. */
    #replace(channel: string): AbortController {
      this.#streams.get(channel)?.abort();
      const own = new AbortController();
      this.#streams.set(channel, own);
      this.#over.signal.addEventListener('abort', () => own.abort());
      return own;
    }

    /** Opens the stream of an instance. Resolves when it has begun, or to the error. */
    async #follow(channel: string, after: number | undefined): Promise<JsonObject | undefined> {
      const own = this.#replace(channel);
      const instance = channel.slice('instance/'.length);
      const query = new URLSearchParams({ ...(after !== undefined && { after: `${after}` }), ...(this.#schemas && { schemas: 'true' }) });
      const address = `${this.#base}/instances/${instance}/stream?${query}`;
      const answer = await fetchWith(address, { headers: this.#headers(instance), signal: own.signal });
      // 204: the instance has ended, and everything was sent.
      if (answer.ok && answer.status !== 204) {
        void this.#read(answer.body!, own, channel);
        return undefined;
      }
      this.#streams.delete(channel);
      return answer.ok ? undefined : errorOf(answer, parsed(await answer.text()));
    }

    async #read(body: ReadableStream<Uint8Array>, own: AbortController, channel: string): Promise<void> {
      let ended = false;
      try {
        let rest = '';
        const decoder = new TextDecoder();
        const reader = body.getReader();
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
          rest = lines.pop()!;
          for (const line of lines) {
            if (line.startsWith(':')) this.#tell({ type: 'ping' });
            if (!line.startsWith('data:')) continue;
            const frame = JSON.parse(line.slice(5)) as JsonObject;
            if (frame.type === 'bye') ended = this.#bye(frame);
            else this.#tell(frame);
          }
        }
      } catch {
        // Ended by this client, or lost.
      }
      if (this.#streams.get(channel) === own) this.#streams.delete(channel);
      if (!ended && !own.signal.aborted) this.#end(1006, 'the stream broke off');
    }

    /** Whether the stream ends because there is nothing more to send. */
    #bye(frame: JsonObject): boolean {
      if (frame.reason === 'ended') return true;
      this.#tell(frame);
      this.#end(frame.reason === 'token_expired' ? 4401 : frame.reason === 'revoked' ? 4408 : 1012, String(frame.reason));
      return true;
    }
  };
}

/** The claims of a token; empty if it cannot be read. */
function claims(token: string): JsonObject {
  try {
    return JSON.parse(atob(token.split('.')[1]!.replace(/-/g, '+').replace(/_/g, '/'))) as JsonObject;
  } catch {
    return {};
  }
}

/** A problem as the equivalent `error` frame of the websocket. */
const errorOf = ({ status, headers }: Response, said: JsonObject): JsonObject => ({
  type: 'error',
  ...problem(status, headers.get('retry-after'), said),
});
