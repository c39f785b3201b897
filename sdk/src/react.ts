/**
 * React hooks for the contents of a client. Nothing is opened while rendering on a server, and nothing is opened twice by
 * StrictMode. Provide the client by {@link StepwireProvider}; declare the types of the processes by extending {@link Register}.
 */
import {
  createContext,
  createElement,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import type { Client } from './client.js';
import type { FieldErrors, StepwireError } from './error.js';
import type { ActiveNode, AvailableAction, InstanceInfo, InstanceStatus, JsonObject, TaskInfo } from './frames.js';
import type { Instance, RunResult } from './instance.js';
import { type InstanceList, instances, type TaskList, tasks } from './lists.js';
import { share } from './merge.js';
import type { ActionsOf, AnyProcesses, ConnectionStatus, ProcessShape, RunOptions, StartOf, StartOptions, ViewOf } from './options.js';
import type { Store } from './store.js';

/**
 * The app's types, by `declare module '@stepwire/client/react' { interface Register { processes: Processes } }`; otherwise, a hook
 * accepts any process.
 */
export interface Register {}

type Processes = Register extends { processes: infer P extends { [K in keyof P]: ProcessShape } } ? P : AnyProcesses;
type Name = keyof Processes & string;
type Shape<P extends Name> = Processes[P] extends ProcessShape ? Processes[P] : ProcessShape;

const Context = createContext<Client<never> | undefined>(undefined);

/**
 * Provides the client to the hooks below it. Create the client once, outside of components; on a server pass `undefined`, so that
 * nothing connects there.
 */
export function StepwireProvider({ client, children }: { client: Client<any> | undefined; children?: ReactNode }) {
  return createElement(Context.Provider, { value: client as Client<never> | undefined }, children);
}

/** The client of the nearest {@link StepwireProvider}; `undefined` on a server. */
export function useClient(): Client<Processes> | undefined {
  return useContext(Context) as Client<Processes> | undefined;
}

const never = () => () => undefined;

/** The value of a store, or a part of it; `undefined` as long as there is no store. */
export function useStore<T>(store: Store<T>): T;
export function useStore<T>(store: Store<T> | undefined): T | undefined;
export function useStore<T, Part>(store: Store<T>, part: (value: T) => Part): Part;
export function useStore<T, Part>(store: Store<T> | undefined, part: (value: T) => Part): Part | undefined;
export function useStore<T, Part>(store: Store<T> | undefined, part?: (value: T) => Part) {
  // A part written inline is a new function each time; an equal result keeps its identity.
  const before = useRef<unknown>(undefined);
  const get = () => {
    const value = store?.get();
    if (!store || !part) return value;
    return (before.current = share(before.current, part(value as T)));
  };
  return useSyncExternalStore(store?.subscribe ?? never, get, get);
}

/** The connection: a status to show, and why there is none. */
export function useConnection(): { status: ConnectionStatus; error: StepwireError | undefined } {
  const client = useClient();
  const status = useStore(client?.status) ?? 'connecting';
  return { status, error: useStore(client?.lastError) };
}

/** Something used by components, and closed after its last use. */
interface Closable {
  close(): void;
}

/**
 * Opens something for as long as the component is mounted. It is closed with a short delay, so that a double mount, or the next
 * page with the same instance, finds it open.
 */
function useOpened<T extends Closable>(open: (() => T | Promise<T>) | undefined, of: unknown[]) {
  const [opened, setOpened] = useState<{ value?: T; error?: StepwireError }>({});
  useEffect(() => {
    if (!open) return;
    let mounted = true;
    const opening = open();
    const show = (value: T) => mounted && setOpened({ value });
    if (opening instanceof Promise) opening.then(show, (error: StepwireError) => mounted && setOpened({ error }));
    else show(opening);
    return () => {
      mounted = false;
      setOpened({});
      Promise.resolve(opening).then(
        (value) => value.close(),
        () => undefined,
      );
    };
  }, of);
  return opened;
}

/** The result of {@link useInstance}. */
export interface InstanceState<S extends ProcessShape> {
  /** `undefined` until it exists: on a server, at the first rendering, and while it is being started. */
  instance: Instance<S> | undefined;
  view: ViewOf<S>;
  actions: AvailableAction<keyof ActionsOf<S> & string>[];
  nodes: ActiveNode[];
  /** `undefined` until the server has sent it. */
  status: InstanceStatus | undefined;
  connection: ConnectionStatus;
  /** Why it cannot be started or followed. */
  error: StepwireError | undefined;
  /** Runs an action; see {@link useAction} for one with its state. */
  run: Instance<S>['run'];
}

const NOTHING: never[] = [];
const EMPTY = {};

/** The options of {@link useInstance} besides the process and the instance. */
export interface UseInstanceOptions {
  /** Suspends until the first step is known; a refusal is thrown to the nearest error boundary. */
  suspense?: boolean | undefined;
}

/**
 * An instance, by its key, or one that is started: `{ id: startId('account'), data }`. While the key is `undefined` there is none.
 * Because of the id, a start repeated by React or a reload is one start.
 */
export function useInstance<P extends Name>(
  process: P,
  which: string | undefined | (StartOptions<StartOf<Processes[P]>> & { id: string }),
  { suspense = false }: UseInstanceOptions = {},
): InstanceState<Shape<P>> {
  const client = useClient();
  const id = typeof which === 'object' ? which.id : which;
  const name = `${process}/${id}`;
  const start = () => (typeof which === 'object' ? client!.start(process, which) : client!.instance(process, id!));
  const open = () => {
    const known = client && waiting.get(client)?.get(name)?.instance;
    return known ? client.instance(process, known.key) : start();
  };
  const opened = useOpened<Instance<any>>(client && id !== undefined ? open : undefined, [client, process, id]);
  const held = suspense && client && id !== undefined && !opened.value ? suspended(client, name, start) : undefined;
  const instance = (opened.value ?? held) as Instance<Shape<P>> | undefined;
  const refused = useStore(instance?.error);
  const run = useCallback<InstanceState<Shape<P>>['run']>(
    (...command) => {
      if (instance) return instance.run(...command);
      return Promise.reject(new Error(`expected an instance of '${process}', but it is not there yet; look at 'instance'`));
    },
    [instance, process],
  );
  return {
    instance,
    view: (useStore(instance?.view) ?? EMPTY) as ViewOf<Shape<P>>,
    actions: useStore(instance?.actions) ?? NOTHING,
    nodes: useStore(instance?.nodes) ?? NOTHING,
    status: useStore(instance?.status),
    connection: useConnection().status,
    error: opened.error ?? refused,
    run,
  };
}

/** What suspended components wait for: they have no state of their own, so it is stored with the client. */
interface Suspended {
  instance?: Instance<any>;
  error?: StepwireError;
  ready: Promise<void>;
}
const waiting = new WeakMap<object, Map<string, Suspended>>();
/** How long a component that never mounts leaves its instance open. */
const UNUSED_MS = 5_000;

function suspended(client: object, name: string, open: () => Instance<any> | Promise<Instance<any>>): Instance<any> {
  const all = waiting.get(client) ?? new Map<string, Suspended>();
  waiting.set(client, all);
  const known = all.get(name);
  if (known?.error) throw known.error;
  if (known?.instance) return known.instance;
  if (known) throw known.ready;
  const entry: Suspended = { ready: Promise.resolve() };
  entry.ready = Promise.resolve(open())
    .then((instance) => firstStep(instance).then(() => void (entry.instance = instance)))
    .catch((error: StepwireError) => void (entry.error = error))
    .then(() => {
      setTimeout(() => {
        all.delete(name);
        entry.instance?.close();
      }, UNUSED_MS);
    });
  all.set(name, entry);
  throw entry.ready;
}

/** Resolves when an instance has its first step, and rejects when it cannot be followed. */
function firstStep({ status, error }: Instance<any>): Promise<void> {
  return new Promise((resolve, reject) => {
    const ends: (() => void)[] = [];
    const look = () => {
      const refusal = error.get();
      if (!refusal && status.get() === undefined) return;
      ends.forEach((end) => end());
      if (refusal) reject(refusal);
      else resolve();
    };
    ends.push(status.subscribe(look), error.subscribe(look));
    look();
  });
}

/** The values of an object at these paths. */
function within(data: JsonObject, paths: string[]): JsonObject {
  const found: JsonObject = {};
  for (const path of paths) {
    const names = path.split('.');
    const value = names.reduce<any>((at, name) => (Object.hasOwn(Object(at), name) ? at[name] : undefined), data);
    if (value === undefined) continue;
    const last = names.pop()!;
    names.reduce<any>((into, name) => (into[name] ??= {}), found)[last] = value;
  }
  return found;
}

/** The result of {@link useAction}. */
export interface ActionState<Data, View> {
  /** The action as offered by the server; `undefined`: this user may not run it now. */
  action: AvailableAction | undefined;
  /** The initial values of a form: those sent by the server, else those of the view at the paths of the action. */
  initial: JsonObject;
  /** Whether it was sent and its effect is not in the view yet. */
  pending: boolean;
  /** Why the last run was refused. */
  error: StepwireError | undefined;
  /** With `invalid_data`: what is wrong, by data path. */
  fields: FieldErrors;
  /** Runs it. Resolves to `undefined` when it is refused: `error` says why. */
  run(data?: Data, options?: RunOptions<View>): Promise<RunResult | undefined>;
  /** Forgets the error. */
  reset(): void;
}

/** An action of an instance, with the state that a form or a button shows. */
export function useAction<S extends ProcessShape, A extends keyof ActionsOf<S> & string>(
  instance: Instance<S> | undefined,
  name: A,
  element?: string,
): ActionState<ActionsOf<S>[A], ViewOf<S>> {
  const [{ pending, error }, setState] = useState<{ pending: number; error?: StepwireError | undefined }>({ pending: 0 });
  const newest = useRef(0);
  const action = useStore(instance?.actions as Store<AvailableAction[]> | undefined, (all) =>
    all.find((one) => one.name === name && (element === undefined || one.element === element)),
  );
  const initial = useStore(instance?.view as Store<JsonObject> | undefined, (view) => within(view, action?.keys ?? NOTHING));
  const run = useCallback(
    async (data?: ActionsOf<S>[A], options?: RunOptions<ViewOf<S>>) => {
      const mine = ++newest.current;
      setState((state) => ({ pending: state.pending + 1 }));
      try {
        if (!instance) throw new Error(`expected an instance for '${name}', but it is not there yet`);
        const result = await instance.run(name, data, { element, ...options });
        setState((state) => ({ ...state, pending: state.pending - 1 }));
        return result;
      } catch (refusal) {
        // Of several in progress, the last one is what the user looks at.
        setState((state) => ({
          pending: state.pending - 1,
          error: mine === newest.current ? (refusal as StepwireError) : state.error,
        }));
        return undefined;
      }
    },
    [instance, name, element],
  );
  const reset = useCallback(() => setState(({ pending: still }) => ({ pending: still })), []);
  return { action, initial: action?.initial ?? initial ?? (EMPTY as JsonObject), pending: pending > 0, error, fields: error?.fields ?? (EMPTY as FieldErrors), run, reset };
}

/** The tasks assigned to this user, and those that this user may claim; `undefined` until the server has sent them. */
export function useTasks(): { tasks: readonly TaskInfo[] | undefined; more: boolean; error: StepwireError | undefined } {
  const client = useClient();
  const { value } = useOpened<TaskList>(client && (() => tasks(client)), [client]);
  return { tasks: useStore(value?.tasks), more: useStore(value?.more) ?? false, error: useStore(value?.error) };
}

/** The instances of a process, or with `*` of all, for operators; `undefined` until the server has sent them. */
export function useInstances(process: Name | '*'): {
  instances: readonly InstanceInfo[] | undefined;
  more: boolean;
  error: StepwireError | undefined;
} {
  const client = useClient();
  const { value } = useOpened<InstanceList>(client && (() => instances(client, process)), [client, process]);
  return { instances: useStore(value?.instances), more: useStore(value?.more) ?? false, error: useStore(value?.error) };
}
