/**
 * The Stepwire client: one websocket, process instances as stores, commands that survive a lost connection.
 * Start with {@link connect}.
 */
export type { Followed } from './channels.js';
export { type Client, connect, type Following } from './client.js';
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
  NoteFrame,
  PresentUser,
  Published,
  TaskInfo,
} from './frames.js';
export { type ActionMessage, type Instance, type InstanceCommands, onChild, type RunResult } from './instance.js';
export type {
  AnyProcesses,
  ConnectionStatus,
  ConnectOptions,
  Direction,
  FrameLog,
  ProcessShape,
  Publication,
  RunOptions,
  StartOptions,
  WaitOptions,
} from './options.js';
export type { Platform, Socket, WebSocketConstructor } from './platform.js';
export { select, type Store } from './store.js';
export { forgetStartId, startId } from './start-id.js';
