/**
 * People who need not sign in: what a visitor has started is the visitor's, also after a lost connection, after a reload and in
 * other tabs. For the option `visitor` of `connect`.
 */
import { guarded, type StepwireError } from './error.js';
import { memoryTokenStore, type TokenStore } from './token.js';

export { localTokenStore } from './storage.js';
export { memoryTokenStore, type TokenStore } from './token.js';

/** What a visitor's tokens ask of the client. */
export interface VisitorHost {
  /** The root of an instance's tree, as far as the client knows. */
  rootOf(key: string): string;
  /** Keys of what is followed. */
  keys(): string[];
  /** Shows the server a token. */
  auth(token: string): Promise<unknown>;
}

/** What a client asks of a visitor's tokens. */
export interface VisitorTokens {
  /** The secret that goes with each start. */
  nonce(): string;
  /** Keeps the token that the start of this root was answered with. */
  keep(root: string, token: string): void;
  /** A frame about this instance is to be sent: shows the server the token of its tree, unless it knows it. */
  show(key: string): void;
  /** The token for the `hello` of a new connection. */
  hello(): string | undefined;
  /** The server did not take that token; `false` when there was none. */
  refused(): boolean;
  /** Whether the `hello` may name this instance: of several trees, only the one whose token it brings. */
  named(key: string): boolean;
}

/** What the option `visitor` takes. */
export type Visitor = (host: VisitorHost) => VisitorTokens;

/**
 * An anonymous visitor, whose tokens are kept in `store`: `localTokenStore(name)`, or, by default, for as long as the page lives.
 * `onToken` is told each token that a start is answered with.
 */
export function visitor(store: TokenStore = memoryTokenStore(), onToken?: (token: string, instance: string) => void): Visitor {
  return ({ rootOf, keys, auth }) => {
    /** Roots whose tokens this connection has been shown, the first of them in its `hello`. */
    let shown = new Set<string>();

    /** Whether, beside the tree of the `hello`, there are others whose tokens the server does not know. */
    let several = false;

    /** The token for the tree of an instance, if there is one that the server does not know yet. */
    const unshown = (key: string) => (shown.has(rootOf(key)) ? undefined : store.get(rootOf(key)));

    return {
      nonce: () => store.nonce(),
      keep(root, token) {
        store.set(root, token);
        shown.add(root);
        guarded(() => onToken?.(token, root));
      },
      show(key) {
        const token = unshown(key);
        if (token === undefined) return;
        const root = rootOf(key);
        shown.add(root);
        auth(token).catch(({ code }: StepwireError) => {
          // The instances of the tree will be refused by themselves.
          if (code === 'unauthenticated' || code === 'token_expired') store.set(root, undefined);
        });
      },
      hello() {
        shown = new Set();
        several = false;
        const first = keys().find((key) => unshown(key) !== undefined);
        if (first === undefined) return undefined;
        const token = unshown(first);
        shown.add(rootOf(first));
        several = keys().some((key) => unshown(key) !== undefined);
        return token;
      },
      refused() {
        const [root] = shown;
        if (root !== undefined) store.set(root, undefined);
        return root !== undefined;
      },
      named: (key) => !several || shown.has(rootOf(key)),
    };
  };
}
