import type { Processes } from './processes.js';

declare module '@stepwire/client/react' {
  interface Register {
    processes: Processes;
  }
}
