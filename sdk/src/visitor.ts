/**
 * For users without sign-in: instances that a visitor has started belong to the visitor, also after a lost connection, after a
 * reload and in other tabs. For the option `visitor` of `connect`.
 */
import { keyOf } from './channels.js';
import { guarded, type StepwireError } from './error.js';
import type { ClientFrame, CommandResult } from './frames.js';
import type { Parts } from './parts.js';
import { memoryTokenStore, type TokenStore } from './token.js';

export { localTokenStore } from './storage.js';
export { memoryTokenStore, type TokenStore } from './token.js';

/** The interface to a visitor's tokens that a client uses. */
export interface VisitorTokens {
  /**
   * Called before a frame is sent: a start gets the visitor's secret, and before a frame about an instance the server is sent the
   * token of its tree. True: that token must be answered first.
   */
  _postponed(frame: ClientFrame): boolean;
  /** Stores the token in the answer to a start. */
  _answered(result: CommandResult): void;
  /** The token for the `hello` of a new connection. */
  _hello(): string | undefined;
  /** The server rejected that token; `false` if there was none. */
  _refused(): boolean;
  /** The token for the tree of an instance. */
  _tokenOf(key: string): string | undefined;
  /** Whether the `hello` may name this instance: of several trees, only the one whose token it carries. */
  _named(key: string): boolean;
}

/** The type of the option `visitor`. */
export type Visitor = (client: Parts) => VisitorTokens;

/**
 * An anonymous visitor, whose tokens are stored in `store`: `localTokenStore(name)`, or, by default, for as long as the page lives.
 * `onToken` receives each token in the answer to a start.
 */
export function visitor(store: TokenStore = memoryTokenStore(), onToken?: (token: string, instance: string) => void): Visitor {
  return ({ _find: find, _channels: channels, _auth: auth }) => {
    /** Keys of the followed instances. */
    const keys = () => channels._all().map(({ _channel }) => keyOf(_channel));

    /** The root of an instance's tree, as far as the client knows. */
    const rootOf = (key: string): string => {
      const parent = find(key)?._parent;
      return parent === undefined ? key : rootOf(parent);
    };

    /** Roots whose tokens were sent on this connection, the first of them in its `hello`. */
    let shown = new Set<string>();

    /** Whether there are other trees, besides that of the `hello`, whose tokens the server does not know. */
    let several = false;

    const tokenOf = (key: string) => store.get(rootOf(key));

    /** The token for the tree of an instance, if the server does not know it yet. */
    const unshown = (key: string) => (shown.has(rootOf(key)) ? undefined : tokenOf(key));

    const show = (key: string) => {
      const token = unshown(key);
      if (token === undefined) return;
      const root = rootOf(key);
      shown.add(root);
      auth(token).catch(({ code }: StepwireError) => {
        // The commands to instances of the tree will be refused individually.
        if (code === 'unauthenticated' || code === 'token_expired') store.set(root, undefined);
      });
    };

    return {
      _postponed(frame) {
        const inheritFrom = frame.inheritFrom as { instance: string } | undefined;
        if (frame.type === 'start' && !inheritFrom) frame.nonce = store.nonce();
        const key = inheritFrom?.instance ?? frame.instance ?? keyOf(String(frame.channel));
        if (unshown(key as string) === undefined) return false;
        // All at once, as each is answered before other frames are sent.
        [...keys(), key as string].forEach(show);
        return true;
      },
      _answered({ instance, token }) {
        if (!instance || !token) return;
        store.set(instance, token);
        shown.add(instance);
        guarded(() => onToken?.(token, instance));
      },
      _hello() {
        shown = new Set();
        several = false;
        const first = keys().find((key) => unshown(key) !== undefined);
        if (first === undefined) return undefined;
        const token = unshown(first);
        shown.add(rootOf(first));
        several = keys().some((key) => unshown(key) !== undefined);
        return token;
      },
      _refused() {
        const [root] = shown;
        if (root !== undefined) store.set(root, undefined);
        return root !== undefined;
      },
      _tokenOf: tokenOf,
      _named: (key) => !several || shown.has(rootOf(key)),
    };
  };
}
