/**
 * The Stepwire client: one websocket, process instances as stores, commands that survive a lost connection.
 * Start with {@link connect}.
 */
export type { ActionMessage } from './action-message.js';
export { Client, connect } from './client.js';
export {
  type ClientErrorCode,
  type ErrorCode,
  type ErrorDetails,
  type FieldError,
  type FieldErrors,
  StepwireError,
} from './error.js';
export type {
  ActiveNode,
  AvailableAction,
  ChildInfo,
  CommandResult,
  InstanceInfo,
  InstanceStatus,
  JsonObject,
  TaskInfo,
} from './frames.js';
export { Instance, type RunResult } from './instance.js';
export { InstanceList, TaskList } from './list.js';
export type {
  AnyProcesses,
  ConnectionStatus,
  ConnectOptions,
  Direction,
  FrameLog,
  ProcessShape,
  RunOptions,
  StartOptions,
  WaitOptions,
} from './options.js';
export type { Platform, Socket, WebSocketConstructor } from './platform.js';
export type { Store } from './store.js';
export { forgetStartId, localTokenStore, memoryTokenStore, startId, type TokenStore } from './token.js';
