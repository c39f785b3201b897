/**
 * People who need not sign in: what a visitor has started is the visitor's, also after a lost connection, after a reload and in
 * other tabs. For the option `visitor` of `connect`.
 */
import { keyOf } from './channels.js';
import { guarded, type StepwireError } from './error.js';
import type { ClientFrame, CommandResult } from './frames.js';
import type { Parts } from './parts.js';
import { memoryTokenStore, type TokenStore } from './token.js';

export { localTokenStore } from './storage.js';
export { memoryTokenStore, type TokenStore } from './token.js';

/** What a client asks of a visitor's tokens. */
export interface VisitorTokens {
  /**
   * A frame is to be sent: a start is given the visitor's secret, and of what is about an instance the server is shown the token of
   * its tree. True: that token must be answered first.
   */
  _postponed(frame: ClientFrame): boolean;
  /** Keeps the token that a start was answered with. */
  _answered(result: CommandResult): void;
  /** The token for the `hello` of a new connection. */
  _hello(): string | undefined;
  /** The server did not take that token; `false` when there was none. */
  _refused(): boolean;
  /** The token for the tree of an instance. */
  _tokenOf(key: string): string | undefined;
  /** Whether the `hello` may name this instance: of several trees, only the one whose token it brings. */
  _named(key: string): boolean;
}

/** What the option `visitor` takes. */
export type Visitor = (client: Parts) => VisitorTokens;

/**
 * An anonymous visitor, whose tokens are kept in `store`: `localTokenStore(name)`, or, by default, for as long as the page lives.
 * `onToken` gets each token that a start is answered with.
 */
export function visitor(store: TokenStore = memoryTokenStore(), onToken?: (token: string, instance: string) => void): Visitor {
  return ({ _find: find, _channels: channels, _auth: auth }) => {
    /** Keys of what is followed. */
    const keys = () => channels._all().map(({ _channel }) => keyOf(_channel));

    /** The root of an instance's tree, as far as the client knows. */
    const rootOf = (key: string): string => {
      const parent = find(key)?._parent;
      return parent === undefined ? key : rootOf(parent);
    };

    /** Roots whose tokens this connection has been shown, the first of them in its `hello`. */
    let shown = new Set<string>();

    /** Whether, beside the tree of the `hello`, there are others whose tokens the server does not know. */
    let several = false;

    const tokenOf = (key: string) => store.get(rootOf(key));

    /** The token for the tree of an instance, if there is one that the server does not know yet. */
    const unshown = (key: string) => (shown.has(rootOf(key)) ? undefined : tokenOf(key));

    const show = (key: string) => {
      const token = unshown(key);
      if (token === undefined) return;
      const root = rootOf(key);
      shown.add(root);
      auth(token).catch(({ code }: StepwireError) => {
        // The instances of the tree will be refused by themselves.
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
