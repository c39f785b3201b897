import { type Client, forgetStartId, type Instance, startId, type Store, StepwireError } from '@stepwire/client';
import { useEffect, useState, useSyncExternalStore } from 'react';
import type { Processes } from './processes.js';

/** What a store holds, as React sees it. */
export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get, store.get);
}

/**
 * The visitor's instance of a process, which it starts if there is none. React runs effects twice in development, and a reload runs
 * them again: with one `startId` all of that is one start.
 */
export function useProcess<P extends keyof Processes & string>(client: Client<Processes>, process: P) {
  const [instance, setInstance] = useState<Instance<Processes[P]>>();
  const [error, setError] = useState<StepwireError>();
  useEffect(() => {
    let mounted = true;
    const starting = client.start(process, { id: startId(process) });
    starting.then(
      (started) => mounted && setInstance(started),
      (refusal: StepwireError) => mounted && setError(refusal),
    );
    return () => {
      mounted = false;
      // Each use is closed once; the last one ends the subscription.
      starting.then((started) => started.close()).catch(() => undefined);
    };
  }, [client, process]);
  const startOver = () => forgetStartId(process);
  return { instance, error, startOver };
}
